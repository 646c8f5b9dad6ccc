"""Bayesian: a model of the results says where to look next."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from dialed.errors import InvalidInputError, SpaceError
from dialed.search import Bayesian, Finish, History, Random, Sobol, Start, Terms, generator
from dialed.space import Choice, Condition, Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Objective, Values

TERMS = Terms(objective=Objective(name="loss", direction="min"), seed=7)
FOUR = Space([Hyperparameter(f"x{i}", Float(0.0, 1.0)) for i in range(4)])


def _number(values: Values, name: str) -> float:
    value = values[name]
    assert isinstance(value, (int, float))
    return float(value)


def _bowl(values: Values) -> float:
    return sum((_number(values, f"x{i}") - 0.2 * i - 0.1) ** 2 for i in range(4))


def _tried(history: History) -> list[tuple[Any, ...]]:
    return [tuple(trial.values.values()) for trial in history.trials]


def test_golden_sequence(small: Space) -> None:
    """On a small space, where only the order of clearly different numbers counts."""

    def loss(values: Values) -> float:
        return abs(_number(values, "layers") - 2) + (values["optimizer"] == "adam")

    history = simulate(Bayesian(start=4), small, loss, seed=7)
    assert _tried(history)[:4] == _tried(simulate(Sobol(), small, loss, seed=7, max_trials=4))
    assert _tried(history)[4:] == [
        ("sgd", 0.0, 2, 8),
        ("sgd", 0.0, 2, 16),
        ("sgd", 1.0, 2, 16),
        ("sgd", 0.5, 2, 16),
        ("sgd", 1.0, 2, 8),
        ("adam", 2, 16),
        ("sgd", 0.0, 1),
        ("sgd", 0.5, 1),
    ]


def test_it_begins_with_the_defaults_and_evenly_spread_points() -> None:
    history = simulate(Bayesian(), FOUR, _bowl, max_trials=20, seed=3)
    even = simulate(Sobol(), FOUR, _bowl, max_trials=20, seed=3)
    assert _tried(history)[:6] == _tried(even)[:6]
    assert _tried(history)[6] != _tried(even)[6]


def test_a_short_search_begins_shorter_and_a_conditional_one_longer(mixed: Space) -> None:
    def starts(strategy: Bayesian, space: Space, most: int) -> int:
        terms = Terms(objective=TERMS.objective, max_trials=most)
        return strategy._start(space, History(terms))

    assert [starts(Bayesian(), FOUR, most) for most in (14, 15)] == [4, 6]
    assert starts(Bayesian(), mixed, 100) == 6
    many = Space([*mixed, *(Hyperparameter(f"x{i}", Float(0.0, 1.0)) for i in range(9))])
    assert starts(Bayesian(), many, 100) == 9
    assert starts(Bayesian(start=2), many, 100) == 2


@pytest.mark.parametrize("seed", range(2))
def test_it_finds_the_bottom_of_a_bowl_where_chance_does_not(seed: int) -> None:
    scores = [
        trial.score
        for strategy in (Bayesian(), Random())
        if (trial := simulate(strategy, FOUR, _bowl, max_trials=30, seed=seed).best_trial)
    ]
    assert scores[0] is not None and scores[1] is not None
    assert scores[0] < min(0.005, scores[1] / 4)


def test_a_grid_of_96_points_is_searched_without_a_repeat_and_then_ends() -> None:
    space = Space(
        [
            Hyperparameter("a", Choice([1, 2, 3, 4])),
            Hyperparameter("b", Choice(["x", "y", "z"])),
            Hyperparameter("c", Int(1, 8)),
        ]
    )
    history = simulate(Bayesian(), space, lambda v: abs(_number(v, "c") - 3) + _number(v, "a"), seed=1)
    assert len(history) == len(set(_tried(history))) == 96
    assert Bayesian().decide(space, history, generator(history), 1) == [
        Finish(reason="all 96 configurations of the space have been tried")
    ]
    best = [trial.number for trial in history.trials if trial.score == 1.0]
    assert np.mean(best) < 24, "the three best of 96 come early"


@pytest.mark.parametrize("free", [8, 32])
def test_many_at_a_time_are_all_different_and_apart(free: int) -> None:
    simulation = Simulation(Bayesian(), FOUR, _bowl, terms=TERMS)
    simulation.run(8)
    decisions = Bayesian().decide(FOUR, simulation.history, generator(simulation.history), free)
    points = np.array([FOUR.encode(d.values) for d in decisions if isinstance(d, Start)])
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(len(points))
    assert len(points) == free
    assert gaps.min() > 0.001


def test_running_trials_are_taken_into_account() -> None:
    """What is asked one by one, while all run, is apart as well."""
    simulation = Simulation(Bayesian(), FOUR, _bowl, terms=TERMS)
    simulation.run(8)
    points = []
    for _ in range(4):
        (decision,) = Bayesian().decide(FOUR, simulation.history, generator(simulation.history), 1)
        assert isinstance(decision, Start)
        points.append(FOUR.encode(decision.values))
        simulation._study._start(decision.values, 1)
    gaps = [np.linalg.norm(a - b) for i, a in enumerate(points) for b in points[:i]]
    assert min(gaps) > 0.01


def test_more_places_than_a_model_can_fill_are_filled() -> None:
    simulation = Simulation(Bayesian(), FOUR, _bowl, terms=TERMS)
    simulation.run(10)
    decisions = Bayesian().decide(FOUR, simulation.history, generator(simulation.history), 200)
    keys = {FOUR.key(d.values) for d in decisions if isinstance(d, Start)}
    assert len(keys) == 200


def test_how_far_a_loss_diverges_changes_no_decision() -> None:
    def diverging(scale: float) -> History:
        def loss(values: Values) -> float:
            return _bowl(values) if values["x0"] < 0.6 else scale ** (1.0 + _number(values, "x1"))  # type: ignore[operator]

        return simulate(Bayesian(), FOUR, loss, max_trials=20, seed=2)

    assert _tried(diverging(1e100)) == _tried(diverging(20.0))


@pytest.mark.slow
def test_the_best_is_found_at_the_edge_of_what_fails() -> None:
    """How few trials fail on the way is among the claims."""

    def edge(values: Values) -> float:
        over = _number(values, "x0") - 0.5
        return math.nan if over > 0.0 else _bowl({**values, "x0": 0.1}) - over

    best = simulate(Bayesian(), FOUR, edge, max_trials=60, seed=0).best_trial
    assert best is not None and best.score is not None and best.score < 0.02


@pytest.mark.parametrize("loss", [0.5, math.nan, math.inf])
def test_results_that_say_nothing_are_survived(loss: float) -> None:
    history = simulate(Bayesian(), FOUR, lambda values: loss, max_trials=12, free=3)
    assert len(set(_tried(history))) == 12


def test_what_is_believed_is_tried_first_and_a_wrong_belief_is_overcome() -> None:
    right = simulate(Bayesian(prior={"x3": (0.7, 0.05)}), FOUR, _bowl, max_trials=6, seed=1)
    assert all(abs(_number(trial.values, "x3") - 0.7) < 0.2 for trial in right.trials[1:])
    wrong = simulate(Bayesian(prior={"x3": (0.1, 0.1)}), FOUR, _bowl, max_trials=40, seed=1)
    assert wrong.best_trial is not None and wrong.best_trial.score is not None
    assert wrong.best_trial.score < 0.02


def test_conditions_are_searched_on_both_sides() -> None:
    """The better branch is the one whose child must be set right."""
    space = Space(
        [
            Hyperparameter("kind", Choice(["plain", "deep"])),
            Hyperparameter("x", Float(0.0, 1.0)),
            Hyperparameter("y", Float(0.0, 1.0), (Condition("kind", ("deep",)),)),
        ]
    )

    def loss(values: Values) -> float:
        depth = 0.3 if values["kind"] == "plain" else 4 * (_number(values, "y") - 0.8) ** 2
        return depth + (_number(values, "x") - 0.5) ** 2

    best = simulate(Bayesian(), space, loss, max_trials=30, seed=0).best_trial
    assert best is not None and best.values["kind"] == "deep" and best.score is not None and best.score < 0.01


def test_two_hundred_hyperparameters_are_no_trouble() -> None:
    space = Space([Hyperparameter(f"x{i}", Float(0.0, 1.0)) for i in range(200)])
    history = simulate(Bayesian(), space, lambda v: _number(v, "x0") + _number(v, "x1"), max_trials=9, free=2)
    assert len(set(_tried(history))) == 9


@pytest.mark.slow
def test_ten_thousand_trials_are_no_trouble() -> None:
    simulation = Simulation(Random(), FOUR, _bowl, terms=TERMS)
    simulation.run(10_000)
    best = simulation.history.best_trial
    decisions = Bayesian().decide(FOUR, simulation.history, generator(simulation.history), 4)
    losses = [_bowl(d.values) for d in decisions if isinstance(d, Start)]
    assert best is not None and best.score is not None
    assert len(losses) == 4 and min(losses) < 3 * best.score


@pytest.mark.parametrize("start", [0, -1, 2.5, True])
def test_a_start_that_is_no_count_is_refused(start: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"The `start` of Bayesian must be an int in the range \[1, inf\)"):
        Bayesian(start=start)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ([1], "The `prior` of Bayesian must be a mapping of names to values, 'defaults' or None"),
        ("default", "must be a mapping of names to values, 'defaults' or None. Got 'default'"),
        ({"x": (1.0, 0.0)}, "The `prior` of `x` must be a value, or a pair of a value and a positive share"),
        ({"x": (1.0,)}, r"as in \(0.001, 0.25\). Got \(1.0,\)"),
        ({"x": {"a": -1.0}}, r"The weights in the `prior` of `x` must be numbers in the range \[0, inf\)"),
        ({"x": {"a": 0.0}}, "and one above 0"),
    ],
)
def test_a_prior_of_another_form_is_refused(prior: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Bayesian(prior=prior)


def test_a_prior_for_what_the_space_does_not_have_is_refused() -> None:
    with pytest.raises(SpaceError, match="must name hyperparameters of the space. Got 'x9'"):
        simulate(Bayesian(prior={"x9": 0.5}), FOUR, _bowl, max_trials=2)


def test_scipy_is_imported_only_when_something_is_decided() -> None:
    code = "import sys, dialed.strategies as s; s.Bayesian(); print('scipy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_linear_algebra_is_done_by_one_thread() -> None:
    from threadpoolctl import threadpool_info

    from dialed.search.model.threads import one_thread

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = threads()
    with one_thread():
        assert threads() == {1}
    assert threads() == before
