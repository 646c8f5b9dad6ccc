"""Optuna's distributions as domains of Dialed, and their values there and back.

Choices and steps are told by their place: a choice may be any object, two of them may be equal to Python (1 and True),
and a step of 0.1 need not hit the upper end in floating point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from dialed.errors import SpaceError
from dialed.space import Choice, Domain, Float, Int
from dialed.trial import Value

__all__ = ["Range", "range_of"]

Number = TypeVar("Number", Int, Float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A distribution of Optuna and the domain that stands for it. `step` is the distance of numbers told by their place."""

    distribution: BaseDistribution
    domain: Domain
    step: float | None = None

    def holds(self, value: object) -> bool:
        """Whether `value` is one of the distribution."""
        try:
            return self.domain.contains(self.inwards(value))
        except ValueError:
            return False

    def inwards(self, value: object) -> Value:
        """A value of Optuna as one of the domain.

        Raises:
            ValueError: It is none of the distribution.
        """
        number = self.distribution.to_internal_repr(value)
        if isinstance(self.distribution, CategoricalDistribution):
            return int(number)
        if self.step is not None:
            places: float = (number - cast(Any, self.distribution).low) / self.step
            return round(places)
        return int(number) if isinstance(self.distribution, IntDistribution) else float(number)

    def outwards(self, value: Value) -> Any:
        """A value of the domain as one of Optuna."""
        number = cast(float, value)
        if isinstance(self.distribution, CategoricalDistribution):
            return self.distribution.choices[int(number)]
        if self.step is not None:
            low = cast(Any, self.distribution).low
            number = min(low + number * self.step, cast(Any, self.distribution).high)
        return int(number) if isinstance(self.distribution, IntDistribution) else float(number)


def range_of(distribution: BaseDistribution) -> Range | None:
    """The range of `distribution`; `None` where there is nothing to choose, or more than Dialed can tell apart."""
    if distribution.single():
        return None
    try:
        return _range(distribution)
    except SpaceError:  # integers beyond 2**40, floats whose distance overflows: Optuna draws them on its own
        return None


def _range(distribution: BaseDistribution) -> Range | None:
    match distribution:
        case CategoricalDistribution():
            places = Choice(range(len(distribution.choices)), ordered=False)
            return Range(distribution=distribution, domain=places)
        case IntDistribution() | FloatDistribution() if _has_steps(distribution):
            step = float(cast(float, distribution.step))
            count = round((distribution.high - distribution.low) / step)
            return Range(distribution=distribution, domain=_centred(Int(0, count)), step=step)
        case IntDistribution():
            whole = Int(distribution.low, distribution.high, sampling=_sampling(distribution))
            return Range(distribution=distribution, domain=_centred(whole))
        case FloatDistribution():
            real = Float(distribution.low, distribution.high, sampling=_sampling(distribution))
            return Range(distribution=distribution, domain=_centred(real))
    return None


def _has_steps(distribution: IntDistribution | FloatDistribution) -> bool:
    return distribution.step is not None and (isinstance(distribution, FloatDistribution) or distribution.step > 1)


def _sampling(distribution: IntDistribution | FloatDistribution) -> str:
    return "log" if distribution.log else "linear"


def _centred(domain: Number) -> Number:
    """`domain` with its middle for a default: Optuna knows no defaults, and the lower ends make a poor first guess."""
    return replace(domain, default=domain.from_unit(0.5))
