"""Every strategy of Dialed keeps the rules of the public conformance suite."""

from __future__ import annotations

import numpy as np
import pytest

from dialed.search import Auto, Grid, Manual, OneAtATime, Random, Sobol, Strategy
from dialed.space import Space
from dialed.testing.strategies import Check, MakeStrategy, strategy_checks


def _manual(space: Space) -> Strategy:
    rng = np.random.default_rng(0)
    return Manual([space.sample(rng) for _ in range(6)])


COVERING: dict[str, MakeStrategy] = {
    "auto": lambda space: Auto(),
    "grid": lambda space: Grid(points=3),
    "random": lambda space: Random(),
    "sobol": lambda space: Sobol(),
    "sobol without scrambling": lambda space: Sobol(scramble=False),
}
PARTIAL: dict[str, MakeStrategy] = {
    "manual": _manual,
    "one at a time": lambda space: OneAtATime(points=3),
    "one at a time, two rounds": lambda space: OneAtATime(max_rounds=2),
}


@pytest.mark.parametrize("name", COVERING)
@pytest.mark.parametrize("check", strategy_checks(), ids=lambda check: check.__name__)
def test_covering_strategies_keep_the_rules(check: Check, name: str) -> None:
    check(COVERING[name])


@pytest.mark.parametrize("name", PARTIAL)
@pytest.mark.parametrize("check", strategy_checks(covers=False), ids=lambda check: check.__name__)
def test_partial_strategies_keep_the_rules(check: Check, name: str) -> None:
    check(PARTIAL[name])
