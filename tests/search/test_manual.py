"""Manual: what a person wrote down."""

from __future__ import annotations

from typing import Any

import pytest

from dialed.errors import InvalidInputError, SpaceError
from dialed.search import Finish, History, Manual, Terms, generator
from dialed.space import Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Objective

TERMS = Terms(objective=Objective(name="loss", direction="min"))


def _values(history: History) -> list[tuple[Any, ...]]:
    return [tuple(trial.values.values()) for trial in history.trials]


def test_golden_sequence(mixed: Space) -> None:
    given = [{"rate": 0.01}, {"optimizer": "sgd", "momentum": 0.5}, {"dropout": 0.25, "rate": 0.1}]
    assert _values(simulate(Manual(given), mixed, lambda values: 0.0)) == [
        (0.001, 0.0, "adam"),
        (0.01, 0.0, "adam"),
        (0.001, 0.0, "sgd", 0.5),
        (0.1, 0.25, "adam"),
    ]


def test_a_configuration_is_tried_once_however_it_is_written(mixed: Space) -> None:
    given = [{"rate": 0.01}, {"rate": 0.01, "dropout": 0.0}, {"rate": 0.01, "momentum": 0.5}, {}]
    assert _values(simulate(Manual(given), mixed, lambda values: 0.0)) == [(0.001, 0.0, "adam"), (0.01, 0.0, "adam")]


def test_without_the_default_only_the_given_are_tried(mixed: Space) -> None:
    history = simulate(Manual([{"rate": 0.01}], default_first=False), mixed, lambda values: 0.0)
    assert _values(history) == [(0.01, 0.0, "adam")]
    assert history.baseline is None


def test_it_ends_with_its_reason(mixed: Space) -> None:
    strategy = Manual([{"rate": 0.01}])
    history = simulate(strategy, mixed, lambda values: 0.0)
    assert strategy.decide(mixed, history, generator(history), 2) == [
        Finish(reason="all given configurations have been tried")
    ]


def test_an_unknown_name_is_refused_with_the_nearest(mixed: Space) -> None:
    with pytest.raises(SpaceError, match=r"Got 'droput' in number 1. Did you mean 'dropout'\?"):
        simulate(Manual([{}, {"droput": 0.1}]), mixed, lambda values: 0.0)
    with pytest.raises(SpaceError, match="There are: 'rate', 'dropout'"):
        simulate(Manual([{"xyz": 0.1}]), mixed, lambda values: 0.0)


def test_a_value_outside_its_domain_is_refused(mixed: Space) -> None:
    with pytest.raises(SpaceError, match=r"must lie inside the space. Got rate=7.0 in number 0, and `rate` is Float"):
        simulate(Manual([{"rate": 7.0}]), mixed, lambda values: 0.0)


@pytest.mark.parametrize("given", [[], {"rate": 0.1}, [0.1], "rate", None])
def test_configurations_must_be_a_list_of_mappings(given: Any) -> None:
    with pytest.raises(InvalidInputError, match="must be a list of at least one mapping"):
        Manual(given)


def test_what_was_enqueued_counts_as_tried(mixed: Space) -> None:
    simulation = Simulation(Manual([{"rate": 0.01}, {"rate": 0.02}]), mixed, lambda values: 0.0, terms=TERMS)
    simulation.enqueue({"rate": 0.02})
    assert _values(simulation.run()) == [(0.02, 0.0, "adam"), (0.001, 0.0, "adam"), (0.01, 0.0, "adam")]
    assert [trial.source for trial in simulation.history.trials] == ["enqueued", "default", "strategy"]
