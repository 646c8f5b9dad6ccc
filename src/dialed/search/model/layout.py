"""How the configurations of a space lie as points whose distances a kernel can use.

Two arrays stand for many configurations at once. *Units*, shape `(count, len(space))`, are what `Space.encode` gives:
numbers in [0, 1], NaN where inactive. *Features*, shape `(count, width)`, are coordinates whose squared Euclidean
distance is a sum over hyperparameters:

- a number: the square of the difference on its own scale, where the two ends are 1 apart;
- a category: 1 where the choices differ;
- what is active in one configuration and inactive in the other: 1, whatever its value.

For the last one, a number that may be inactive lies on an arc of length 1 and radius 1, and its inactive state in the
centre. So every kernel that is positive definite in Euclidean space is so here, and all distances cost one matrix
product.

References:
    Hutter and Osborne 2013, "A kernel for hierarchical parameter spaces" (the arc).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialed.space import Condition, Hyperparameter, Space
from dialed.trial import Value

__all__ = ["Array", "Dimension", "Layout"]

Array = NDArray[np.float64]

MOST_CELLS = 1024
"""A finite range with more values than this is laid out as if it were continuous."""

FEW_CELLS = 5
"""A number with so few values has no neighbourhood: a trust region leaves it free, and it is redrawn as a category."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dimension:
    """One hyperparameter: `cells` are the units of its values (`None` where it is continuous), in order."""

    hyperparameter: Hyperparameter
    cells: Array | None
    low: float
    high: float
    conditions: tuple[tuple[int, Condition], ...]

    @property
    def category(self) -> bool:
        """Whether its values have no order."""
        return self.hyperparameter.domain.categorical

    @property
    def varies(self) -> bool:
        """Whether it has more than one value."""
        return self.high > self.low

    @property
    def jumps(self) -> bool:
        """Whether it is changed by drawing another value, not by a step."""
        return self.category or (self.cells is not None and len(self.cells) <= FEW_CELLS)

    def index(self, units: Array) -> NDArray[np.int64]:
        """The index of the value at each of `units`; 0 where NaN."""
        if self.cells is None:
            raise TypeError("A continuous range has no cells.")
        known = np.nan_to_num(units, nan=self.low)
        return np.searchsorted((self.cells[1:] + self.cells[:-1]) / 2, known, side="right").astype(np.int64)

    def snap(self, units: Array) -> Array:
        """The units of the values that are nearest to `units`."""
        return units if self.cells is None else self.cells[self.index(units)]

    def allows(self, condition: Condition, units: Array) -> NDArray[np.bool_]:
        """Where the values at `units` meet a condition that names this dimension."""
        if self.cells is None:
            return np.array([condition.allows(self._value(unit)) for unit in units], dtype=bool)
        return np.array([condition.allows(self._value(cell)) for cell in self.cells], dtype=bool)[self.index(units)]

    def _value(self, unit: float) -> Value:
        return None if np.isnan(unit) else self.hyperparameter.domain.from_unit(float(unit))


class Layout:
    """The layout of one space.

    Attributes:
        owner: For each feature, the index of the hyperparameter that it belongs to, among those that vary.
        size: How many hyperparameters vary.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.dimensions = _dimensions(space)
        varying = [dimension for dimension in self.dimensions if dimension.varies]
        self.size = len(varying)
        self.owner = np.repeat(np.arange(self.size), [_width(dimension) for dimension in varying])
        self.jumps = np.array([d.jumps for d in self.dimensions], dtype=bool)
        self.stepwise = np.array([d.varies and not d.jumps for d in self.dimensions], dtype=bool)
        self.varying = np.array([d.varies for d in self.dimensions], dtype=bool)

    def snap(self, points: Array) -> Array:
        """Units of the configurations nearest to `points`, shape `(count, len(space))`, anywhere in space."""
        units = np.clip(points, 0.0, 1.0)
        for index, dimension in enumerate(self.dimensions):
            units[:, index] = dimension.snap(units[:, index])
        units[~self.active(units)] = np.nan
        return units

    def active(self, units: Array) -> NDArray[np.bool_]:
        """What is active, where `units` has a value for every hyperparameter."""
        active = np.ones(units.shape, dtype=bool)
        for index, dimension in enumerate(self.dimensions):
            for parent, condition in dimension.conditions:
                allowed = self.dimensions[parent].allows(condition, units[:, parent])
                active[:, index] &= active[:, parent] & allowed
        return active

    def features(self, units: Array) -> Array:
        """Coordinates, shape `(count, len(owner))`, of the configurations at `units`."""
        columns = [_features(d, units[:, i]) for i, d in enumerate(self.dimensions) if d.varies]
        return np.hstack(columns) if columns else np.zeros((len(units), 0))

    def uniform(self, rng: np.random.Generator, count: int) -> Array:
        """Units of `count` configurations, each hyperparameter uniform on its own scale."""
        return self.snap(rng.random((count, len(self.dimensions))))

    def filled(self, units: Array, rng: np.random.Generator) -> Array:
        """`units` with a random value for whatever is inactive."""
        return np.where(np.isnan(units), rng.random(units.shape), units)

    def keys(self, units: Array) -> list[Hashable]:
        """Something that tells rows of `units` apart."""
        return [row.tobytes() for row in np.nan_to_num(units, nan=-1.0)]


def _dimensions(space: Space) -> list[Dimension]:
    places = {name: index for index, name in enumerate(space.names)}
    dimensions = []
    for hyperparameter in space:
        domain = hyperparameter.domain
        listed = domain.size is not None and domain.size <= MOST_CELLS
        cells = np.array([domain.to_unit(value) for value in domain.values()]) if listed else None
        ends = (domain.to_unit(domain.from_unit(end)) for end in (0.0, 1.0)) if cells is None else (cells[0], cells[-1])
        low, high = (float(end) for end in ends)
        conditions = tuple((places[condition.parent], condition) for condition in hyperparameter.conditions)
        dimensions.append(
            Dimension(hyperparameter=hyperparameter, cells=cells, low=low, high=high, conditions=conditions)
        )
    return dimensions


def _width(dimension: Dimension) -> int:
    conditional = bool(dimension.conditions)
    if dimension.category and dimension.cells is not None:
        return len(dimension.cells) + conditional
    return 1 + conditional


def _features(dimension: Dimension, units: Array) -> Array:
    if dimension.category and dimension.cells is not None:
        place = np.where(np.isnan(units), len(dimension.cells), dimension.index(units))
        return np.asarray(np.sqrt(0.5) * (place[:, None] == np.arange(_width(dimension))))
    place = (units - dimension.low) / (dimension.high - dimension.low)
    if not dimension.conditions:
        return np.asarray(place[:, None])
    return np.asarray(np.nan_to_num(np.column_stack([np.cos(place), np.sin(place)]), nan=0.0))
