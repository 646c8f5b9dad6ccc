"""Hyperparameters as suggestions of an Optuna trial.

Choices and steps are told by their place, so that values which Python calls equal (1 and True) stay apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dialed.space import Boolean, Choice, Domain, Fixed, Float, Int, Space
from dialed.trial import Value, Values

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

__all__ = ["distribution_of", "number_of", "suggested"]


def distribution_of(domain: Domain) -> BaseDistribution | None:
    """What Optuna samples for a hyperparameter of that domain; `None` where there is nothing to sample."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(domain, Fixed) or domain.size == 1:
        return None
    if domain.categorical:
        return CategoricalDistribution(range(cast(int, domain.size)))
    if _by_itself(domain):
        plain = cast(Int | Float, domain)
        kind = IntDistribution if isinstance(domain, Int) else FloatDistribution
        return kind(plain.min_value, plain.max_value, log=plain.sampling == "log")  # type: ignore[arg-type]
    if domain.size is None:
        return FloatDistribution(0.0, 1.0)
    return IntDistribution(0, domain.size - 1)


def number_of(domain: Domain, value: Value) -> float:
    """What stands for `value` in Optuna."""
    if _by_itself(domain):
        return cast(float, domain.cast(value))
    unit = domain.to_unit(value)
    return unit if domain.size is None else int(unit * domain.size)


def suggested(space: Space, trial: optuna.Trial) -> Values:
    """A configuration that `trial` suggests, from the first hyperparameter to the last, as far as they are active."""
    active: dict[str, Value] = {}
    for hyperparameter in space:
        if all(condition.holds(active) for condition in hyperparameter.conditions):
            active[hyperparameter.name] = _suggest(trial, hyperparameter.name, hyperparameter.domain)
    return active


def _by_itself(domain: Domain) -> bool:
    """Whether Optuna samples such numbers as they are."""
    if isinstance(domain, (Boolean, Choice, Fixed)):
        return False
    return domain.step is None and domain.sampling != "reverse_log"


def _suggest(trial: optuna.Trial, name: str, domain: Domain) -> Value:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    number: float
    match distribution_of(domain):
        case None:
            return domain.from_unit(0.5)
        case CategoricalDistribution(choices=choices):
            number = trial.suggest_categorical(name, cast(tuple[int, ...], choices))
        case FloatDistribution(low=low, high=high, log=log):
            number = trial.suggest_float(name, low, high, log=log)
        case IntDistribution(low=low, high=high, log=log):
            number = trial.suggest_int(name, low, high, log=log)
        case other:  # pragma: no cover - `distribution_of` makes no other
            raise TypeError(f"No suggestion is known for {other!r}.")
    if _by_itself(domain):
        return domain.cast(number)
    return domain.from_unit(number if domain.size is None else (number + 0.5) / domain.size)
