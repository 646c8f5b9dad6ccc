"""What a user believes before anything was tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import ndtr, ndtri

from dialed.errors import SpaceError
from dialed.search._names import nearest
from dialed.search.model.layout import Array, Dimension, Layout
from dialed.space import Space
from dialed.trial import Value

__all__ = ["Belief", "Beliefs", "Prior"]

Belief: TypeAlias = Value | tuple[Value, float] | Mapping[Value, float]
"""A value; a value and how far from it the best may be, as a share of the range; or a weight for each choice."""

Prior: TypeAlias = Mapping[str, Belief] | Literal["defaults"] | None

SPREAD = 0.25
"""How far the best may be from a value, as a share of the range, where the user does not say."""

FAVOURED = 3.0
"""How much likelier a named choice is than each other one."""

LEAST = 1e-6
"""No belief makes anything less likely than this share of the uniform distribution."""

STRENGTH = 10.0
"""Trials after which a belief counts as much as the model. Hvarfner and others 2022, "piBO"."""


class Beliefs:
    """The product of a belief for each hyperparameter, relative to the uniform distribution.

    Args:
        layout: Of the space.
        prior: What is believed, by name; "defaults" stands for the default of each.

    Raises:
        SpaceError: A name or a value that the space does not have.
    """

    def __init__(self, layout: Layout, prior: Mapping[str, Belief] | Literal["defaults"]) -> None:
        space = layout.space
        given = {h.name: h.default for h in space} if prior == "defaults" else prior
        _check_names(space, given)
        self._columns = [
            (index, _weights(dimension, given[name]) if dimension.category else _bell(dimension, given[name]))
            for index, dimension in enumerate(layout.dimensions)
            if (name := dimension.hyperparameter.name) in given and dimension.varies
        ]

    def log_density(self, units: Array) -> Array:
        """Shape `(count,)`; what is inactive adds nothing."""
        total = np.zeros(len(units))
        for index, column in self._columns:
            total += np.where(
                np.isnan(units[:, index]), 0.0, column.log_density(np.nan_to_num(units[:, index], nan=0.5))
            )
        return np.maximum(total, np.log(LEAST))

    def drawn(self, points: Array) -> Array:
        """Evenly spread `points`, shape `(count, len(space))`, moved to where they are believed to be good."""
        moved = points.copy()
        for index, column in self._columns:
            moved[:, index] = column.quantile(points[:, index])
        return moved


class _Bell:
    """A normal distribution about a unit, cut off at 0 and 1."""

    def __init__(self, centre: float, spread: float) -> None:
        self.centre = centre
        self.spread = spread
        self.below = float(ndtr(-centre / spread))
        self.mass = float(ndtr((1.0 - centre) / spread)) - self.below

    def log_density(self, units: Array) -> Array:
        z = (units - self.centre) / self.spread
        return np.asarray(-0.5 * z * z - np.log(self.mass * self.spread * np.sqrt(2.0 * np.pi)))

    def quantile(self, shares: Array) -> Array:
        return np.asarray(np.clip(self.centre + self.spread * ndtri(self.below + shares * self.mass), 0.0, 1.0))


class _Weights:
    """A probability for each of the equal cells of the unit interval."""

    def __init__(self, weights: Array) -> None:
        self.shares = weights / weights.sum()

    def log_density(self, units: Array) -> Array:
        place = np.minimum((units * len(self.shares)).astype(int), len(self.shares) - 1)
        return np.asarray(np.log(np.maximum(self.shares * len(self.shares), LEAST))[place])

    def quantile(self, shares: Array) -> Array:
        place = np.searchsorted(np.cumsum(self.shares), shares, side="right")
        return (np.minimum(place, len(self.shares) - 1) + 0.5) / len(self.shares)


def _bell(dimension: Dimension, belief: Belief) -> _Bell:
    if isinstance(belief, Mapping):
        name = dimension.hyperparameter.name
        raise SpaceError(
            f"The `prior` of `{name}`, which has a scale, must be a value or a pair of a value and a share of the "
            f"range. Got {dict(belief)!r}."
        )
    value, spread = belief if isinstance(belief, tuple) else (belief, SPREAD)
    return _Bell(_unit(dimension, value), float(spread))


def _weights(dimension: Dimension, belief: Belief) -> _Weights:
    domain = dimension.hyperparameter.domain
    count = len(domain.values())
    weights = np.zeros(count)
    if not isinstance(belief, Mapping):
        weights += 1.0
        value = belief[0] if isinstance(belief, tuple) else belief
        weights[_cell(dimension, value, count)] = FAVOURED
        return _Weights(weights)
    for value, weight in belief.items():
        weights[_cell(dimension, value, count)] = weight
    return _Weights(weights)


def _cell(dimension: Dimension, value: Value, count: int) -> int:
    return min(int(_unit(dimension, value) * count), count - 1)


def _unit(dimension: Dimension, value: Value) -> float:
    hyperparameter = dimension.hyperparameter
    try:
        return hyperparameter.domain.to_unit(value)
    except SpaceError as error:
        raise SpaceError(f"The `prior` of `{hyperparameter.name}`: {error}") from error


def _check_names(space: Space, given: Mapping[str, Belief]) -> None:
    unknown = [name for name in given if name not in space]
    if unknown:
        raise SpaceError(
            f"The `prior` of Bayesian must name hyperparameters of the space. Got '{unknown[0]}'. "
            f"{nearest(unknown[0], space.names)}"
        )
