"""Domains on a scale: integers and floats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from dialed.errors import SpaceError
from dialed.space._scales import NEAR, Sampling, Scale, scale_of, spread
from dialed.space._values import is_number, plain
from dialed.trial import Value

__all__ = ["Float", "Int"]

SAMPLINGS = ("linear", "log", "reverse_log")


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Int:
    """Integers from `min_value` to `max_value`, both included.

    Args:
        min_value: The smallest.
        max_value: The largest.
        step: The distance of neighbours ("linear"), or their ratio ("log"; for "reverse_log" that of their distances
            from the far end). A linear step must divide the range. Defaults to every integer.
        sampling: Where values are dense: "linear" (evenly), "log" (near `min_value`), "reverse_log" (near `max_value`).
            Defaults to "linear".
        default: The prior: the value of the first trial. Defaults to the smallest.

    Raises:
        SpaceError: The settings contradict each other.

    Example:
        >>> Int(16, 128, step=2, sampling="log").values()
        [16, 32, 64, 128]
    """

    min_value: int
    max_value: int
    step: int | None
    sampling: Sampling
    default: int

    def __init__(
        self,
        min_value: int,
        max_value: int,
        *,
        step: int | None = None,
        sampling: Sampling | None = "linear",
        default: int | None = None,
    ) -> None:
        low, high = _whole(min_value, "min_value"), _whole(max_value, "max_value")
        _set_number(self, low, high, None if step is None else _whole(step, "step"), sampling, default)

    @property
    def size(self) -> int:
        """How many integers."""
        return cast(int, self._scale.size)

    @property
    def categorical(self) -> bool:
        """False: integers have an order."""
        return False

    @property
    def _scale(self) -> Scale:
        return scale_of(self.min_value, self.max_value, self.step, self.sampling)

    def values(self, points: int | None = None) -> list[Value]:
        """All integers in order, or at most `points` of them, spread as `sampling` says."""
        return list(spread(self._scale, _checked_points(points)))

    def contains(self, value: object) -> bool:
        """Whether `value` is one of the integers. 3.0 counts as 3; True is no integer."""
        number = _number(value)
        return number is not None and number == int(number) and number == self._scale.nearest(number)

    def cast(self, value: object) -> int:
        """`value` as a Python int. Raises `SpaceError` where it is outside."""
        _check_inside(self, value)
        return int(cast(float, _number(value)))

    def to_unit(self, value: object) -> float:
        """The value's place in [0, 1], the middle of its cell."""
        return self._scale.to_unit(self.cast(value))

    def from_unit(self, unit: float) -> int:
        """The integer in whose cell `unit` lies."""
        return int(self._scale.from_unit(min(max(unit, 0.0), 1.0)))

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types, for `domain_from_json`."""
        return _number_json("int", self)

    def same_range(self, other: object) -> bool:
        """Whether both hold the same values in the same way, whatever their defaults."""
        return isinstance(other, Int) and _settings(self) == _settings(other)

    def __repr__(self) -> str:
        return _number_repr(self)


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Float:
    """Floats from `min_value` to `max_value`, both included.

    Args:
        min_value: The smallest.
        max_value: The largest.
        step: The distance of neighbours ("linear"), or their ratio ("log", "reverse_log"). A linear step must divide
            the range, so that the upper end is reached. Defaults to every float.
        sampling: Where values are dense: "linear" (evenly), "log" (near `min_value`), "reverse_log" (near `max_value`).
            Defaults to "linear".
        default: The prior: the value of the first trial. Defaults to the smallest.

    Raises:
        SpaceError: The settings contradict each other.

    Example:
        >>> Float(0, 0.5, step=0.1).values()
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    """

    min_value: float
    max_value: float
    step: float | None
    sampling: Sampling
    default: float

    def __init__(
        self,
        min_value: float,
        max_value: float,
        *,
        step: float | None = None,
        sampling: Sampling | None = "linear",
        default: float | None = None,
    ) -> None:
        low, high = _real(min_value, "min_value"), _real(max_value, "max_value")
        _set_number(self, low, high, None if step is None else _real(step, "step"), sampling, default)

    @property
    def size(self) -> int | None:
        """How many floats; `None` without a step."""
        return self._scale.size

    @property
    def categorical(self) -> bool:
        """False: floats have an order."""
        return False

    @property
    def _scale(self) -> Scale:
        return scale_of(self.min_value, self.max_value, self.step, self.sampling)

    def values(self, points: int | None = None) -> list[Value]:
        """All values in order, or at most `points` of them, spread as `sampling` says.

        Raises:
            SpaceError: There is neither a step nor `points`.
        """
        if self.size is None and points is None:
            raise SpaceError(
                f"A list of values needs a range with a `step`. Got {self!r}, which is continuous. "
                f"Give it a `step`, or say how many values to take from it with `points=`."
            )
        return list(spread(self._scale, _checked_points(points)))

    def contains(self, value: object) -> bool:
        """Whether `value` is in the range, and on a step where there are steps (up to rounding)."""
        number = _number(value)
        if number is None:
            return False
        near = 0.0 if self.size is None else NEAR * (self.step or 1.0) if self.sampling == "linear" else 0.0
        return math.isclose(number, self._scale.nearest(number), rel_tol=NEAR if self.size else 0.0, abs_tol=near)

    def cast(self, value: object) -> float:
        """`value` as a Python float, exactly on its step. Raises `SpaceError` where it is outside."""
        _check_inside(self, value)
        return float(self._scale.nearest(cast(float, _number(value))))

    def to_unit(self, value: object) -> float:
        """The value's place in [0, 1]; with steps, the middle of its cell."""
        return self._scale.to_unit(self.cast(value))

    def from_unit(self, unit: float) -> float:
        """The value at `unit`, or in whose cell it lies."""
        return float(self._scale.from_unit(min(max(unit, 0.0), 1.0)))

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types, for `domain_from_json`."""
        return _number_json("float", self)

    def same_range(self, other: object) -> bool:
        """Whether both hold the same values in the same way, whatever their defaults."""
        return isinstance(other, Float) and _settings(self) == _settings(other)

    def __repr__(self) -> str:
        return _number_repr(self)


_Number: TypeAlias = Int | Float


def _set_number(
    domain: _Number, low: float, high: float, step: float | None, sampling: Sampling | None, default: object
) -> None:
    """Check the settings and store them in the frozen `domain`."""
    sampling = _checked_sampling(sampling)
    _check_range(type(domain).__name__, low, high, sampling)
    if step is not None:
        _check_step(low, high, step, sampling)
    settings = {"min_value": low, "max_value": high, "step": step, "sampling": sampling}
    for name, value in settings.items():
        object.__setattr__(domain, name, value)
    object.__setattr__(domain, "default", _checked_default(domain, default))


def _checked_sampling(sampling: str | None) -> Sampling:
    name = "linear" if sampling is None else str(sampling).lower()  # None was KerasTuner's default once
    if name not in SAMPLINGS:
        raise SpaceError(f"`sampling` must be one of {', '.join(SAMPLINGS)}. Got {sampling!r}.")
    return cast(Sampling, name)


def _check_range(kind: str, low: float, high: float, sampling: Sampling) -> None:
    if low >= high:
        raise SpaceError(
            f"`min_value` must be below `max_value`. Got min_value={low}, max_value={high}. "
            f"For a single value, use Fixed({low})."
        )
    if sampling != "linear" and low <= 0:
        raise SpaceError(
            f"`min_value` must be above 0 with sampling={sampling!r}. Got min_value={low}. "
            f"Raise it, or use sampling='linear'."
        )
    if not math.isfinite(high - low):
        raise SpaceError(f"The range of {kind} must have a finite length. Got min_value={low}, max_value={high}.")


def _check_step(low: float, high: float, step: float, sampling: Sampling) -> None:
    if sampling != "linear":
        if step <= 1:
            raise SpaceError(
                f"`step` must be above 1 with sampling={sampling!r}, where it is a factor. Got step={step}. "
                f"Leave it out for every value, or use sampling='linear'."
            )
        return
    if step <= 0:
        raise SpaceError(f"`step` must be above 0. Got step={step}. Leave it out for every value.")
    steps = (high - low) / step
    if steps < 1 - NEAR or abs(steps - round(steps)) > NEAR * max(1.0, steps):
        raise SpaceError(_uneven(low, high, step, steps))


def _uneven(low: float, high: float, step: float, steps: float) -> str:
    below = scale_of(low, low + max(1, math.floor(steps)) * step, step, "linear").from_unit(1.0)
    above = scale_of(low, low + max(1, math.ceil(steps)) * step, step, "linear").from_unit(1.0)
    ends = [f"{end:.12g}" for end in sorted({below, above}) if end > low]
    return (
        f"`step` must divide the range, so that `max_value` can be reached. "
        f"Got min_value={low}, max_value={high}, step={step}. Use max_value={' or '.join(ends)}, or another step."
    )


def _checked_default(domain: _Number, default: object) -> float:
    if default is None:
        return domain._scale.from_unit(0.0)
    if not domain.contains(default):
        raise SpaceError(f"`default` must be a value of {_range(domain)}. Got {default!r}.{_offer(domain, default)}")
    return domain.cast(default)


def _check_inside(domain: _Number, value: object) -> None:
    if not domain.contains(value):
        raise SpaceError(f"A value must be in {_range(domain)}. Got {value!r}.{_offer(domain, value)}")


def _offer(domain: _Number, value: object) -> str:
    number = _number(value)
    return "" if number is None else f" The nearest value is {domain._scale.nearest(number)!r}."


def _whole(value: object, argument: str) -> int:
    number = _number(value)
    if number is None or number != int(number):
        raise SpaceError(f"`{argument}` of an Int must be an integer. Got {value!r}. Use Float for fractions.")
    return int(number)


def _real(value: object, argument: str) -> float:
    number = _number(value)
    if number is None:
        raise SpaceError(f"`{argument}` of a Float must be a finite number. Got {value!r}.")
    return float(number)


def _number(value: object) -> float | None:
    """`value` as a Python int or float; `None` where it is no finite number."""
    try:
        number = plain(value, argument="value")
    except SpaceError:
        return None
    return cast(float, number) if is_number(number) else None


def _checked_points(points: object) -> int | None:
    if points is None:
        return None
    if _number(points) is None or points != int(cast(int, points)) or cast(int, points) < 1:
        raise SpaceError(f"`points` must be an integer of at least 1. Got {points!r}.")
    return int(cast(int, points))


def _settings(domain: _Number) -> tuple[float, float, float | None, str]:
    return domain.min_value, domain.max_value, domain.step, domain.sampling


def _number_json(kind: str, domain: _Number) -> dict[str, Any]:
    low, high, step, sampling = _settings(domain)
    settings = {"type": kind, "min_value": low, "max_value": high, "step": step, "sampling": sampling}
    return {**settings, "default": domain.default}


def _range(domain: _Number) -> str:
    low, high, step, sampling = _settings(domain)
    stepped = "" if step is None else f", step={step}"
    sampled = "" if sampling == "linear" else f", sampling={sampling!r}"
    return f"{type(domain).__name__}({low}, {high}{stepped}{sampled})"


def _number_repr(domain: _Number) -> str:
    default = "" if domain.default == domain._scale.from_unit(0.0) else f", default={domain.default}"
    return f"{_range(domain)[:-1]}{default})"
