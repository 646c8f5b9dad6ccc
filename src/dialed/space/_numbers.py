"""Domains on a scale: integers and floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from dialed.errors import SpaceError
from dialed.space._ranges import checked_points, checked_prior, checked_settings, number_of, real, whole
from dialed.space._scales import Sampling, Scale, scale_of, spread
from dialed.trial import Value

__all__ = ["Float", "Int"]


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
        sampling: str | None = "linear",
        default: int | None = None,
    ) -> None:
        low, high = whole(min_value, "min_value"), whole(max_value, "max_value")
        _set_number(self, low, high, None if step is None else whole(step, "step"), sampling, default)

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
        return list(spread(self._scale, checked_points(points)))

    def contains(self, value: object) -> bool:
        """Whether `value` is one of the integers. 3.0 counts as 3; True is no integer."""
        number = number_of(value)
        return number is not None and self._scale.holds(number)

    def cast(self, value: object) -> int:
        """`value` as a Python int. Raises `SpaceError` where it is outside."""
        _check_inside(self, value)
        return int(cast(float, number_of(value)))

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
        default: The value of the first trial. Defaults to the smallest; with a prior, to its middle.
        prior: Where good values are expected: half of the values that are tried lie between these two. Or "range_test", for
            a learning rate: a search begins with `dialed.lr_range_test`, and what that finds is the prior, and the
            default where none is given. Defaults to none.

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
    prior: Prior | None

    def __init__(
        self,
        min_value: float,
        max_value: float,
        *,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        prior: Any = None,
    ) -> None:
        low, high = real(min_value, "min_value"), real(max_value, "max_value")
        object.__setattr__(self, "prior", checked_prior(prior, low, high, step, sampling))
        _set_number(self, low, high, None if step is None else real(step, "step"), sampling, default)

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
        prior = None if self.prior == "range_test" else self.prior  # not known yet
        return scale_of(self.min_value, self.max_value, self.step, self.sampling, prior)

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
        return list(spread(self._scale, checked_points(points)))

    def contains(self, value: object) -> bool:
        """Whether `value` is in the range, and on a step where there are steps (up to rounding)."""
        number = number_of(value)
        return number is not None and self._scale.holds(number)

    def cast(self, value: object) -> float:
        """`value` as a Python float, exactly on its step. Raises `SpaceError` where it is outside."""
        _check_inside(self, value)
        return float(self._scale.nearest(cast(float, number_of(value))))

    def to_unit(self, value: object) -> float:
        """The value's place in [0, 1]; with steps, the middle of its cell."""
        return self._scale.to_unit(self.cast(value))

    def from_unit(self, unit: float) -> float:
        """The value at `unit`, or in whose cell it lies."""
        return float(self._scale.from_unit(min(max(unit, 0.0), 1.0)))

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types, for `domain_from_json`."""
        prior = {} if self.prior is None else {"prior": self.prior if isinstance(self.prior, str) else list(self.prior)}
        return {**_number_json("float", self), **prior}

    def same_range(self, other: object) -> bool:
        """Whether both hold the same values in the same way, whatever their defaults and priors."""
        return isinstance(other, Float) and _settings(self) == _settings(other)

    def __repr__(self) -> str:
        return _number_repr(self)


_Number: TypeAlias = Int | Float
Prior: TypeAlias = tuple[float, float] | Literal["range_test"]


def _set_number(
    domain: _Number, low: float, high: float, step: float | None, sampling: str | None, default: object
) -> None:
    """Check the settings and store them in the frozen `domain`."""
    for name, value in checked_settings(low, high, step, sampling).items():
        object.__setattr__(domain, name, value)
    object.__setattr__(domain, "default", _checked_default(domain, default))


def _checked_default(domain: _Number, default: object) -> float:
    if default is None:
        return _plain_default(domain)
    if not domain.contains(default):
        raise SpaceError(f"`default` must be a value of {_range(domain)}. Got {default!r}.{_offer(domain, default)}")
    return domain.cast(default)


def _plain_default(domain: _Number) -> float:
    """The default where none is given."""
    return domain.from_unit(0.5 if isinstance(domain, Float) and isinstance(domain.prior, tuple) else 0.0)


def _check_inside(domain: _Number, value: object) -> None:
    if not domain.contains(value):
        raise SpaceError(f"A value must be in {_range(domain)}. Got {value!r}.{_offer(domain, value)}")


def _offer(domain: _Number, value: object) -> str:
    number = number_of(value)
    return "" if number is None else f" The nearest value is {domain._scale.nearest(number)!r}."


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
    default = "" if domain.default == _plain_default(domain) else f", default={domain.default}"
    prior = f", prior={domain.prior!r}" if isinstance(domain, Float) and domain.prior is not None else ""
    return f"{_range(domain)[:-1]}{default}{prior})"
