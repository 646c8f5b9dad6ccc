"""Trials on a rung are ranked by all that a study is after."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from dialed.objectives import Constraint, keeps
from dialed.search import ASHA, Bayesian, History, Hyperband, Manual, Random, Strategy, SuccessiveHalving, Terms
from dialed.search._weighed import weighed
from dialed.space import Choice, Float, Hyperparameter, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Objective, Values

ROW = Space([Hyperparameter("i", Choice(list(range(6))))])
LOSS = Objective("loss", "min")


def _history(rows: list[dict[str, float]], **goals: Any) -> History:
    """A study of one trial for each of `rows`."""
    terms = Terms(objective=LOSS, epochs=9, **goals)
    strategy = Manual([{"i": i} for i in range(len(rows))], default_first=False)
    return simulate(strategy, ROW, lambda values: rows[int(values["i"])], terms=terms)  # type: ignore[arg-type]


def _order(history: History) -> list[int]:
    losses = {trial.number: trial.score if trial.score is not None else math.inf for trial in history.trials}
    places = weighed(losses, history)
    return sorted(places, key=places.__getitem__)


def test_who_keeps_the_constraints_goes_first_and_then_who_is_nearest_to_it() -> None:
    rows = [
        {"loss": 1.0, "size": 9.0},
        {"loss": 3.0, "size": 4.0},
        {"loss": 2.0, "size": 5.0},
        {"loss": 0.0, "size": 7.0},
    ]
    assert _order(_history(rows, constraints=(Constraint("size", max=5.0),))) == [2, 1, 3, 0]


def test_fronts_go_one_after_the_other_and_their_ends_first() -> None:
    rows = [
        {"loss": 0.0, "size": 4.0},
        {"loss": 2.0, "size": 2.0},
        {"loss": 2.1, "size": 1.9},
        {"loss": 4.0, "size": 0.0},
        {"loss": 5.0, "size": 5.0},
    ]
    order = _order(_history(rows, others=(Objective("size", "min"),)))
    assert order[:2] == [0, 3] and order[-1] == 4


def test_a_value_that_is_not_known_comes_last() -> None:
    rows = [{"loss": 0.0}, {"loss": 2.0, "size": 2.0}]
    assert _order(_history(rows, others=(Objective("size", "min"),))) == [1, 0]
    assert _order(_history(rows, constraints=(Constraint("size", max=5.0),))) == [1, 0]


SPACE = Space(Hyperparameter(name, Float(0.0, 1.0)) for name in "xyz")
TWO: dict[str, Any] = {"others": (Objective("size", "min"),)}
LIMITED: dict[str, Any] = {"constraints": (Constraint("size", max=0.8),)}


def _traded(values: Values) -> dict[str, float]:
    x, y, z = (float(values[name]) for name in "xyz")  # type: ignore[arg-type]
    return {"loss": (x - 1.0) ** 2 + z, "size": x + y}


STRATEGIES = [ASHA(), Hyperband(), SuccessiveHalving()]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
@pytest.mark.parametrize("goals", [TWO, LIMITED], ids=["two objectives", "a constraint"])
def test_rungs_train_on_who_serves_all_goals(strategy: Strategy, goals: dict[str, Any]) -> None:
    terms = Terms(objective=LOSS, epochs=9, max_epochs=200, max_trials=40, **goals)
    history = simulate(strategy, SPACE, _traded, terms=terms, free=2)
    full = [trial for trial in history.trials if trial.epochs == 9]
    assert full and len(full) < len(history) / 2
    if goals is LIMITED:
        share = sum(keeps(trial, terms.constraints) for trial in history.trials) / len(history)
        assert sum(keeps(trial, terms.constraints) for trial in full) / len(full) > share
        assert history.best_trial is not None and history.best_trial.epochs == 9


@pytest.mark.parametrize("goals", [TWO, LIMITED], ids=["two objectives", "a constraint"])
def test_replay_decides_as_live(goals: dict[str, Any]) -> None:
    terms = Terms(objective=LOSS, epochs=9, **goals)
    strategy = ASHA(sampler=Bayesian(start=3))
    simulation = Simulation(strategy, SPACE, _traded, terms=terms, free=2)
    history = simulation.run(14)
    again = History(terms, simulation.events)
    assert again.memo != history.memo
    decided = [strategy.decide(SPACE, h, np.random.default_rng(1), 3) for h in (history, again)]
    assert decided[0] == decided[1]


def test_a_sampler_by_a_model_learns_what_keeps_a_constraint() -> None:
    def kept(sampler: str | Strategy) -> int:
        terms = Terms(objective=LOSS, epochs=9, max_trials=30, **LIMITED)
        history = simulate(ASHA(sampler=sampler), SPACE, _traded, terms=terms, seed=3)
        return sum(keeps(trial, terms.constraints) for trial in history.trials[10:])

    assert kept("bayesian") > kept(Random()) + 5
