"""Parallel coordinates: each trial as a line over the axes of its hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dialed.analysis.views.axis import Axis, axis_of, places_of, varying
from dialed.analysis.views.naming import named
from dialed.analysis.views.scores import Number, limits_of, quality_of, scores_of, winner_of
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import Objective

__all__ = ["ParallelView", "parallel_view"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelView:
    """Columns with one entry a trial.

    Attributes:
        objective: What is improved.
        axes: The hyperparameters, from left to right; the score stands at the right end.
        places: For each axis where each trial lies; `None` where it is inactive.
        numbers: The trials.
        scores: Of each.
        quality: From 0 (the worst) to 1 (the best), by rank.
        states: "completed", "failed", ...
        limits: The range of scores to draw.
        winner: The trial to use.
    """

    objective: Objective
    axes: tuple[Axis, ...]
    places: tuple[tuple[Number, ...], ...]
    numbers: tuple[int, ...]
    scores: tuple[Number, ...]
    quality: tuple[Number, ...]
    states: tuple[str, ...]
    limits: tuple[float, float] | None
    winner: int | None


def parallel_view(history: History, space: Space, names: Sequence[str] | None = None) -> ParallelView:
    """All trials over the hyperparameters `names`; by default those that vary, in the order of the space.

    Raises:
        InvalidInputError: One of `names` is not in the space.
    """
    shown = varying(space) if names is None else named(space, names)
    scores = scores_of(history.trials)
    return ParallelView(
        objective=history.objective,
        axes=tuple(axis_of(hyperparameter, history.trials) for hyperparameter in shown),
        places=tuple(places_of(hyperparameter, history.trials) for hyperparameter in shown),
        numbers=tuple(trial.number for trial in history.trials),
        scores=scores,
        quality=quality_of(scores, history.objective),
        states=tuple(str(trial.state) for trial in history.trials),
        limits=limits_of(scores, history.objective),
        winner=winner_of(history),
    )
