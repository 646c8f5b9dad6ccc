"""Patience: a trial goes on while it may still become the best, and no further."""

from __future__ import annotations

import math

import pytest

from dialed.search import Finish, Terms, generator
from dialed.search._patient import UNJUDGED, Patient
from dialed.space import Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Objective, State, Values

SPACE = Space([Hyperparameter("x", Float(0.0, 1.0)), Hyperparameter("slow", Float(0.0, 1.0))])
TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=27)


def early(values: Values) -> list[float]:
    """Curves that keep their order."""
    return [float(values["x"] or 0.0) + 1.0 / epoch for epoch in range(1, 28)]


def crossing(values: Values) -> list[float]:
    """The slower a curve falls, the lower it ends: the best of all is the worst for the first third."""
    slow = float(values["slow"] or 0.0)
    return [2.0 - slow + 3.0 * slow * (27 / epoch) ** 0.5 / 27**0.5 - 1.5 * slow for epoch in range(1, 28)]


@pytest.mark.parametrize("seed", range(3))
def test_most_epochs_are_saved_and_the_best_is_found(seed: int) -> None:
    history = simulate(Patient(sampler="random"), SPACE, early, terms=TERMS, max_trials=60, seed=seed)
    assert history.epochs < 0.5 * 60 * 27
    assert history.best_trial is not None
    assert history.best_trial.number == min(range(60), key=lambda n: early(history.trial(n).values)[-1])
    assert history.best_trial.epochs == 27


@pytest.mark.parametrize("seed", range(3))
def test_slow_starters_are_not_starved(seed: int) -> None:
    history = simulate(Patient(sampler="random"), SPACE, crossing, terms=TERMS, max_trials=40, seed=seed)
    by_start = sorted(history.trials, key=lambda trial: -crossing(trial.values)[0])
    assert history.best_trial in by_start[:3]


def test_the_first_are_trained_fully() -> None:
    history = simulate(Patient(sampler="random"), SPACE, early, terms=TERMS, max_trials=30)
    assert [trial.epochs for trial in history.trials[:UNJUDGED]] == [27] * UNJUDGED


def test_it_is_exactly_the_same_after_an_interruption() -> None:
    whole = Simulation(Patient(sampler="random"), SPACE, early, terms=TERMS)
    whole.run(20)
    for cut in range(0, len(whole.events), 7):
        part = whole.events[:cut]
        again = Simulation(Patient(sampler="random"), SPACE, early, terms=TERMS)
        again.history = type(whole.history)(TERMS, part)
        if again.history.busy:
            continue
        history = again.run(20)
        assert [(t.values, t.epochs) for t in history.trials] == [(t.values, t.epochs) for t in whole.history.trials]


def test_it_ends_with_the_space_and_stops_who_is_left() -> None:
    line = Space([Hyperparameter("x", Int(0, 29))])
    history = simulate(Patient(sampler="random"), line, early, terms=TERMS, free=3)
    assert len(history) == 30
    assert {trial.state for trial in history.trials} == {State.COMPLETED, State.STOPPED}
    (end,) = Patient(sampler="random").decide(line, history, generator(history), 1)
    assert end == Finish(reason="all 30 configurations of the space have been tried")


def test_where_all_fail_it_goes_on_with_new_ones() -> None:
    history = simulate(Patient(sampler="random"), SPACE, lambda values: [math.nan], terms=TERMS, max_trials=9)
    assert {trial.state for trial in history.trials} == {State.FAILED}


def test_no_place_no_decision() -> None:
    history = simulate(Patient(sampler="random"), SPACE, early, terms=TERMS, max_trials=3)
    assert Patient(sampler="random").decide(SPACE, history, generator(history), 0) == []
