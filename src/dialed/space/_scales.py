"""How numbers lie on the unit interval: the arithmetic behind `Int` and `Float`.

A scale is monotone: a larger number never has a smaller place. Finite scales (`Steps`, `Powers`) give each number an
equal cell; `Whole` gives an integer the share of the interval that log sampling gives it; `Line` is continuous.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal, Protocol, TypeAlias

__all__ = ["Centred", "Sampling", "Scale", "scale_of", "spread"]

Sampling: TypeAlias = Literal["linear", "log", "reverse_log"]

NEAR = 1e-9
"""How far a number may lie from a step, in steps, and still mean that step: rounding in decimal fractions."""


class Scale(Protocol):
    """Numbers and their places in [0, 1]."""

    @property
    def size(self) -> int | None: ...
    def at(self, index: int) -> float: ...
    def nearest(self, number: float) -> float: ...
    def holds(self, number: float) -> bool: ...
    def to_unit(self, number: float) -> float: ...
    def from_unit(self, unit: float) -> float: ...


@dataclass(frozen=True, slots=True)
class Steps:
    """`low`, `low + step`, ... `high`, in exact decimals, each in an equal cell."""

    low: float
    high: float
    step: float

    @property
    def size(self) -> int:
        return round((self.high - self.low) / self.step) + 1

    def at(self, index: int) -> float:
        if index == self.size - 1:
            return self.high
        if isinstance(self.low, int) and isinstance(self.step, int):
            return self.low + index * self.step
        return float(Decimal(repr(self.low)) + index * Decimal(repr(self.step)))

    def nearest(self, number: float) -> float:
        return self.at(self._index(number))

    def holds(self, number: float) -> bool:
        if isinstance(self.low, int):
            return number == self.nearest(number)
        return abs(number - self.nearest(number)) <= NEAR * self.step

    def to_unit(self, number: float) -> float:
        return (self._index(number) + 0.5) / self.size

    def from_unit(self, unit: float) -> float:
        return self.at(_cell(unit, self.size))

    def _index(self, number: float) -> int:
        return min(max(round((number - self.low) / self.step), 0), self.size - 1)


@dataclass(frozen=True, slots=True)
class Powers:
    """Numbers a constant factor apart (`log`), or their mirror image (`reverse_log`), each in an equal cell."""

    numbers: tuple[float, ...]

    @property
    def size(self) -> int:
        return len(self.numbers)

    def at(self, index: int) -> float:
        return self.numbers[index]

    def nearest(self, number: float) -> float:
        return min(self.numbers, key=lambda other: abs(other - number))

    def holds(self, number: float) -> bool:
        return math.isclose(number, self.nearest(number), rel_tol=NEAR)

    def to_unit(self, number: float) -> float:
        return (self.numbers.index(self.nearest(number)) + 0.5) / self.size

    def from_unit(self, unit: float) -> float:
        return self.numbers[_cell(unit, self.size)]


@dataclass(frozen=True, slots=True)
class Line:
    """Every float from `low` to `high`."""

    low: float
    high: float
    sampling: Sampling

    @property
    def size(self) -> None:
        return None

    def at(self, index: int) -> float:
        raise IndexError(index)

    def nearest(self, number: float) -> float:
        return min(max(number, self.low), self.high)

    def holds(self, number: float) -> bool:
        return self.low <= number <= self.high

    def to_unit(self, number: float) -> float:
        if number <= self.low or number >= self.high:  # the ends are exact, whatever logarithms make of them
            return float(number >= self.high)
        if self.sampling == "linear":
            unit = (number - self.low) / (self.high - self.low)
        elif self.sampling == "log":
            unit = math.log(number / self.low) / math.log(self.high / self.low)
        else:
            unit = 1.0 - math.log((self.high + self.low - number) / self.low) / math.log(self.high / self.low)
        return min(max(unit, 0.0), 1.0)

    def from_unit(self, unit: float) -> float:
        if unit in (0.0, 1.0):
            return self.high if unit else self.low
        if self.sampling == "linear":
            number = self.low + unit * (self.high - self.low)
        elif self.sampling == "log":
            number = self.low * (self.high / self.low) ** unit
        else:
            number = self.high + self.low - self.low * (self.high / self.low) ** (1.0 - unit)
        return self.nearest(number)


@dataclass(frozen=True, slots=True)
class Centred:
    """A line with the middle half of its places between two numbers: more where values are expected, none left out.

    Each part is as `line` has it. Where an end of the line is an end of the middle, the part beyond it falls away, and
    its places go to the middle.
    """

    line: Line
    low: float
    high: float

    @property
    def size(self) -> None:
        return None

    def at(self, index: int) -> float:
        raise IndexError(index)

    def nearest(self, number: float) -> float:
        return self.line.nearest(number)

    def holds(self, number: float) -> bool:
        return self.line.holds(number)

    def to_unit(self, number: float) -> float:
        return _bent(self.line.to_unit(number), *self._knots())

    def from_unit(self, unit: float) -> float:
        places, units = self._knots()
        return self.line.from_unit(_bent(unit, units, places))

    def _knots(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Places on the line, rising, and where they go."""
        inner = ((self.line.to_unit(self.low), 0.25), (self.line.to_unit(self.high), 0.75))
        kept = [(place, unit) for place, unit in inner if 0.0 < place < 1.0]
        return (0.0, *(place for place, _ in kept), 1.0), (0.0, *(unit for _, unit in kept), 1.0)


def _bent(value: float, places: tuple[float, ...], units: tuple[float, ...]) -> float:
    """Between neighbouring `places` in a straight line between their `units`."""
    i = next(i for i in range(1, len(places)) if value <= places[i] or i == len(places) - 1)
    share = (value - places[i - 1]) / (places[i] - places[i - 1])
    return min(max(units[i - 1] + share * (units[i] - units[i - 1]), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Whole:
    """Every integer from `low` to `high` under log sampling: n has the share of [n, n + 1) in [low, high + 1)."""

    low: int
    high: int
    reverse: bool

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def at(self, index: int) -> int:
        return self.low + index

    def nearest(self, number: float) -> int:
        return min(max(round(number), self.low), self.high)

    def holds(self, number: float) -> bool:
        return number == self.nearest(number)

    def to_unit(self, number: float) -> float:
        inner = self._mirror(self.nearest(number)) + 0.5
        unit = math.log(inner / self.low) / math.log((self.high + 1) / self.low)
        return 1.0 - unit if self.reverse else unit

    def from_unit(self, unit: float) -> int:
        number = math.floor(self.low * ((self.high + 1) / self.low) ** (1.0 - unit if self.reverse else unit))
        return self._mirror(min(max(number, self.low), self.high))

    def _mirror(self, number: int) -> int:
        return self.low + self.high - number if self.reverse else number


@lru_cache(maxsize=4096, typed=True)
def scale_of(
    low: float, high: float, step: float | None, sampling: Sampling, prior: tuple[float, float] | None = None
) -> Scale:
    """The scale of these settings; integers give integers. The settings must be valid."""
    if prior is not None:
        return Centred(Line(low, high, sampling), *prior)
    if step is not None:
        return Steps(low, high, step) if sampling == "linear" else Powers(_powers(low, high, step, sampling))
    if isinstance(low, int) and isinstance(high, int):
        return Steps(low, high, 1) if sampling == "linear" else Whole(low, high, sampling == "reverse_log")
    return Line(low, high, sampling)


def spread(scale: Scale, points: int | None) -> list[float]:
    """All numbers of a scale, or at most `points` of them, evenly spread and with both ends. In ascending order."""
    if scale.size is not None and (points is None or points >= scale.size):
        return [scale.at(index) for index in range(scale.size)]
    if points is None:
        raise ValueError("An open scale has no list of numbers.")
    units = [0.5] if points == 1 else [i / (points - 1) for i in range(points)]
    numbers = [scale.from_unit(unit) for unit in units]
    if scale.size is None:
        numbers = [scale.nearest(float(f"{number:.12g}")) for number in numbers]
    return sorted(set(numbers))


def _powers(low: float, high: float, step: float, sampling: Sampling) -> tuple[float, ...]:
    count = int(math.log(high / low) / math.log(step) + NEAR) + 1
    if isinstance(low, int) and isinstance(step, int):
        rising: list[float] = [low * step**i for i in range(count)]
    else:
        rising = [float(Decimal(repr(low)) * Decimal(repr(step)) ** i) for i in range(count)]
    if math.isclose(rising[-1], high, rel_tol=NEAR):
        rising[-1] = high
    if sampling == "log":
        return tuple(rising)
    return tuple(_mirrored(low, high, number) for number in reversed(rising))


def _mirrored(low: float, high: float, number: float) -> float:
    if isinstance(number, int):
        return low + high - number
    return float(Decimal(repr(low)) + Decimal(repr(high)) - Decimal(repr(number)))


def _cell(unit: float, count: int) -> int:
    return min(max(int(unit * count), 0), count - 1)
