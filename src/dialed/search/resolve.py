"""Strategies by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dialed.errors import InvalidInputError
from dialed.search._names import nearest
from dialed.search.asha import ASHA
from dialed.search.auto import Auto
from dialed.search.bayesian import Bayesian
from dialed.search.grid import Grid
from dialed.search.halving import Hyperband, SuccessiveHalving
from dialed.search.one_at_a_time import OneAtATime
from dialed.search.population import PopulationBased
from dialed.search.protocol import Strategy
from dialed.search.random_search import Random
from dialed.search.sobol import Sobol

__all__ = ["STRATEGY_NAMES", "strategy_from"]

_BY_NAME: Mapping[str, Callable[[], Strategy]] = {
    "asha": ASHA,
    "auto": Auto,
    "bayesian": Bayesian,
    "grid": Grid,
    "hyperband": Hyperband,
    "one_at_a_time": OneAtATime,
    "population": PopulationBased,
    "random": Random,
    "sobol": Sobol,
    "successive_halving": SuccessiveHalving,
}

STRATEGY_NAMES = tuple(_BY_NAME)
"""What `strategy` may be as a text. `Manual` has no name: it needs configurations."""


def strategy_from(strategy: str | Strategy) -> Strategy:
    """The strategy of that name with its default settings; an object that can decide is returned as it is.

    Raises:
        InvalidInputError: The name is unknown, or the object has no method `decide`.

    Example:
        >>> strategy_from("sobol")
        Sobol(scramble=True, default_first=True)
    """
    if isinstance(strategy, str):
        return _named(strategy)
    if isinstance(strategy, type):
        raise InvalidInputError(
            f"The `strategy` must be a name or an object. Got the class {strategy.__name__}: "
            f"write {strategy.__name__}() instead."
        )
    if not callable(getattr(strategy, "decide", None)):
        raise InvalidInputError(
            f"The `strategy` must be one of {', '.join(map(repr, STRATEGY_NAMES))}, or an object with a method "
            f"`decide(space, history, rng, free)`, as in `dialed.strategies`. Got {strategy!r}."
        )
    return strategy


def _named(name: str) -> Strategy:
    plain = name.lower().replace("-", "_")
    if plain == "manual":
        raise InvalidInputError(
            "The `strategy` 'manual' needs configurations. Pass dialed.strategies.Manual([{...}, ...])."
        )
    if plain not in _BY_NAME:
        raise InvalidInputError(
            f"The `strategy` must be one of {', '.join(map(repr, STRATEGY_NAMES))}, or an object of "
            f"`dialed.strategies`. Got {name!r}. {nearest(plain, STRATEGY_NAMES)}"
        )
    return _BY_NAME[plain]()
