"""Every strategy of Dialed keeps the rules of the public conformance suite."""

from __future__ import annotations

import numpy as np
import pytest

from dialed.search import (
    ASHA,
    Auto,
    Bayesian,
    Grid,
    Hyperband,
    Manual,
    OneAtATime,
    PopulationBased,
    Random,
    Sobol,
    Strategy,
    SuccessiveHalving,
)
from dialed.space import Space
from dialed.testing.strategies import Check, MakeStrategy, strategy_checks


def _manual(space: Space) -> Strategy:
    rng = np.random.default_rng(0)
    return Manual([space.sample(rng) for _ in range(6)])


COVERING: dict[str, MakeStrategy] = {
    "asha": lambda space: ASHA(),
    "asha over sobol": lambda space: ASHA(sampler="sobol", factor=2),
    "auto": lambda space: Auto(),
    "bayesian": lambda space: Bayesian(),
    "bayesian with a prior": lambda space: Bayesian(start=3, prior="defaults"),
    "grid": lambda space: Grid(points=3),
    "hyperband": lambda space: Hyperband(),
    "hyperband over bayesian": lambda space: Hyperband(sampler=Bayesian(start=3)),
    "population": lambda space: PopulationBased(population=4, interval=1),
    "random": lambda space: Random(),
    "sobol": lambda space: Sobol(),
    "sobol without scrambling": lambda space: Sobol(scramble=False),
    "successive halving": lambda space: SuccessiveHalving(),
}
PARTIAL: dict[str, MakeStrategy] = {
    "manual": _manual,
    "one at a time": lambda space: OneAtATime(points=3),
    "one at a time, two rounds": lambda space: OneAtATime(max_rounds=2),
    "population, one round": lambda space: PopulationBased(population=6, rounds=1),
    "successive halving, one round": lambda space: SuccessiveHalving(trials=7, rounds=1),
}
MODELLING = ("auto", "bayesian", "bayesian with a prior", "hyperband over bayesian")
"""These fit a model for each decision."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in MODELLING else ()) for name in COVERING]
)
@pytest.mark.parametrize("check", strategy_checks(), ids=lambda check: check.__name__)
def test_covering_strategies_keep_the_rules(check: Check, name: str) -> None:
    check(COVERING[name])


@pytest.mark.parametrize("name", PARTIAL)
@pytest.mark.parametrize("check", strategy_checks(covers=False), ids=lambda check: check.__name__)
def test_partial_strategies_keep_the_rules(check: Check, name: str) -> None:
    check(PARTIAL[name])


@pytest.mark.slow
@pytest.mark.parametrize("check", strategy_checks(), ids=lambda check: check.__name__)
def test_a_population_with_a_bandit_keeps_the_rules(check: Check) -> None:
    check(lambda space: PopulationBased(population=5, explore="bandit", sampler="random"))
