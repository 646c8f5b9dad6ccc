"""What varies on a scale: integers and floats."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dialed.keras_tuner.engine.hyperparameter import HyperParameter
from dialed.space import domains
from dialed.space.domains import Domain

__all__ = ["Float", "Int", "Numerical"]

_SAMPLINGS = ("linear", "log", "reverse_log")
_SAMPLES = 10
"""Values that stand for a range without steps."""


class Numerical(HyperParameter):
    """What `Int` and `Float` share.

    Raises:
        ValueError: The settings contradict each other.
    """

    def __init__(
        self,
        name: str,
        min_value: Any,
        max_value: Any,
        step: Any = None,
        sampling: str | None = "linear",
        default: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, default=default, **kwargs)
        self.min_value = min_value
        self.max_value = max_value
        self.step = step
        self.sampling = "linear" if sampling is None else sampling.lower()
        self._check()

    def _check(self) -> None:
        where = f"for hp.{type(self).__name__}('{self.name}')"
        if self.sampling not in _SAMPLINGS:
            raise ValueError(
                f"`sampling` is not known {where}: sampling must be one of {', '.join(_SAMPLINGS)}. Got {self.sampling!r}."
            )
        if self.min_value > self.max_value:
            raise ValueError(
                f"`min_value` must not be above `max_value` {where}: min_value {self.min_value} is greater than the "
                f"max_value {self.max_value}."
            )
        if self.sampling != "linear" and self.min_value <= 0:
            raise ValueError(
                f"`min_value` must be above 0 {where}: sampling='{self.sampling}' does not support negative values or "
                f"0. Got {self.min_value}."
            )
        if self.sampling != "linear" and self.step is not None and self.step <= 1:
            raise ValueError(
                f"`step` is a factor with sampling='{self.sampling}', expected step > 1 {where}. Got {self.step}."
            )
        if self.step is not None and self.step <= 0:
            raise ValueError(f"`step` must be above 0 {where}. Got {self.step}.")

    @property
    def default(self) -> Any:
        """The value of the first trial: the smallest, where none was given."""
        return self.min_value if self._default is None else self._default

    @property
    def values(self) -> tuple[Any, ...]:
        """All values; of a range without steps ten that are spread over it."""
        domain = self.domain
        if self.step is not None:
            return tuple(domain.values())
        return tuple(sorted({domain.from_unit((i + 0.5) / _SAMPLES) for i in range(_SAMPLES)}))

    def prob_to_value(self, prob: float) -> Any:
        """The value in whose share of [0, 1) `prob` lies; with steps in "reverse_log" the largest comes first."""
        return super().prob_to_value(1.0 - prob if self._from_above else prob)

    def value_to_prob(self, value: Any) -> float:
        """The middle of the value's share of [0, 1)."""
        found = super().value_to_prob(value)
        return 1.0 - found if self._from_above else found

    @property
    def _from_above(self) -> bool:
        """Whether steps are counted from the largest value, as KerasTuner counts them."""
        return self.step is not None and self.sampling == "reverse_log"

    @property
    def _reached(self) -> Any:
        """The largest value: with linear steps that do not divide the range it lies below `max_value`."""
        if self.step is None or self.sampling != "linear":
            return self.max_value
        low, high, step = (Decimal(repr(number)) for number in (self.min_value, self.max_value, self.step))
        whole = int((high - low) / step + Decimal("1e-9"))
        return type(self.max_value)(low + whole * step)

    def _domain(self, kind: Any) -> Domain:
        """The domain of the class `kind`; one value alone is a constant."""
        low, high = self.min_value, self._reached
        if low == high:
            return domains.Fixed(low)
        settings = {"step": self.step, "sampling": self.sampling}
        domain = kind(low, high, **settings)
        inside = min(max(self.default, low), high)
        nearest = (
            domain.from_unit(domain.to_unit(inside)) if not domain.contains(inside) and self.step is None else inside
        )
        return kind(low, high, **settings, default=nearest if domain.contains(nearest) else low)  # type: ignore[no-any-return]

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again, as JSON types."""
        settings = ("min_value", "max_value", "step", "sampling")
        return super().get_config() | {name: getattr(self, name) for name in settings}


class Int(Numerical):
    """Integers from `min_value` to `max_value`, both included.

    Args:
        name: The name.
        min_value: The smallest.
        max_value: The largest.
        step: The distance of neighbours, or their ratio where `sampling` is not "linear". Defaults to every integer.
        sampling: "linear", "log" or "reverse_log". Defaults to "linear".
        default: Defaults to `min_value`.

    Raises:
        ValueError: The settings contradict each other.
    """

    def __init__(
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        **kwargs: Any,
    ) -> None:
        if step is not None:
            step = _whole(step, "step")
        elif sampling is None or sampling.lower() == "linear":
            step = 1
        super().__init__(
            name, _whole(min_value, "min_value"), _whole(max_value, "max_value"), step, sampling, default, **kwargs
        )

    @property
    def domain(self) -> Domain:
        """The same values as Dialed's strategies and engines see them."""
        return self._domain(domains.Int)

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again, as JSON types."""
        return super().get_config() | {"default": self._default}

    def __repr__(self) -> str:
        return (
            f"Int(name: '{self.name}', min_value: {self.min_value}, max_value: {self.max_value}, step: {self.step}, "
            f"sampling: {self.sampling}, default: {self.default})"
        )


class Float(Numerical):
    """Floats from `min_value` to `max_value`, both included.

    Args:
        name: The name.
        min_value: The smallest.
        max_value: The largest.
        step: The distance of neighbours, or their ratio where `sampling` is not "linear". Defaults to every float.
        sampling: "linear", "log" or "reverse_log". Defaults to "linear".
        default: Defaults to `min_value`.

    Raises:
        ValueError: The settings contradict each other.
    """

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        **kwargs: Any,
    ) -> None:
        ends = float(min_value), float(max_value)
        super().__init__(name, *ends, None if step is None else float(step), sampling, default, **kwargs)

    @property
    def domain(self) -> Domain:
        """The same values as Dialed's strategies and engines see them."""
        return self._domain(domains.Float)

    def __repr__(self) -> str:
        return (
            f"Float(name: '{self.name}', min_value: '{self.min_value}', max_value: '{self.max_value}', "
            f"step: '{self.step}', sampling: '{self.sampling}', default: '{self.default}')"
        )


def _whole(value: Any, argument: str) -> int:
    if int(value) != value:
        raise ValueError(
            f"`{argument}` must be an int. Got {value!r} ({type(value).__name__}). Use Float for fractions."
        )
    return int(value)
