"""Random: independent draws, nothing twice."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dialed.search import Finish, History, Random, generator
from dialed.space import Choice, Condition, Float, Hyperparameter, Int, Space
from dialed.testing.simulate import simulate


def _values(history: History) -> list[tuple[Any, ...]]:
    return [tuple(trial.values.values()) for trial in history.trials]


def test_golden_sequence(small: Space) -> None:
    history = simulate(Random(), small, lambda values: 0.0, seed=7)
    assert _values(history) == [
        ("adam", 1),
        ("sgd", 0.0, 1),
        ("sgd", 1.0, 1),
        ("sgd", 0.5, 2, 16),
        ("adam", 2, 8),
        ("adam", 2, 16),
        ("sgd", 0.5, 1),
        ("sgd", 0.0, 2, 8),
        ("sgd", 0.0, 2, 16),
        ("sgd", 1.0, 2, 8),
        ("sgd", 0.5, 2, 8),
        ("sgd", 1.0, 2, 16),
    ]


def test_golden_sequence_of_an_open_space(mixed: Space) -> None:
    rates = [
        trial.values["rate"] for trial in simulate(Random(), mixed, lambda values: 0.0, max_trials=4, seed=7).trials
    ]
    assert rates == pytest.approx([0.001, 0.020437268612, 0.00068219863576, 0.084159018356])


def test_another_seed_gives_other_draws(mixed: Space) -> None:
    one, other = (simulate(Random(), mixed, lambda values: 0.0, max_trials=9, seed=seed) for seed in (0, 1))
    assert _values(one)[0] == _values(other)[0]
    assert not set(_values(one)[1:]) & set(_values(other)[1:])


def test_an_exhausted_space_ends_with_its_reason(small: Space) -> None:
    history = simulate(Random(), small, lambda values: 0.0)
    assert Random().decide(small, history, generator(history), 2) == [
        Finish(reason="all 12 configurations of the space have been tried")
    ]


def test_the_last_configurations_of_a_nearly_exhausted_space_are_found() -> None:
    """The last of 300 is drawn with a probability of about 1 in 10,000, so it must come from the list."""
    space = Space([Hyperparameter("units", Int(1, 300, sampling="log"))])
    history = simulate(Random(), space, lambda values: 0.0, free=4)
    assert sorted(values for (values,) in _values(history)) == list(range(1, 301))


def test_without_the_default_the_first_trial_is_drawn_too(mixed: Space) -> None:
    history = simulate(Random(default_first=False), mixed, lambda values: 0.0, max_trials=1)
    assert history.trials[0].values != mixed.default_values()
    assert history.trials[0].source == "strategy"


def test_an_infinite_space_whose_finite_part_is_used_up_gives_the_rest() -> None:
    space = Space(
        [
            Hyperparameter("kind", Choice([str(i) for i in range(20)])),
            Hyperparameter("x", Float(0.0, 1.0), (Condition("kind", ("0",)),)),
        ]
    )
    history = simulate(Random(), space, lambda values: 0.0, max_trials=60)
    assert len(set(_values(history))) == 60


def test_a_range_too_narrow_to_hold_more_floats_ends_the_search() -> None:
    """Continuous in name only: four floats lie in it."""
    low = 1.0
    high = low
    for _ in range(3):
        high = math.nextafter(high, 2.0)
    space = Space([Hyperparameter("x", Float(low, high))])
    history = simulate(Random(), space, lambda values: 0.0, max_trials=10)
    assert len(history) <= 4
    assert Random().decide(space, history, generator(history), 1) == [
        Finish(reason="10000 draws in a row gave nothing new")
    ]


def test_draws_follow_the_scale() -> None:
    space = Space([Hyperparameter("rate", Float(1e-4, 1.0, sampling="log"))])
    rates = [trial.values["rate"] for trial in simulate(Random(), space, lambda values: 0.0, max_trials=400).trials]
    below = sum(float(rate or 0) < 1e-2 for rate in rates) / len(rates)
    assert below == pytest.approx(0.5, abs=0.1)
