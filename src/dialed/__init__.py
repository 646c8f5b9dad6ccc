"""Dialed: hyperparameter tuning for Keras 3 models.

Importing it costs next to nothing: each name is loaded when it is first used. Where nothing chooses a backend for
Keras and TensorFlow is not installed, one that is installed is chosen here, before Keras is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dialed.backend import choose_backend

if TYPE_CHECKING:
    from dialed import strategies
    from dialed.engine.hypermodel import HyperModel
    from dialed.space import Boolean, Choice, Fixed, Float, HyperParameters, Int
    from dialed.study import Study, Tuner, create_study, load, optimize
    from dialed.trial import Objective, Trial

__version__ = "0.1.0"

__all__ = [
    "Boolean",
    "Choice",
    "Fixed",
    "Float",
    "HyperModel",
    "HyperParameters",
    "Int",
    "Objective",
    "Study",
    "Trial",
    "Tuner",
    "create_study",
    "load",
    "optimize",
    "strategies",
]

_HOMES = {
    "Boolean": "dialed.space",
    "Choice": "dialed.space",
    "Fixed": "dialed.space",
    "Float": "dialed.space",
    "HyperModel": "dialed.engine.hypermodel",
    "HyperParameters": "dialed.space",
    "Int": "dialed.space",
    "Objective": "dialed.trial",
    "Study": "dialed.study",
    "Trial": "dialed.trial",
    "Tuner": "dialed.study",
    "create_study": "dialed.study",
    "load": "dialed.study",
    "optimize": "dialed.study",
}

choose_backend()


def __getattr__(name: str) -> Any:
    if name == "strategies":
        return import_module("dialed.strategies")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'dialed' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
