"""The expected improvement of a whole front: by how much a trial is likely to enlarge the volume that it dominates.

For independent normal predictions it has a closed form. The volume that a point y adds is that of all places a which y
dominates, the front does not, and which lie below the reference. So its expectation is the integral over those places
of the probability that y dominates them, and that is a product: P(y_j <= a_j) for each objective j. Cut into boxes with
edges low and high in every objective,

    E = sum over boxes of product over j of (psi_j(high_j) - psi_j(low_j)),   psi_j(b) = E[max(b - y_j, 0)],

with psi_j(-inf) = 0: expected improvements of one objective, which `acquisition` has to all digits as logarithms.

References:
    Emmerich, Deutz and Klinkenberg 2011, "Hypervolume-based expected improvement: monotonicity properties and exact
    computation"; Yang and others 2019, "Efficient computation of expected hypervolume improvement using box
    decomposition algorithms" (the boxes).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from dialed.search.front import crowding, non_dominated
from dialed.search.model.acquisition import log_expected_improvement
from dialed.search.model.layout import Array

__all__ = ["Boxes", "log_hypervolume_improvement", "reference_of"]

MOST = 1500
"""Boxes at most. Two objectives need one more than the front has points; with more, a crowded front is thinned."""

AT_ONCE = 400_000
"""Boxes times configurations that are worked on together: what bounds the memory."""

MARGIN = 0.1
"""How far the reference lies beyond the worst point of the front, as a share of the front's width.

The rule of thumb of Ishibuchi and others 2018, "How to specify a reference point in hypervolume calculation".
"""


def reference_of(front: Array, all_losses: Array) -> Array:
    """The worst losses that count, shape `(objectives,)`: a little beyond the front's ends, and no better than those of any trial.

    A front that is one point, or all in one corner, would else count nothing that is traded for it. On three test
    problems the worst trial served better than the median or the upper quartile.

    Args:
        front: Losses, shape `(count, objectives)`, at least one.
        all_losses: Those of all trials, shape `(trials, objectives)`.
    """
    beyond = front.max(axis=0) + MARGIN * np.ptp(front, axis=0)
    return np.asarray(np.maximum(beyond, all_losses.max(axis=0) + 1e-9))


class Boxes:
    """What a front leaves undominated below `reference`, in boxes that do not overlap.

    Attributes:
        edges: For each objective, all edges of boxes, the lowest first and -inf before them.
        low: Index into the edges of each objective, shape `(boxes, objectives)`.
        high: The same for the upper ends.
    """

    def __init__(self, front: Array, reference: Array) -> None:
        inside = front[(front < reference).all(axis=1)]
        points = _thinned(np.unique(inside[non_dominated(inside)], axis=0))
        self.edges = [
            np.concatenate([[-np.inf], np.unique(points[:, place]), [limit]]) for place, limit in enumerate(reference)
        ]
        indices = [np.searchsorted(self.edges[place], points[:, place]) for place in range(len(reference))]
        found = _cut(np.stack(indices, axis=1).reshape(len(points), len(reference)), [len(e) - 1 for e in self.edges])
        self.low, self.high = found[:, 0], found[:, 1]


def log_hypervolume_improvement(means: Array, deviations: Array, boxes: Boxes) -> Array:
    """The logarithm of the expected gain in volume, shape `(count,)`, for predictions of shape `(objectives, count)`."""
    step = max(1, AT_ONCE // len(boxes.low))
    parts = [slice(start, start + step) for start in range(0, means.shape[1], step)]
    return np.concatenate([_gain(means[:, part], deviations[:, part], boxes) for part in parts])


def _gain(means: Array, deviations: Array, boxes: Boxes) -> Array:
    total = np.zeros((len(boxes.low), means.shape[1]))
    for place, edges in enumerate(boxes.edges):
        reached = log_expected_improvement(means[place], deviations[place], edges[1:, None])
        below = np.vstack([np.full(means.shape[1], -np.inf), reached])
        total += _log_difference(below[boxes.high[:, place]], below[boxes.low[:, place]])
    return np.asarray(logsumexp(total, axis=0))


def _log_difference(larger: Array, smaller: Array) -> Array:
    """log(e^larger - e^smaller), where rounding may have made them equal."""
    gap = np.minimum(smaller - larger, -1e-12)
    return np.asarray(larger + np.log(-np.expm1(gap)))


def _cut(points: NDArray[np.int64], ends: list[int]) -> NDArray[np.int64]:
    """Boxes, shape `(boxes, 2, objectives)`, of what `points` leave undominated, all in indices of edges.

    Between two neighbouring values of the last objective, only points below dominate anything, and by their other
    objectives alone: so each such slab is cut as a front of one objective less.
    """
    if len(ends) == 1:
        end = int(points.min()) if len(points) else ends[0]
        return np.array([[[0], [end]]], dtype=np.int64)
    levels = [0, *np.unique(points[:, -1]).tolist(), ends[-1]]
    slabs = []
    for low, high in pairwise(levels):
        below = points[points[:, -1] <= low][:, :-1]
        kept = below[non_dominated(below.astype(np.float64))]
        inner = _cut(np.unique(kept, axis=0), ends[:-1])
        sides = np.broadcast_to(np.array([[low], [high]]), (len(inner), 2, 1))
        slabs.append(np.concatenate([inner, sides], axis=2))
    return np.concatenate(slabs)


def _thinned(points: Array) -> Array:
    """The points themselves, or the most spread of them where they would make too many boxes."""
    most = max(int(MOST ** (1.0 / max(points.shape[1] - 1, 1))), 4)
    return points if len(points) <= most else points[np.argsort(-crowding(points), kind="stable")[:most]]
