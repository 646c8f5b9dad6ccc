"""Functional ANOVA: which part of the variance over the whole space each hyperparameter, and each pair, explains.

A forest of regression trees stands in for the objective. A tree is constant on boxes, so its means over all other
hyperparameters are sums over leaves, exactly: with leaves l of value c_l and the share m_ld of hyperparameter d's range
that leaf l covers,

    f_d(x) = sum_l c_l [x in l along d] prod_{e != d} m_le,        V_d = Var_x f_d(x),

and likewise for pairs, less what their two members explain alone. A hyperparameter that is inactive in a trial gets a
random value there, another one in each tree: so the forest learns that it has no effect there, and the parts refer to
independent uniform draws of all hyperparameters.

References:
    Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter importance".
    Breiman 2001, "Random forests".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dialed.analysis.observations import Observations
from dialed.search.model.layout import Array, Dimension

__all__ = ["Parts", "parts_of"]

_FEATURES_AT_A_SPLIT = 0.7
"""Which part of the columns a split may choose from: trees that differ make a better mean."""


class Parts(NamedTuple):
    """Shares of the variance: `alone` of shape `(varying,)`, `pairs` one for each pair of these, in order, if asked."""

    alone: Array
    pairs: Array


class _Side(NamedTuple):
    """One hyperparameter as a tree sees it: which states each leaf covers, and how likely each state is."""

    covers: Array  # (leaves, states), 0 or 1
    masses: Array  # (states,)


def parts_of(seen: Observations, rng: np.random.Generator, *, trees: int, pairs: bool = True) -> Parts:
    """The mean over `trees` trees, each of a bootstrap sample of the trials; without `pairs`, for each alone only."""
    found = [parts for parts in (_parts(seen, rng, pairs=pairs) for _ in range(trees)) if parts is not None]
    size = len(seen.varying)
    if not found:
        return Parts(np.zeros(size), np.zeros(size * (size - 1) // 2 if pairs else 0))
    alone, joint = zip(*found, strict=True)
    return Parts(np.mean(alone, axis=0), np.mean(joint, axis=0))


def _parts(seen: Observations, rng: np.random.Generator, *, pairs: bool) -> Parts | None:
    """What one tree says; `None` where it is constant."""
    from sklearn.tree import DecisionTreeRegressor

    units = seen.layout.filled(seen.units, rng)
    columns, owners = _columns(seen, units)
    rows = rng.integers(len(columns), size=len(columns))
    tree = DecisionTreeRegressor(max_features=_FEATURES_AT_A_SPLIT, random_state=int(rng.integers(2**31)))
    tree.fit(columns[rows], seen.losses[rows])
    low, high, values = _leaves(tree.tree_, columns.shape[1])
    sides = [
        _side(seen.layout.dimensions[index], low[:, owners == place], high[:, owners == place])
        for place, index in enumerate(seen.varying)
    ]
    return _variances(sides, values, pairs=pairs)


def _columns(seen: Observations, units: Array) -> tuple[Array, NDArray[np.int64]]:
    """What a tree splits: a column for a number, one for each choice of a category; and whose each column is."""
    columns: list[Array] = []
    owners: list[int] = []
    for place, index in enumerate(seen.varying):
        dimension = seen.layout.dimensions[index]
        if dimension.category and dimension.cells is not None:
            chosen = dimension.index(units[:, index])[:, None] == np.arange(len(dimension.cells))
            columns.extend(chosen.T.astype(float))
            owners.extend([place] * len(dimension.cells))
        else:
            columns.append(dimension.snap(units[:, index]))
            owners.append(place)
    return np.column_stack(columns), np.array(owners)


def _leaves(tree: Any, width: int) -> tuple[Array, Array, Array]:
    """The boxes of the leaves (lower and upper bounds, shape `(leaves, width)`), and their values."""
    found: list[tuple[Array, Array, float]] = []
    stack = [(0, np.full(width, -np.inf), np.full(width, np.inf))]
    while stack:
        node, low, high = stack.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == right:
            found.append((low, high, float(tree.value[node].ravel()[0])))
            continue
        column, threshold = int(tree.feature[node]), float(tree.threshold[node])
        below, above = high.copy(), low.copy()
        below[column], above[column] = min(high[column], threshold), max(low[column], threshold)
        stack += [(left, low, below), (right, above, high)]
    lows, highs, values = zip(*found, strict=True)
    return np.array(lows), np.array(highs), np.array(values)


def _side(dimension: Dimension, low: Array, high: Array) -> _Side:
    if dimension.category and dimension.cells is not None:
        one = np.eye(len(dimension.cells))
        inside = (low[:, None, :] < one) & (one <= high[:, None, :])
        return _even(np.asarray(inside.all(axis=2)))
    if dimension.cells is not None:
        return _even(np.asarray((low < dimension.cells) & (dimension.cells <= high)))
    bounds = np.concatenate([low, high]).ravel()
    inner = bounds[(bounds > dimension.low) & (bounds < dimension.high)]
    edges = np.unique(np.concatenate([[dimension.low, dimension.high], inner]))
    middles, masses = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / (dimension.high - dimension.low)
    return _Side(((low < middles) & (middles <= high)).astype(float), masses)


def _even(covers: NDArray[np.bool_]) -> _Side:
    return _Side(covers.astype(float), np.full(covers.shape[1], 1.0 / covers.shape[1]))


def _variances(sides: Sequence[_Side], values: Array, *, pairs: bool) -> Parts | None:
    shares = np.column_stack([side.covers @ side.masses for side in sides])  # (leaves, varying)
    whole = np.asarray(shares.prod(axis=1))
    values = values - values @ whole  # so that all means are 0
    total = float(values**2 @ whole)
    if total <= 1e-300:
        return None
    alone = np.array([_main(side, values * _without(shares, [i])) for i, side in enumerate(sides)])
    joint = _joint(sides, values, shares) if pairs else ()
    extra = np.array([both - alone[i] - alone[j] for i, j, both in joint])
    return Parts(alone / total, np.maximum(extra, 0.0) / total)


def _without(shares: Array, left_out: Sequence[int]) -> Array:
    return np.asarray(np.delete(shares, left_out, axis=1).prod(axis=1))


def _main(side: _Side, weights: Array) -> float:
    return float((weights @ side.covers) ** 2 @ side.masses)


def _joint(sides: Sequence[_Side], values: Array, shares: Array) -> Iterator[tuple[int, int, float]]:
    """For each pair, the variance that its two members explain together."""
    for i, j in combinations(range(len(sides)), 2):
        weights = values * _without(shares, [i, j])
        surface = (sides[i].covers * weights[:, None]).T @ sides[j].covers
        yield i, j, float(sides[i].masses @ surface**2 @ sides[j].masses)
