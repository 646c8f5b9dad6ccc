"""Which of several trained models to average: the best alone, and then, one by one, whichever improves the average most.

The rows that choose flatter what they choose. So the gain over the best model alone is measured by rows that took no part:
the rows are cut into parts, and for each part the choice is made anew on the others.

References:
    Caruana, Niculescu-Mizil, Crew, Ksikes 2004, "Ensemble selection from libraries of models".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np

from dialed.engine.arrays import Structure, map_leaves
from dialed.engine.samples import Samples
from dialed.errors import ObjectiveError
from dialed.objectives import metric_key
from dialed.trial import Objective

__all__ = ["Choice", "Loss", "chosen", "loss_of"]

Loss: TypeAlias = Callable[[Structure, np.ndarray], float]
"""The loss of averaged predictions on the rows at these indices; smaller is better."""

PARTS = 5

_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Positions of the chosen models, the best alone first; the loss of the best alone and of the average.

    `gains` has, for each part of the rows, how much better an average is that was chosen on the other parts; empty where
    there are too few rows.
    """

    places: tuple[int, ...]
    alone: float
    together: float
    gains: tuple[float, ...]


def chosen(predictions: Sequence[Structure], loss: Loss, *, rows: int, most: int) -> Choice:
    """Choose at most `most` of the models that made `predictions` of the same rows."""
    every = np.arange(rows)
    places, together = _greedy(predictions, loss, every, most)
    return Choice(
        places=tuple(places),
        alone=loss(predictions[places[0]], every),
        together=together,
        gains=tuple(_gain(predictions, loss, every, held_out, most) for held_out in _parts(rows)),
    )


def _greedy(predictions: Sequence[Structure], loss: Loss, rows: np.ndarray, most: int) -> tuple[list[int], float]:
    alone = [loss(each, rows) for each in predictions]
    places = [int(np.argmin(alone))]
    best = alone[places[0]]
    while len(places) < min(most, len(predictions)):
        others = [place for place in range(len(predictions)) if place not in places]
        losses = [loss(_mean([predictions[p] for p in (*places, other)]), rows) for other in others]
        if min(losses) >= best:
            break
        best = min(losses)
        places.append(others[int(np.argmin(losses))])
    return places, best


def _gain(predictions: Sequence[Structure], loss: Loss, every: np.ndarray, held_out: np.ndarray, most: int) -> float:
    """How much better than the best alone an average is on rows that chose neither."""
    places, _ = _greedy(predictions, loss, np.setdiff1d(every, held_out), most)
    together = loss(_mean([predictions[place] for place in places]), held_out)
    return loss(predictions[places[0]], held_out) - together


def _parts(rows: int) -> list[np.ndarray]:
    if rows < 4 * PARTS:
        return []
    return np.array_split(np.random.default_rng(_SEED).permutation(rows), PARTS)


def _mean(parts: Sequence[Structure]) -> Structure:
    return keras.tree.map_structure(lambda *leaves: np.mean(leaves, axis=0), *parts)


def loss_of(model: keras.Model, data: Samples, objective: Objective) -> Loss:
    """How predictions are judged: by the loss or the metric that `model` was compiled with, over `data`.

    Raises:
        ObjectiveError: The objective is neither: it comes from a callback or a training step of the user's own.
    """
    name = objective.name.removeprefix("val_")

    def loss(predictions: Structure, rows: np.ndarray) -> float:
        kept, asked = data.rows(rows), map_leaves(lambda _, leaf: leaf[rows], predictions, "prediction")
        measured = _measured(model, kept, asked)
        key = metric_key(name, measured)
        if key is None:
            raise ObjectiveError(
                f"The `objective` must be the loss or a metric that the model is compiled with, to choose models by their "
                f"predictions. Got '{objective.name}'; the model has {', '.join(map(repr, measured))}."
            )
        return objective.loss(measured[key])

    return loss


def _measured(model: keras.Model, data: Samples, predictions: Structure) -> dict[str, float]:
    y, weight = data.y, data.sample_weight
    found: dict[str, Any] = {"loss": model._compile_loss(y, predictions, weight)}
    metrics = model._compile_metrics
    if metrics is not None:
        metrics.reset_state()
        metrics.update_state(y, predictions, weight)
        found |= metrics.result()
    return {name: float(value) for name, value in found.items()}
