"""Making `import keras_tuner` mean this package."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from dialed.errors import InvalidInputError

__all__ = ["install"]

_NAMES = ("keras_tuner", "kerastuner")
_HERE = "dialed.keras_tuner"


class _Same(Loader):
    """Loads a module of this package under another name: the same object, not a copy."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._spec: Any = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.target)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # importing under another name must not change what it is


class _Finder(MetaPathFinder):
    """Finds `keras_tuner` and all below it here. KerasTuner's own inner path `keras_tuner.src` is no other place."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        name, _, rest = fullname.partition(".")
        if name not in _NAMES:
            return None
        rest = rest.removeprefix("src").removeprefix(".")
        wanted = f"{_HERE}.{rest}" if rest else _HERE
        if importlib.util.find_spec(wanted) is None:
            return None
        return ModuleSpec(fullname, _Same(wanted), is_package=True)


def install() -> None:
    """Make `import keras_tuner` and `import kerastuner` mean `dialed.keras_tuner` in this process.

    Call it first, before anything imports them.

    Raises:
        InvalidInputError: The other KerasTuner was imported already.

    Example:
        >>> import dialed.keras_tuner
        >>> dialed.keras_tuner.install()
        >>> from keras_tuner import Hyperband
        >>> Hyperband.__module__
        'dialed.keras_tuner.tuners.hyperband'
    """
    for name in _NAMES:
        module = sys.modules.get(name)
        if module is not None and module.__name__ != _HERE:
            raise InvalidInputError(
                f"`install()` must be called before `{name}` is imported. Got it after. Move the call to the top of the "
                "program."
            )
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
