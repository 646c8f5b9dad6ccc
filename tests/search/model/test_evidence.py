"""What a history says to a model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dialed.events import Built
from dialed.search.history import History, Terms
from dialed.search.model.evidence import Ledger, chosen
from dialed.search.model.layout import Layout
from dialed.search.random_search import Random
from dialed.space import Float, Hyperparameter, Space
from dialed.testing.simulate import Simulation
from dialed.trial import Cause, MemberKey, Objective, Outcome, State

SPACE = Space([Hyperparameter("x", Float(0.0, 1.0)), Hyperparameter("y", Float(0.0, 1.0))])


def _simulation(direction: str = "min", free: int = 3) -> Simulation:
    terms = Terms(objective=Objective(name="loss", direction=direction))  # type: ignore[arg-type]
    return Simulation(Random(), SPACE, lambda v: math.nan if v["x"] > 0.5 else float(v["x"]), terms=terms, free=free)


def test_trials_are_told_apart_by_what_became_of_them() -> None:
    simulation = _simulation()
    simulation.run(10)
    simulation._begin()
    evidence = Ledger(Layout(SPACE)).read(simulation.history)
    assert len(evidence.pending) == 3
    assert len(evidence.scored) + len(evidence.failed) == 10
    assert np.all(evidence.failed[:, 0] > 0.5)
    assert evidence.losses == pytest.approx(evidence.scored[:, 0])


def test_a_score_to_maximise_becomes_a_loss() -> None:
    evidence = Ledger(Layout(SPACE)).read(_simulation("max").run(8))
    assert evidence.losses == pytest.approx(-evidence.scored[:, 0])


def test_a_trial_that_was_stopped_from_outside_says_nothing() -> None:
    simulation = _simulation()
    simulation._begin()
    first, second = (trial.number for trial in simulation.history.unfinished[:2])
    for number, cause in ((first, Cause.INTERRUPTED), (second, Cause.OUT_OF_MEMORY)):
        simulation.apply(Outcome(key=MemberKey(number, 0, 0), state=State.FAILED, epoch=0, cause=cause))
    assert len(Ledger(Layout(SPACE)).read(simulation.history).failed) == 1


def test_what_a_build_call_asked_for_is_what_counts() -> None:
    simulation = _simulation(free=1)
    simulation.run(1)
    ledger = Ledger(Layout(SPACE))
    ledger.read(simulation.history)
    simulation.apply(Built(trial=0, values={"x": 0.125, "y": 0.25, "unknown": 3}))
    assert ledger.read(simulation.history).scored.tolist() == [[0.125, 0.25]]
    simulation.apply(Built(trial=0, values={"x": 7.0, "y": 0.25}))
    assert len(ledger.read(simulation.history).scored) == 0, "what lies outside the space is left out"


def test_a_ledger_made_anew_reads_the_same() -> None:
    simulation = _simulation()
    ledger = Ledger(Layout(SPACE))
    for trials in (3, 6, 9):
        simulation.run(trials)
        kept = ledger.read(simulation.history)
    anew = Ledger(Layout(SPACE)).read(History(simulation.history.terms, simulation.events))
    for name in ("scored", "losses", "failed", "pending"):
        assert np.array_equal(getattr(kept, name), getattr(anew, name))


def test_of_many_trials_the_best_the_newest_and_some_others_are_kept() -> None:
    losses = np.random.default_rng(0).random(5000)
    kept = chosen(losses, 300)
    assert 290 <= len(kept) <= 300 and np.all(np.diff(kept) > 0)
    assert set(np.argsort(losses)[:150]) <= set(kept)
    assert set(range(4900, 5000)) <= set(kept)
    assert np.array_equal(chosen(losses[:300], 300), np.arange(300))
