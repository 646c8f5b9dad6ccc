"""How fast a model trains, measured on a few of its batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dialed.clock import Clock
from dialed.engine.data import Data
from dialed.engine.recipe import Realised, Recipe
from dialed.engine.seeding import seeded
from dialed.trial import Values

__all__ = ["Pace", "measure_pace"]

_BATCHES = 20
"""Batches that are timed after the first two, which pay for tracing and compiling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds to build and compile, seconds an epoch with its validation, and the size of the model."""

    seconds_to_start: float
    seconds_per_epoch: float
    parameters: int
    memory_bytes: int


def measure_pace(recipe: Recipe, values: Values, data: Data, *, seed: int, clock: Clock) -> Pace:
    """Build the model of `values`, train a few batches of fold 0, and reckon an epoch from them.

    `memory_bytes` counts weights, their gradients and the optimizer's variables.
    """
    fold = data.fold(data.folds[0])
    start = clock.monotonic()
    with seeded(seed):
        realised = recipe.realise(values, seed)
        batch = int(realised.arguments.get("batch_size") or 32)
        _fit(realised, fold, batch, steps=2)
        started = clock.monotonic()
        steps = _steps(fold, batch)
        timed = min(_BATCHES, steps or _BATCHES)
        _fit(realised, fold, batch, steps=timed)
    per_step = (clock.monotonic() - started) / timed
    validation = _validation_share(fold)
    return Pace(
        seconds_to_start=started - start,
        seconds_per_epoch=per_step * (steps or timed) * (1.0 + validation),
        parameters=realised.parameters,
        memory_bytes=_bytes(realised),
    )


def _fit(realised: Realised, fold: Any, batch: int, *, steps: int) -> None:
    """Train `steps` batches: of the first samples for arrays, of the beginning for streams."""
    if fold.samples is None:
        realised.model.fit(fold.x, steps_per_epoch=steps, epochs=1, verbose=0)
        return
    import keras

    def first(array: Any) -> Any:
        return array[: steps * batch]

    x, y, weight = (
        None if part is None else keras.tree.map_structure(first, part) for part in (fold.x, fold.y, fold.sample_weight)
    )
    realised.model.fit(x, y, sample_weight=weight, batch_size=batch, epochs=1, verbose=0)


def _steps(fold: Any, batch: int) -> int | None:
    return None if fold.samples is None else -(-fold.samples // batch)


def _validation_share(fold: Any) -> float:
    """Time of the validation relative to the training: a forward pass is about a third of a training step."""
    if fold.validation is None or not fold.samples or not fold.validation_samples:
        return 0.0
    return float(fold.validation_samples) / float(fold.samples) / 3.0


def _bytes(realised: Realised) -> int:
    model = realised.model
    weights = _size(model.variables)
    gradients = _size(model.trainable_variables)
    optimizer = _size(model.optimizer.variables) if model.optimizer is not None else 0
    return weights + gradients + optimizer


def _size(variables: Any) -> int:
    import keras

    return sum(
        int(np.prod(v.shape)) * int(np.dtype(keras.backend.standardize_dtype(v.dtype)).itemsize) for v in variables
    )
