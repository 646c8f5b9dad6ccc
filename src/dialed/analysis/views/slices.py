"""Each hyperparameter by itself: the scores of all trials over its values, and where they lie in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dialed.analysis.views.axis import Axis, axis_of, places_of, varying
from dialed.analysis.views.naming import named
from dialed.analysis.views.scores import Number, limits_of, scores_of, winner_of
from dialed.search.history import History
from dialed.space import Hyperparameter, Space
from dialed.trial import Objective, Trial

__all__ = ["Cell", "Slice", "SliceView", "slice_view"]

CELLS = 10
"""Into so many cells a range of more values is divided."""

LEAST = 3
"""Fewer scores than these have no middle worth a mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A part of an axis: its middle, how many scores lie there, their median and quartiles."""

    place: float
    width: float
    count: int
    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One hyperparameter: where each trial lies (`None` where inactive), and cells with enough scores."""

    axis: Axis
    places: tuple[Number, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceView:
    """One `Slice` for each hyperparameter; the other columns have one entry a trial."""

    objective: Objective
    numbers: tuple[int, ...]
    scores: tuple[Number, ...]
    slices: tuple[Slice, ...]
    limits: tuple[float, float] | None
    winner: int | None


def slice_view(history: History, space: Space, names: Sequence[str] | None = None) -> SliceView:
    """All trials over each of the hyperparameters `names`; by default those that vary.

    Raises:
        InvalidInputError: One of `names` is not in the space.
    """
    shown = varying(space) if names is None else named(space, names)
    scores = scores_of(history.trials)
    return SliceView(
        objective=history.objective,
        numbers=tuple(trial.number for trial in history.trials),
        scores=scores,
        slices=tuple(_slice(hyperparameter, history.trials, scores) for hyperparameter in shown),
        limits=limits_of(scores, history.objective),
        winner=winner_of(history),
    )


def _slice(hyperparameter: Hyperparameter, trials: Sequence[Trial], scores: Sequence[Number]) -> Slice:
    places = places_of(hyperparameter, trials)
    return Slice(axis=axis_of(hyperparameter, trials), places=places, cells=_cells(hyperparameter, places, scores))


def _cells(hyperparameter: Hyperparameter, places: Sequence[Number], scores: Sequence[Number]) -> tuple[Cell, ...]:
    size = hyperparameter.domain.size
    count = size if size is not None and (size <= CELLS or hyperparameter.domain.categorical) else CELLS
    kept = [(p, s) for p, s in zip(places, scores, strict=True) if p is not None and s is not None]
    rows: dict[int, list[float]] = {}
    for place, score in kept:
        rows.setdefault(min(int(place * count), count - 1), []).append(score)
    return tuple(_cell(index, count, rows[index]) for index in sorted(rows) if len(rows[index]) >= LEAST)


def _cell(index: int, count: int, scores: list[float]) -> Cell:
    low, median, high = (float(q) for q in np.quantile(scores, [0.25, 0.5, 0.75]))
    return Cell(place=(index + 0.5) / count, width=1 / count, count=len(scores), median=median, low=low, high=high)
