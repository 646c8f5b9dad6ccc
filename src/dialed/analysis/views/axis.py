"""One hyperparameter as an axis: its values lie in [0, 1] on its own scale, and ticks say what lies where.

A drawing needs no scale of its own: logarithms, mirrored logarithms, steps and categories are places with labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from dialed.errors import SpaceError
from dialed.observe.text import format_value
from dialed.space import Domain, Hyperparameter, Space
from dialed.trial import Trial, Value

__all__ = ["Axis", "Tick", "axis_of", "places_of", "varying"]

MOST_TICKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A label at a place in [0, 1]."""

    place: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One hyperparameter.

    Attributes:
        name: Its name.
        kind: "number", or "category" where values have no order.
        sampling: "linear", "log" or "reverse_log"; "linear" for a category.
        ticks: From 0 to 1.
        optional: Whether it may be inactive; a place is then `None`.
    """

    name: str
    kind: Literal["number", "category"]
    sampling: str
    ticks: tuple[Tick, ...]
    optional: bool


def axis_of(hyperparameter: Hyperparameter, trials: Sequence[Trial] = ()) -> Axis:
    """The axis of one hyperparameter, as `trials` have it."""
    domain = hyperparameter.domain
    return Axis(
        name=hyperparameter.name,
        kind="category" if domain.categorical else "number",
        sampling=getattr(domain, "sampling", "linear"),
        ticks=tuple(Tick(place=domain.to_unit(v), text=format_value(v)) for v in _shown(hyperparameter)),
        optional=bool(hyperparameter.conditions) or any(hyperparameter.name not in trial.values for trial in trials),
    )


def varying(space: Space) -> list[Hyperparameter]:
    """The hyperparameters that have more than one value."""
    return [h for h in space if h.domain.size != 1]


def places_of(hyperparameter: Hyperparameter, trials: Sequence[Trial]) -> tuple[float | None, ...]:
    """Where each trial lies on the axis; `None` where inactive, or outside of a range that has changed since."""
    name, domain = hyperparameter.name, hyperparameter.domain
    known: dict[tuple[type, Value], float | None] = {}
    found: list[float | None] = []
    for trial in trials:
        value = trial.values.get(name)
        key = (type(value), value)
        if name not in trial.values:
            found.append(None)
            continue
        if key not in known:
            known[key] = _place(domain, value)
        found.append(known[key])
    return tuple(found)


def _place(domain: Domain, value: Value) -> float | None:
    try:
        return float(domain.to_unit(value))
    except SpaceError:  # outside: to ask beforehand would take twice as long, over 10,000 trials
        return None


def _shown(hyperparameter: Hyperparameter) -> list[Value]:
    domain = hyperparameter.domain
    if domain.categorical or (domain.size is not None and domain.size <= MOST_TICKS):
        return domain.values()
    ends = domain.from_unit(0.0), domain.from_unit(1.0)
    low, high = (float(end or 0.0) for end in ends)
    if domain.size is not None and (getattr(domain, "step", None) is not None):
        return _spread(domain.values(), MOST_TICKS)
    match getattr(domain, "sampling", "linear"):
        case "log" if high >= 10 * low:
            wanted = _round_powers(low, high)
        case "reverse_log" if high >= 10 * low:
            wanted = [low + high - number for number in _round_powers(low, high)]
        case _:
            wanted = _round_steps(low, high)
    whole = isinstance(ends[0], int)
    fitting = {domain.to_unit(v): domain.cast(v) for n in wanted if domain.contains(v := round(n) if whole else n)}
    return [fitting[place] for place in sorted(fitting)] if len(fitting) > 1 else [ends[0], ends[1]]


def _spread(values: list[Value], most: int) -> list[Value]:
    """At most `most` of `values`, evenly spread."""
    stride = math.ceil((len(values) - 1) / (most - 1))
    return values[::stride]


def _round_steps(low: float, high: float) -> list[float]:
    """Round numbers in [low, high] at distances of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def _round_powers(low: float, high: float) -> list[float]:
    """Powers of ten in [low, high]; under two of them, 1, 2 and 5 times these."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    stride = max(1, math.ceil((last - first) / MOST_TICKS))
    powers = [float(f"1e{i}") for i in range(first, last + 1, stride) if low <= float(f"1e{i}") <= high]
    if len(powers) > 2:
        return powers
    finer = [f * 10.0**i for i, f in product(range(first, last + 1), (1, 2, 5))]
    return [float(f"{number:.12g}") for number in finer if low <= number <= high]
