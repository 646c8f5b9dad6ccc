"""Strategies by name."""

from __future__ import annotations

from typing import Any

import pytest

import dialed.strategies
from dialed.errors import InvalidInputError
from dialed.search import (
    ASHA,
    STRATEGY_NAMES,
    Auto,
    Bayesian,
    Grid,
    Hyperband,
    OneAtATime,
    PopulationBased,
    Random,
    Sobol,
    Strategy,
    SuccessiveHalving,
    strategy_from,
)


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("ASHA", ASHA()),
        ("auto", Auto()),
        ("Bayesian", Bayesian()),
        ("grid", Grid()),
        ("hyperband", Hyperband()),
        ("one_at_a_time", OneAtATime()),
        ("One-At-A-Time", OneAtATime()),
        ("population", PopulationBased()),
        ("random", Random()),
        ("Sobol", Sobol()),
        ("successive-halving", SuccessiveHalving()),
    ],
)
def test_a_name_gives_the_strategy_with_its_default_settings(name: str, strategy: Strategy) -> None:
    assert strategy_from(name) == strategy


def test_an_object_that_decides_is_returned_as_it_is() -> None:
    strategy = Grid(points=3)
    assert strategy_from(strategy) is strategy


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        InvalidInputError, match=r"`strategy` must be one of 'asha', .* Got 'randm'. Did you mean 'random'"
    ):
        strategy_from("randm")
    with pytest.raises(InvalidInputError, match="Got 'xyz'. There are: 'asha'"):
        strategy_from("xyz")


def test_manual_by_name_asks_for_its_configurations() -> None:
    with pytest.raises(InvalidInputError, match=r"'manual' needs configurations. Pass dialed.strategies.Manual"):
        strategy_from("manual")


def test_a_class_in_place_of_an_object_is_refused() -> None:
    given: Any = Random
    with pytest.raises(InvalidInputError, match=r"Got the class Random: write Random\(\) instead"):
        strategy_from(given)


@pytest.mark.parametrize("given", [None, 3, object()])
def test_what_cannot_decide_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInputError, match="or an object with a method `decide"):
        strategy_from(given)


def test_every_public_strategy_has_a_name_unless_it_must_be_given_something() -> None:
    by_name = {type(strategy_from(name)).__name__ for name in STRATEGY_NAMES}
    assert by_name | {"FromOptuna", "Manual"} == set(dialed.strategies.__all__)
    assert dialed.strategies.__all__ == sorted(dialed.strategies.__all__)
    assert all(getattr(dialed.strategies, name).__name__ == name for name in dialed.strategies.__all__)


@pytest.mark.parametrize("name", STRATEGY_NAMES)
def test_a_strategy_can_be_read_back_from_what_it_prints(name: str) -> None:
    strategy = strategy_from(name)
    assert eval(repr(strategy), vars(dialed.strategies)) == strategy
