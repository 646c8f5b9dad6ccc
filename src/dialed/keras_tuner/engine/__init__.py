"""What the tuners are made of, under the names by which users import it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialed.keras_tuner._homes import loader as _loader

if TYPE_CHECKING:
    from dialed.keras_tuner.engine import (
        base_tuner,
        hypermodel,
        hyperparameters,
        metrics_tracking,
        objective,
        oracle,
        trial,
        tuner,
    )

__all__ = [
    "base_tuner",
    "hypermodel",
    "hyperparameters",
    "metrics_tracking",
    "objective",
    "oracle",
    "trial",
    "tuner",
]

__getattr__ = _loader(__name__, {name: f"engine.{name}" for name in __all__})
