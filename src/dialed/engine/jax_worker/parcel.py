"""All that a search needs, on its way to another process: what builds models as a pickle, arrays as files beside it.

The files are mapped by the reader, so arrays are copied once, to the disk, and are in memory once, however many trials
look at them. What is in `__main__`, a notebook or a closure is pickled by value and never run again; what can be
imported travels by its name. A parcel is read only by the process that its maker started, from a folder of its own.
"""

from __future__ import annotations

import mmap
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from dialed.clock import Clock
from dialed.engine.data import Data
from dialed.engine.hypermodel import Hypermodel
from dialed.engine.keeping import CheckpointStore
from dialed.engine.movable import Movable, Part
from dialed.trial import Objective

__all__ = ["Immovable", "Parcel", "module_to_copy", "read", "write"]

_PICKLE = "parcel.pickle"
_IN_BAND_BYTES = 1 << 16
"""Smaller arrays are not worth a file."""


class Immovable(Exception):
    """Something cannot be sent; the message says what, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A search, as far as another process needs to know it.

    `arguments` are those of the search apart from data. `keras` holds Keras's settings (`settings.keras_settings`),
    `registered` the user's own registered classes by name.
    """

    hypermodel: Hypermodel
    arguments: Mapping[str, Any]
    max_parameters: int | None
    data: Data
    objective: Objective
    checkpoints: CheckpointStore
    clock: Clock
    checkpoint_seconds: float
    compile_cache: bool | str
    keras: Mapping[str, Any]
    registered: Mapping[str, Any]

    @property
    def parts(self) -> Sequence[Part]:
        """What of it is the user's own."""
        return (
            Part("the build function", self.hypermodel, "make such objects inside of it"),
            Part("the arguments of the search", self.arguments, "pass plain values"),
            Part("a registered class", self.registered, "move it into a module"),
        )


def write(
    parcel: Movable, folder: Path, *, copied: ModuleType | None = None, goal: str = "the process with JAX"
) -> None:
    """Write `parcel` into `folder`.

    Args:
        goal: Where it goes, for the error. Defaults to the process with JAX.
        copied: A module whose functions and classes are pickled by value, though it could be imported here.
            Defaults to none.

    Raises:
        Immovable: Something in it cannot be pickled.
    """
    count = 0

    def to_file(buffer: pickle.PickleBuffer) -> bool:
        nonlocal count
        raw = buffer.raw()
        if raw.nbytes < _IN_BAND_BYTES:
            return True
        (folder / f"{count}.array").write_bytes(raw)
        count += 1
        return False

    with _by_value(copied):
        try:
            data = cloudpickle.dumps(parcel, protocol=5, buffer_callback=to_file)
        except Exception as error:  # whatever a user's object raises when it is pickled
            raise Immovable(_culprit(parcel, error, goal)) from error
    (folder / _PICKLE).write_bytes(data)


def read(folder: Path) -> Any:
    """What `write` wrote into `folder`. Its arrays are mapped, and stay where they are when the folder is removed."""
    files = sorted(folder.glob("*.array"), key=lambda path: int(path.stem))
    return pickle.loads((folder / _PICKLE).read_bytes(), buffers=[_mapped(path) for path in files])


def module_to_copy(code: object) -> ModuleType | None:
    """The module that made `code`, where sending it by value is worth a try: one that is not installed."""
    inner = getattr(code, "func", code)  # of a `functools.partial`
    name = getattr(inner, "__module__", None)
    module = sys.modules.get(name or "")
    file = getattr(module, "__file__", None) or ""
    is_installed = "site-packages" in file or name in sys.stdlib_module_names
    return None if module is None or name == "__main__" or is_installed else module


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


@contextmanager
def _by_value(module: ModuleType | None) -> Iterator[None]:
    if module is None or module.__name__ in cloudpickle.list_registry_pickle_by_value():
        yield
        return
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _culprit(parcel: Movable, error: Exception, goal: str) -> str:
    """Which part of `parcel` it is, in words that name what to change."""
    said = f"{type(error).__name__}: {error}"
    for what, thing, remedy in parcel.parts:
        try:
            cloudpickle.dumps(thing)
        except Exception:  # noqa: BLE001 - the same error again, which tells whose it is
            return f"{what} cannot be sent to {goal} ({said:.300}); {remedy}"
    return f"the search cannot be sent to {goal} ({said:.300})"
