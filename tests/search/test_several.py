"""`Bayesian` and the others with several objectives and under constraints."""

from __future__ import annotations

import numpy as np
import pytest

from dialed.objectives import Constraint, keeps
from dialed.search import Bayesian, History, Random, Sobol, Strategy, Terms
from dialed.search.front import hypervolume, losses_of
from dialed.space import Choice, Float, Hyperparameter, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Objective, Values

SPACE = Space(Hyperparameter(name, Float(0.0, 1.0, default=0.5)) for name in ("x", "y", "z"))
TWO = Terms(objective=Objective("a", "min"), others=(Objective("b", "min"),))
UNDER = Terms(objective=Objective("loss", "min"), constraints=(Constraint("size", max=1.0),))


def _zdt1(values: Values) -> dict[str, float]:
    x, y, z = (float(values[name]) for name in ("x", "y", "z"))  # type: ignore[arg-type]
    g = 1.0 + 4.5 * (y + z)
    return {"a": x, "b": g * (1.0 - np.sqrt(x / g))}


def _volume(strategy: Strategy, trials: int, seed: int) -> float:
    history = simulate(strategy, SPACE, _zdt1, terms=TWO, max_trials=trials, seed=seed)
    return hypervolume(losses_of(history.trials, TWO), (1.1, 1.1))


def test_a_model_covers_most_of_a_front_where_chance_finds_little_of_it() -> None:
    """The whole front dominates 0.87, and a dozen points on it 0.82; drawing y and z hardly ever comes near."""
    assert _volume(Bayesian(), 30, 0) > 0.75
    assert _volume(Random(), 30, 0) < 0.5


@pytest.mark.parametrize("free", [1, 4])
def test_replay_decides_as_live(free: int) -> None:
    """A history that is folded anew from its events, with empty caches, decides the same."""
    simulation = Simulation(Bayesian(), SPACE, _zdt1, terms=TWO, free=free)
    simulation.run(12)
    again = History(TWO, simulation.events)
    decide = [
        Bayesian().decide(SPACE, history, np.random.default_rng(1), free) for history in (simulation.history, again)
    ]
    assert decide[0] == decide[1]


def test_a_batch_is_spread_along_the_front() -> None:
    simulation = Simulation(Bayesian(), SPACE, _zdt1, terms=TWO)
    history = simulation.run(12)
    decisions = Bayesian().decide(SPACE, history, np.random.default_rng(0), 6)
    along = sorted(float(decision.values["x"]) for decision in decisions)  # type: ignore[union-attr,arg-type]
    assert len(along) == 6 and along[-1] - along[0] > 0.3
    assert len({round(x, 1) for x in along}) >= 4


def _bounded(values: Values) -> dict[str, float]:
    x, y = float(values["x"]), float(values["y"])  # type: ignore[arg-type]
    return {"loss": (x - 0.9) ** 2 + (y - 0.9) ** 2, "size": x + y}


def test_the_winner_keeps_the_constraints_and_comes_near_the_best_that_does() -> None:
    """Without the constraint the best is 0 at (0.9, 0.9); on its edge it is 0.32 at (0.5, 0.5)."""
    history = simulate(Bayesian(), SPACE, _bounded, terms=UNDER, max_trials=30, seed=1)
    best = history.best_trial
    assert best is not None and keeps(best, UNDER.constraints)
    assert best.score is not None and best.score < 0.34
    assert sum(keeps(trial, UNDER.constraints) for trial in history.trials[15:]) >= 6


def test_where_nothing_keeps_the_constraints_the_search_goes_towards_it() -> None:
    """One corner in a hundred keeps it: the probability of keeping it is all that counts until then."""
    terms = Terms(objective=Objective("loss", "min"), constraints=(Constraint("size", max=0.15),))
    history = simulate(Bayesian(), SPACE, _bounded, terms=terms, max_trials=25, seed=0)
    assert history.best_trial is not None


def test_no_winner_where_nothing_keeps_the_constraints() -> None:
    terms = Terms(objective=Objective("loss", "min"), constraints=(Constraint("size", max=-1.0),))
    history = simulate(Bayesian(), SPACE, _bounded, terms=terms, max_trials=9)
    assert len(history) == 9 and history.best_trial is None


def test_a_trial_without_one_of_the_objectives_teaches_as_a_failure() -> None:
    def sometimes(values: Values) -> dict[str, float]:
        found = _zdt1(values)
        return found if float(values["x"]) < 0.6 else {"a": found["a"]}  # type: ignore[arg-type]

    history = simulate(Bayesian(), SPACE, sometimes, terms=TWO, max_trials=24, seed=2)
    known = np.isfinite(losses_of(history.trials, TWO)).all(axis=1)
    assert known[12:].mean() > 0.7


@pytest.mark.parametrize("strategy", [Random(), Sobol(), Bayesian()])
def test_a_finite_space_ends_with_every_configuration_once(strategy: Strategy) -> None:
    space = Space([Hyperparameter("x", Choice([0.1, 0.2, 0.3])), Hyperparameter("y", Choice([0.0, 1.0]))])
    history = simulate(strategy, space, lambda v: _zdt1({**v, "z": 0.0}), terms=TWO, max_trials=10)
    assert len(history) == 6


def test_metrics_of_the_best_epoch_are_kept() -> None:
    """The score chooses the epoch, whatever the other objective was at its best."""
    from dialed.events import TrialStarted
    from dialed.trial import MemberKey, Report

    history = History(TWO, [TrialStarted(trial=0, values={}, until=3, epochs=3, seeds=(0,))])
    for epoch, (a, b) in enumerate([(3.0, 1.0), (1.0, 5.0), (2.0, 0.0)], start=1):
        history.apply(Report(key=MemberKey(0, 0, 0), epoch=epoch, metrics={"a": a, "b": b, "c": 9.0}))
    assert history.trials[0].metrics == {"a": 1.0, "b": 5.0}
