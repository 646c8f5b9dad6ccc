"""Which backend Keras will run on, decided before Keras is imported, when it can still be changed.

Keras takes the backend from the environment variable KERAS_BACKEND, else from the file keras.json, else TensorFlow; and
its first import writes keras.json with "tensorflow", whether that is installed or not. So a fresh install without
TensorFlow cannot import Keras. Where nobody has chosen a backend that could run, Dialed chooses one that is installed.

Nothing here imports Keras or a backend: modules are only looked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from dialed.errors import MissingDependencyError

__all__ = [
    "BackendChoice",
    "BackendFacts",
    "announce",
    "backend_facts",
    "check_backend",
    "choose_backend",
    "installed_versions",
    "is_installed",
]

_VARIABLE = "KERAS_BACKEND"
_DEFAULT = "tensorflow"
_PREFERRED = ("jax", "torch")
_MODULES = MappingProxyType({"tensorflow": "tensorflow", "jax": "jax", "torch": "torch", "openvino": "openvino"})
"""What must be importable for each backend; Keras's NumPy backend needs nothing more, but cannot train."""

_TRAINS = ("jax", "tensorflow", "torch")
_DISTRIBUTIONS = MappingProxyType(
    {
        "keras": ("keras",),
        "jax": ("jax",),
        "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tensorflow-intel", "tf-nightly"),
        "torch": ("torch",),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendChoice:
    """A backend that Dialed chose, and why, in one sentence."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"Backend: {self.name}. {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendFacts:
    """Which backend Keras runs on or would run on, and what is installed.

    `source` says who decides it, for people. `versions` has `None` for what is not installed.
    """

    name: str
    source: str
    installed: bool
    versions: Mapping[str, str | None]


chosen: BackendChoice | None = None
_announced = False
"""What `choose_backend` chose in this process; `None` when Keras's own choice stands."""


def is_installed(module: str) -> bool:
    """Whether the top-level `module` could be imported, without importing it."""
    if module in sys.modules:
        return True
    spec = find_spec(module)
    return spec is not None and spec.origin is not None  # a folder of that name without code has no origin


def choose_backend(
    environ: MutableMapping[str, str] = os.environ,
    *,
    installed: Callable[[str], bool] = is_installed,
    keras_imported: bool | None = None,
) -> BackendChoice | None:
    """Set KERAS_BACKEND where Keras would otherwise fall back to a TensorFlow that is not installed.

    Does nothing when Keras is imported, when KERAS_BACKEND or keras.json name a backend other than TensorFlow, and
    when TensorFlow is installed.

    Args:
        environ: The environment to read and to change. Defaults to that of this process.
        installed: Tells whether a module is installed. Defaults to looking for it.
        keras_imported: Whether it is too late. Defaults to looking.

    Returns:
        The choice, also kept in `dialed.backend.chosen`; `None` where there was nothing to choose.
    """
    global chosen
    if "keras" in sys.modules if keras_imported is None else keras_imported:
        return None
    if environ.get(_VARIABLE) or (configured := _configured(environ)) not in (None, _DEFAULT):
        return None
    if installed(_MODULES[_DEFAULT]):
        return None
    name = next((name for name in _PREFERRED if installed(_MODULES[name])), None)
    if name is None:
        return None
    chosen = BackendChoice(name=name, reason=_reason(configured))
    environ[_VARIABLE] = name
    return chosen


def announce(write: Callable[[str], object]) -> None:
    """Say which backend Dialed chose, where it had to choose one: once in a process, however many searches it runs."""
    global _announced
    if chosen is not None and not _announced:
        _announced = True
        write(str(chosen))


def check_backend(
    environ: Mapping[str, str] = os.environ,
    *,
    installed: Callable[[str], bool] = is_installed,
    keras_imported: bool | None = None,
) -> None:
    """Make sure that Keras will find its backend. Call it before Keras is imported.

    Args:
        environ: The environment to read. Defaults to that of this process.
        installed: Tells whether a module is installed. Defaults to looking for it.
        keras_imported: Whether Keras has found its backend already. Defaults to looking.

    Raises:
        MissingDependencyError: It would not; the message says what to install.
    """
    if "keras" in sys.modules if keras_imported is None else keras_imported:
        return
    name, source = _current(environ)
    if name not in _TRAINS:
        raise MissingDependencyError(
            f"The backend of Keras must be one that can train: {', '.join(_TRAINS)}. Got '{name}' from {source}. "
            f"Set {_VARIABLE} to one of them."
        )
    if installed(_MODULES[name]):
        return
    others = [other for other in _TRAINS if installed(_MODULES[other])]
    instead = f", or set {_VARIABLE}={others[0]}, which is installed" if others else ""
    raise MissingDependencyError(
        f"The backend of Keras must be installed. Got '{name}' from {source}, and there is no package '{name}'. "
        f"Install it (`pip install {name}`){instead}."
    )


def backend_facts() -> BackendFacts:
    """Which backend is in use or would be, and the versions installed. Imports nothing."""
    keras = sys.modules.get("keras")
    name, source = _current(os.environ)
    if keras is not None and hasattr(keras, "config"):
        name, source = str(keras.config.backend()), "Keras, which is imported"
    elif chosen is not None and chosen.name == name:
        source = "Dialed's choice"
    return BackendFacts(
        name=name,
        source=source,
        installed=name == "numpy" or is_installed(_MODULES.get(name, name)),
        versions=installed_versions(),
    )


def installed_versions() -> dict[str, str | None]:
    """The versions of Keras and its backends; `None` for what is not installed."""
    return {name: _version(distributions) for name, distributions in _DISTRIBUTIONS.items()}


def _version(distributions: tuple[str, ...]) -> str | None:
    from importlib import metadata  # 20 ms that `import dialed` need not pay

    for distribution in distributions:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def _current(environ: Mapping[str, str]) -> tuple[str, str]:
    """The backend that Keras would take, and who says so."""
    if environ.get(_VARIABLE):
        return environ[_VARIABLE], f"the environment variable {_VARIABLE}"
    configured = _configured(environ)
    if configured is not None:
        return configured, f"the file {_config_file(environ)}"
    return _DEFAULT, "the default of Keras"


def _configured(environ: Mapping[str, str]) -> str | None:
    """The backend in keras.json; `None` without the file, and where Keras itself could not read it."""
    file = _config_file(environ)
    if not file.is_file():
        return None
    import json

    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return config.get("backend") if isinstance(config, dict) else None


def _config_file(environ: Mapping[str, str]) -> Path:
    """Where Keras looks for keras.json."""
    if "KERAS_HOME" in environ:
        return Path(environ["KERAS_HOME"]).expanduser() / "keras.json"
    home = Path(environ["HOME"]) if os.name == "posix" and environ.get("HOME") else Path("~").expanduser()
    return (home if os.access(home, os.W_OK) else Path("/tmp")) / ".keras" / "keras.json"


def _reason(configured: str | None) -> str:
    if configured is None:
        return f"Neither {_VARIABLE} nor keras.json chooses one, and TensorFlow is not installed."
    return "The file keras.json names TensorFlow (Keras writes that by default), which is not installed."
