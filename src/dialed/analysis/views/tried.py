"""The grid-versus-random picture: which points of a plane were tried, and how many different values that makes.

A grid of n x n trials knows n values of each hyperparameter; n * n random trials know n * n. Where only one of them
matters, that is all the difference.

References:
    Bergstra and Bengio 2012, "Random search for hyper-parameter optimization", figure 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dialed.analysis.views.axis import Axis, axis_of, places_of
from dialed.analysis.views.naming import pair
from dialed.analysis.views.scores import Number, quality_of, scores_of, winner_of
from dialed.search.history import History
from dialed.space import Hyperparameter, Space
from dialed.trial import Objective, Trial

__all__ = ["Marginal", "TriedView", "tried_view"]

CELLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Marginal:
    """One side of the picture.

    Attributes:
        axis: The hyperparameter.
        places: Where each trial lies; `None` where it is inactive.
        counts: How many trials lie in each of the equal cells of the axis.
        best: The best score in each cell.
        distinct: How many different values were tried.
    """

    axis: Axis
    places: tuple[Number, ...]
    counts: tuple[int, ...]
    best: tuple[Number, ...]
    distinct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedView:
    """The plane of two hyperparameters; columns with one entry a trial, and a sentence."""

    objective: Objective
    x: Marginal
    y: Marginal
    numbers: tuple[int, ...]
    scores: tuple[Number, ...]
    quality: tuple[Number, ...]
    states: tuple[str, ...]
    winner: int | None
    sentence: str


def tried_view(history: History, space: Space, x: str | None = None, y: str | None = None) -> TriedView:
    """What was tried of `x` and `y`; by default of the two that mattered most.

    Raises:
        InvalidInputError: A name is not in the space, or fewer than two hyperparameters vary.
    """
    across, up = pair(history, space, x, y)
    trials, scores = history.trials, scores_of(history.trials)
    sides = [_marginal(hyperparameter, trials, scores, history.objective) for hyperparameter in (across, up)]
    return TriedView(
        objective=history.objective,
        x=sides[0],
        y=sides[1],
        numbers=tuple(trial.number for trial in trials),
        scores=scores,
        quality=quality_of(scores, history.objective),
        states=tuple(str(trial.state) for trial in trials),
        winner=winner_of(history),
        sentence=_sentence(sides[0], sides[1]),
    )


def _marginal(
    hyperparameter: Hyperparameter, trials: Sequence[Trial], scores: Sequence[Number], objective: Objective
) -> Marginal:
    places = places_of(hyperparameter, trials)
    size = hyperparameter.domain.size
    cells = size if size is not None and (size <= CELLS or hyperparameter.domain.categorical) else CELLS
    counts = [0] * cells
    best: list[Number] = [None] * cells
    for place, score in zip(places, scores, strict=True):
        if place is None:
            continue
        cell = min(int(place * cells), cells - 1)
        counts[cell] += 1
        if score is not None and objective.better(score, best[cell]):
            best[cell] = score
    return Marginal(
        axis=axis_of(hyperparameter, trials),
        places=places,
        counts=tuple(counts),
        best=tuple(best),
        distinct=len({place for place in places if place is not None}),
    )


def _sentence(x: Marginal, y: Marginal) -> str:
    count = sum(a is not None or b is not None for a, b in zip(x.places, y.places, strict=True))
    trials = "1 trial tries" if count == 1 else f"{count:,} trials try"
    return f"{trials} {_values(x)} of {x.axis.name} and {_values(y)} of {y.axis.name}."


def _values(side: Marginal) -> str:
    return "1 value" if side.distinct == 1 else f"{side.distinct:,} different values"
