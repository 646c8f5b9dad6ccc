"""How trials are trained: a protocol, `model.fit` on any backend, and the user's own functions. See README.md."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dialed.engine.function import FunctionEngine
from dialed.engine.protocol import Batch, Engine, OnReport, Progress

if TYPE_CHECKING:
    from dialed.engine.data import Data
    from dialed.engine.fit import FitEngine
    from dialed.engine.hypermodel import HyperModel
    from dialed.engine.recipe import Recipe

__all__ = [
    "Batch",
    "Data",
    "Engine",
    "FitEngine",
    "FunctionEngine",
    "HyperModel",
    "OnReport",
    "Progress",
    "Recipe",
]

_HOMES = {
    "Data": "dialed.engine.data",
    "FitEngine": "dialed.engine.fit",
    "HyperModel": "dialed.engine.hypermodel",
    "Recipe": "dialed.engine.recipe",
}


def __getattr__(name: str) -> Any:
    """Load what needs Keras or scikit-learn only when it is asked for."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
