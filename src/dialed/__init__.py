"""Dialed: hyperparameter tuning for Keras 3 models.

Importing it costs next to nothing: each name is loaded when it is first used. Where nothing chooses a backend for
Keras and TensorFlow is not installed, one that is installed is chosen here, before Keras is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dialed.backend import choose_backend

if TYPE_CHECKING:
    from dialed import schedules, spaces, strategies, trackers
    from dialed.engine.hypermodel import HyperModel
    from dialed.engine.scaling import scale_learning_rate
    from dialed.executor.on_ray.place import Ray
    from dialed.objectives import Constraint, Maximize, Minimize
    from dialed.space import Boolean, Choice, Fixed, Float, HyperParameters, Int
    from dialed.study import Study, Tuner, create_study, load, optimize
    from dialed.tools.batches import find_batch_size
    from dialed.tools.lr_range import lr_range_test
    from dialed.tools.noise import noise_scale
    from dialed.tools.optimizers import compare_optimizers
    from dialed.trial import Objective, Trial

__version__ = "0.1.0"

__all__ = [
    "Boolean",
    "Choice",
    "Constraint",
    "Fixed",
    "Float",
    "HyperModel",
    "HyperParameters",
    "Int",
    "Maximize",
    "Minimize",
    "Objective",
    "Ray",
    "Study",
    "Trial",
    "Tuner",
    "compare_optimizers",
    "create_study",
    "find_batch_size",
    "load",
    "lr_range_test",
    "noise_scale",
    "optimize",
    "scale_learning_rate",
    "schedules",
    "spaces",
    "strategies",
    "trackers",
]

_HOMES = {
    "Boolean": "dialed.space",
    "Choice": "dialed.space",
    "Constraint": "dialed.objectives",
    "Fixed": "dialed.space",
    "Float": "dialed.space",
    "HyperModel": "dialed.engine.hypermodel",
    "HyperParameters": "dialed.space",
    "Int": "dialed.space",
    "Maximize": "dialed.objectives",
    "Minimize": "dialed.objectives",
    "Objective": "dialed.trial",
    "Ray": "dialed.executor.on_ray.place",
    "Study": "dialed.study",
    "Trial": "dialed.trial",
    "Tuner": "dialed.study",
    "compare_optimizers": "dialed.tools.optimizers",
    "create_study": "dialed.study",
    "find_batch_size": "dialed.tools.batches",
    "load": "dialed.study",
    "lr_range_test": "dialed.tools.lr_range",
    "noise_scale": "dialed.tools.noise",
    "optimize": "dialed.study",
    "scale_learning_rate": "dialed.engine.scaling",
}
_MODULES = ("schedules", "spaces", "strategies", "trackers")

choose_backend()


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"dialed.{name}")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'dialed' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
