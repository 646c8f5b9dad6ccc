"""Names that are loaded when they are first used, so that importing the drop-in costs little."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["loader"]


def loader(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's `__getattr__`: the name `n` is found in the module `homes[n]`, or is that module itself.

    Args:
        module: The name of the module that hands the names out.
        homes: The module of each name, below `dialed.keras_tuner`.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home = import_module(f"dialed.keras_tuner.{homes[name]}")
        return home if homes[name].rsplit(".", 1)[-1] == name else getattr(home, name)

    return get
