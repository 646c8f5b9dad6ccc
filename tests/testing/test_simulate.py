"""Simulated searches: a plain function stands for the training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dialed.search import Continue, Copy, Decision, Finish, History, Random, Start, Stop, Terms
from dialed.space import Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Cause, Objective, State, Values

SPACE = Space([Hyperparameter("x", Int(1, 5))])
TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=3)


def test_the_score_is_what_the_function_returns() -> None:
    history = simulate(Random(), SPACE, lambda values: float(values["x"] or 0))
    assert {trial.values["x"]: trial.score for trial in history.trials} == {x: float(x) for x in range(1, 6)}


def test_a_curve_is_reported_epoch_by_epoch() -> None:
    history = simulate(Random(), SPACE, lambda values: [3.0, 1.0, 2.0], terms=TERMS, max_trials=1)
    (member,) = history.trials[0].members
    assert (member.curve, member.score, member.best_epoch, member.state) == ((3.0, 1.0, 2.0), 1.0, 2, State.COMPLETED)


def test_a_curve_that_ends_early_completes_the_trial() -> None:
    history = simulate(Random(), SPACE, lambda values: [3.0], terms=TERMS, max_trials=1)
    assert (history.trials[0].state, history.trials[0].epochs) == (State.COMPLETED, 1)


def test_a_function_that_raises_or_gives_no_number_fails_the_trial() -> None:
    def broken(values: object) -> float:
        raise RuntimeError("no")

    raised = simulate(Random(), SPACE, broken, max_trials=1).trials[0]
    assert (raised.state, raised.cause, raised.message) == (State.FAILED, Cause.ERROR, "RuntimeError: no")
    infinite = simulate(Random(), SPACE, lambda values: [1.0, float("inf")], terms=TERMS, max_trials=1).trials[0]
    assert (infinite.state, infinite.cause, infinite.epochs) == (State.FAILED, Cause.NAN, 1)


@pytest.mark.parametrize("free", [1, 3])
def test_max_trials_is_the_budget(free: int) -> None:
    space = Space([Hyperparameter("x", Float(0.0, 1.0))])
    history = simulate(Random(), space, lambda values: 0.0, max_trials=7, free=free)
    assert len(history) == 7
    assert all(trial.state is State.COMPLETED for trial in history.trials)


def test_free_places_are_filled_before_a_result_is_known() -> None:
    seen: list[int] = []

    class Watching:
        def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
            seen.append(free)
            return Random().decide(space, history, rng, free)

    simulate(Watching(), SPACE, lambda values: 0.0, free=3)
    assert seen[:3] == [3, 1, 1]


def test_the_seed_is_the_studys_own() -> None:
    space = Space([Hyperparameter("x", Float(0.0, 1.0))])
    first, same, other = (
        simulate(Random(), space, lambda values: 0.0, max_trials=3, seed=seed).trials[-1].values for seed in (1, 1, 2)
    )
    assert first == same != other


def test_paused_trials_can_be_continued_and_stopped() -> None:
    class Halving:
        """Trains two trials for one epoch, continues the better and stops the other."""

        def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
            if len(history) < 2:
                return [Start(values={"x": len(history) + 1}, until=1)]
            paused = [trial for trial in history.trials if trial.state is State.PAUSED]
            if len(paused) == 2:
                best, worst = sorted(paused, key=lambda trial: trial.score or 0.0)
                return [Stop(trial=worst.number), Continue(trial=best.number, until=3)]
            return [Finish(reason="done")]

    terms = replace(TERMS, max_trials=2)
    simulation = Simulation(Halving(), SPACE, lambda values: [5.0 - float(values["x"] or 0)] * 3, terms=terms)
    history = simulation.run()
    assert [(trial.state, trial.epochs) for trial in history.trials] == [(State.STOPPED, 1), (State.COMPLETED, 3)]
    assert History(terms, simulation.events).trials == history.trials


class Doubling:
    """A loss that each epoch multiplies by `x`: its state is the loss."""

    def begin(self, values: Values, seed: int) -> float:
        return 1.0

    def epoch(self, state: float, values: Values) -> tuple[float, float]:
        loss = state * float(values["x"] or 0)
        return loss, loss


def test_a_copy_goes_on_from_the_state_of_its_source_even_after_that_one_went_on() -> None:
    class Copying:
        """Trains two trials for an epoch, copies the first in the place of the second, and both go on to the end."""

        def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
            if len(history) < 2:
                return [Start(values={"x": 2 + len(history)}, until=1)]
            if len(history) == 2:
                return [Copy(source=0, target=1, values={"x": 5}, until=2), Continue(trial=0, until=3)]
            rests = [trial for trial in history.trials if trial.state is State.PAUSED]
            return [Continue(trial=rests[0].number, until=3)] if rests else [Finish(reason="done")]

    simulation = Simulation(Copying(), SPACE, Doubling(), terms=replace(TERMS, max_trials=2))
    history = simulation.run()
    curves = [trial.members[0].curve for trial in history.trials]
    assert curves == [(2.0, 4.0, 8.0), (3.0,), (2.0, 10.0, 50.0)]
    assert [trial.state for trial in history.trials] == [State.COMPLETED, State.STOPPED, State.COMPLETED]
    assert History(simulation.history.terms, simulation.events).trials == history.trials
