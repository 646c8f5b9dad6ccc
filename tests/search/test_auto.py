"""Auto: every combination where the budget allows it, else an even picture and then steps from the best."""

from __future__ import annotations

from typing import Any

import pytest

from dialed.search import Auto, Finish, Grid, History, Sobol, generator
from dialed.search.auto import START
from dialed.space import Float, Hyperparameter, Int, Space
from dialed.testing.simulate import simulate
from dialed.trial import Values


def _values(history: History) -> list[tuple[Any, ...]]:
    return [tuple(trial.values.values()) for trial in history.trials]


def _bowl(values: Values) -> float:
    return sum((float(value or 0) - 0.7) ** 2 for value in values.values())


FIVE = Space([Hyperparameter(f"x{i}", Float(0.0, 1.0)) for i in range(5)])


@pytest.mark.parametrize("most", [12, 13, 100])
def test_it_is_a_grid_where_the_budget_allows_for_all(small: Space, most: int) -> None:
    chosen = simulate(Auto(), small, lambda values: 0.0, max_trials=most, seed=3)
    assert _values(chosen) == _values(simulate(Grid(), small, lambda values: 0.0, seed=3))


@pytest.mark.parametrize("most", [11, None])
def test_else_it_begins_as_sobol(small: Space, most: int | None) -> None:
    chosen = simulate(Auto(), small, lambda values: 0.0, max_trials=most, seed=3)
    named = simulate(Sobol(), small, lambda values: 0.0, max_trials=START, seed=3)
    assert _values(chosen)[:START] == _values(named)


def test_golden_sequence() -> None:
    space = Space([Hyperparameter("x", Int(0, 9)), Hyperparameter("y", Int(0, 9))])
    history = simulate(
        Auto(), space, lambda v: (int(v["x"] or 0) - 6) ** 2 + (int(v["y"] or 0) - 2) ** 2, max_trials=20
    )
    assert _values(history) == [
        (0, 0),
        (4, 9),
        (7, 1),
        (9, 5),
        (2, 4),
        (0, 6),
        (7, 3),
        (5, 7),
        (0, 1),
        (2, 1),
        (5, 1),
        (9, 1),
        (7, 0),
        (7, 2),
        (7, 5),
        (7, 7),
        (7, 9),
        (0, 2),
        (2, 2),
        (5, 2),
    ]


def test_after_the_start_each_step_changes_one_value_of_the_best_so_far() -> None:
    history = simulate(Auto(), FIVE, _bowl, max_trials=28, seed=1)
    scores = [trial.score or 0.0 for trial in history.trials]
    best = _values(history)[min(range(START), key=scores.__getitem__)]
    step = _values(history)[START]
    assert sum(one != other for one, other in zip(best, step, strict=True)) == 1


def test_it_gets_further_than_the_even_picture_alone() -> None:
    auto, sobol = (
        [simulate(s, FIVE, _bowl, max_trials=50, seed=seed).best_trial for seed in range(5)] for s in (Auto(), Sobol())
    )
    for one, other in zip(auto, sobol, strict=True):
        assert one is not None and other is not None
        assert (one.score or 0.0) < (other.score or 0.0)


def test_when_no_step_improves_anything_it_takes_further_points() -> None:
    space = Space([Hyperparameter("x", Float(0.0, 1.0)), Hyperparameter("y", Float(0.0, 1.0))])
    history = simulate(Auto(), space, lambda values: 0.0, max_trials=40)
    points = _values(simulate(Sobol(), space, lambda values: 0.0, max_trials=40))
    assert _values(history)[-10:] == points[-10 - 8 : -8]


def test_places_that_no_step_needs_get_further_points() -> None:
    history = simulate(Auto(), FIVE, _bowl, max_trials=60, free=20)
    points = _values(simulate(Sobol(), FIVE, _bowl, max_trials=60))
    assert set(_values(history)[:START]) == set(points[:START])
    assert len(set(_values(history)) & set(points)) > 20
    assert len(set(_values(history))) == 60


def test_it_ends_when_the_space_is_exhausted(small: Space) -> None:
    history = simulate(Auto(), small, lambda values: 0.0)
    assert Auto().decide(small, history, generator(history), 3) == [
        Finish(reason="all 12 configurations of the space have been tried")
    ]
