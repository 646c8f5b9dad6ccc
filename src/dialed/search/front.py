"""Trade-offs between several objectives: the Pareto front, ranks behind it, and the volume that it dominates.

All points are losses, shape `(count, objectives)`: smaller is better in every column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dialed.objectives import MEASURED, keeps, value_of
from dialed.search.terms import Terms
from dialed.trial import State, Trial

__all__ = ["crowding", "front_of", "hypervolume", "knee_of", "losses_of", "non_dominated", "ranks"]

Array = NDArray[np.float64]


def losses_of(trials: Sequence[Trial], terms: Terms) -> Array:
    """The loss of each trial in each objective, NaN where it is not known; shape `(trials, objectives)`."""
    rows = [[_loss(trial, terms, place) for place in range(len(terms.objectives))] for trial in trials]
    return np.array(rows, dtype=np.float64).reshape(len(trials), len(terms.objectives))


def _loss(trial: Trial, terms: Terms, place: int) -> float:
    objective = terms.objectives[place]
    value = trial.score if place == 0 else value_of(trial, objective.name)
    return math.nan if value is None else objective.loss(value)


def front_of(trials: Sequence[Trial], terms: Terms) -> list[Trial]:
    """The trials that no other betters in one objective without losing in another, the best score first.

    Only trials count that did not fail, have a finite value of every objective, and keep the constraints.
    """
    losses = losses_of(trials, terms)
    fair = [t.state is not State.FAILED and keeps(t, terms.constraints) for t in trials]
    places = np.flatnonzero(np.isfinite(losses).all(axis=1) & np.array(fair, dtype=bool))
    chosen = places[non_dominated(losses[places])]
    order = np.lexsort([chosen, *losses[chosen].T[::-1]])
    return [trials[place] for place in chosen[order]]


def non_dominated(losses: Array) -> NDArray[np.bool_]:
    """Which points no other dominates: none is as good in all objectives and better in one. Equal points all count."""
    kept = np.ones(len(losses), dtype=bool)
    for index in np.lexsort(losses.T[::-1]) if len(losses) else []:
        if kept[index]:
            beaten = (losses[index] <= losses).all(axis=1) & (losses[index] < losses).any(axis=1)
            kept[beaten] = False
    return kept


def ranks(losses: Array) -> NDArray[np.int64]:
    """0 for the points of the front, 1 for the front of those that are left, and so on; shape `(count,)`.

    References:
        Deb and others 2002, "A fast and elitist multiobjective genetic algorithm: NSGA-II".
    """
    found = np.full(len(losses), -1, dtype=np.int64)
    rank = 0
    while (left := np.flatnonzero(found < 0)).size:
        found[left[non_dominated(losses[left])]] = rank
        rank += 1
    return found


def crowding(losses: Array) -> Array:
    """How far the neighbours of each point lie apart, summed over the objectives; infinite at both ends of each."""
    distance = np.zeros(len(losses))
    for column in losses.T:
        order = np.argsort(column, kind="stable")
        width = float(column.max() - column.min()) or 1.0
        distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / width
        distance[order[[0, -1]]] = np.inf
    return distance


def knee_of(losses: Array, names: Sequence[str] = ()) -> int | None:
    """The place of the most balanced point of a front: the one farthest below the plane through its ends.

    Each objective goes from 0 to 1 along the front; what Dialed measures itself, sizes and times, by its logarithm.

    Args:
        losses: Of a front, shape `(count, objectives)`.
        names: Of the objectives. Defaults to none that is measured.

    Returns:
        The place; `None` for fewer than three points, or where no point lies below the plane.

    References:
        Das 1999, "On characterizing the knee of the Pareto curve based on normal-boundary intersection".

    Example:
        >>> knee_of(np.array([[0.0, 1.0], [0.1, 0.2], [1.0, 0.0]]))
        1
    """
    if len(losses) < 3:
        return None
    spans = np.array([name in MEASURED for name in names] or [False] * losses.shape[1]) & (losses > 0).all(axis=0)
    scaled = np.where(spans, np.log(np.where(spans, losses, 1.0)), losses)
    low, width = scaled.min(axis=0), np.ptp(scaled, axis=0)
    total = ((scaled - low) / np.where(width > 0, width, 1.0)).sum(axis=1)
    best = int(total.argmin())
    return best if total[best] < 1.0 else None


def hypervolume(losses: Array, reference: Sequence[float] | Array) -> float:
    """The volume of what the points dominate, up to `reference`, the worst value of each objective that counts.

    Exact: the last objective is swept, and between two neighbouring values of it the others make a volume of one
    dimension less. It costs O(n^(objectives - 1) log n).

    Example:
        >>> hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), (3.0, 3.0))
        3.0
    """
    limit = np.asarray(reference, dtype=np.float64)
    inside = losses[(losses < limit).all(axis=1)]
    points = np.unique(inside[non_dominated(inside)], axis=0)
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return float(limit[0] - points.min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    depths = np.diff(np.append(points[:, -1], limit[-1]))
    return float(sum(d * hypervolume(points[: i + 1, :-1], limit[:-1]) for i, d in enumerate(depths) if d > 0.0))
