"""ASHA: who is trained on, and when, against a naive reading of the events."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialed.errors import InvalidInputError
from dialed.search import ASHA, Bayesian, Continue, Decision, Finish, History, Start, Terms, generator
from dialed.search._rungs import ladder, loss_at
from dialed.space import Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import MemberKey, MemberRecord, Objective, State, Trial, Values

SPACE = Space([Hyperparameter("x", Float(0.0, 1.0)), Hyperparameter("y", Float(0.0, 1.0))])
LOSS = Objective(name="loss", direction="min")


def terms(epochs: int, **more: Any) -> Terms:
    return Terms(objective=LOSS, epochs=epochs, **more)


def curve(values: Values, epochs: int, salt: int = 0, bad: int = 0) -> list[float]:
    """Losses without any order, NaN at some epochs."""
    digest = hashlib.shake_128(f"{salt} {sorted(values.items())}".encode()).digest(epochs)
    return [math.nan if byte < bad else byte / 8 for byte in digest]


class Watched:
    """Checks each decision of ASHA by its paper: top 1/factor of each rung, the highest rung first, else a new one."""

    def __init__(self, strategy: ASHA) -> None:
        self.strategy = strategy

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        decisions = self.strategy.decide(space, history, rng, free)
        if len(history) != history.terms.max_trials:
            expected = self.promotable(history)[:free]
            assert [(d.trial, d.until) for d in decisions if isinstance(d, Continue)] == expected
            assert len([d for d in decisions if isinstance(d, Start)]) <= free - len(expected)
            assert all(isinstance(d, (Start, Continue)) for d in decisions)
        return decisions

    def promotable(self, history: History) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        rungs = ladder(history.terms.epochs, self.strategy.factor, self.strategy.min_epochs)
        for rung, above in reversed(list(pairwise(rungs))):
            rows = []
            for trial in history.trials:
                reached = trial.members[0].curve[:rung]
                if len(reached) == rung:
                    rows.append((reached[-1], trial.number))
                elif trial.state is State.FAILED:
                    rows.append((math.inf, trial.number))
            top = [number for loss, number in sorted(rows)[: len(rows) // self.strategy.factor] if loss < math.inf]
            found += [(n, above) for n in top if history.trial(n).state is State.PAUSED and _epoch(history, n) == rung]
        return found


def _epoch(history: History, number: int) -> int:
    return history.trial(number).members[0].epoch


@settings(max_examples=60, deadline=None)
@given(
    epochs=st.integers(1, 30),
    factor=st.integers(2, 4),
    free=st.integers(1, 8),
    salt=st.integers(0, 99),
    bad=st.integers(0, 30),
)
def test_it_promotes_what_the_paper_promotes(epochs: int, factor: int, free: int, salt: int, bad: int) -> None:
    strategy = Watched(ASHA(factor=factor))
    history = simulate(
        strategy, SPACE, lambda v: curve(v, epochs, salt, bad), terms=terms(epochs, max_trials=30), free=free
    )
    assert len(history) == 30
    rungs = ladder(epochs, factor, 1)
    assert {trial.epochs for trial in history.trials if trial.state is not State.FAILED} <= set(rungs)
    if bad == 0:
        assert max(trial.epochs for trial in history.trials) == epochs


def test_no_place_waits_and_nothing_is_stopped_while_trials_may_come() -> None:
    simulation = Simulation(ASHA(), SPACE, lambda v: curve(v, 9), terms=terms(9), free=3)
    for trials in range(3, 60, 3):
        simulation.run(trials)
        assert all(t.state in (State.PAUSED, State.COMPLETED) for t in simulation.history.trials)
        decisions = simulation.strategy.decide(SPACE, simulation.history, generator(simulation.history), 3)
        assert sum(isinstance(d, (Start, Continue)) for d in decisions) == 3


def test_the_sequence_of_trained_epochs_is_golden() -> None:
    line = Space([Hyperparameter("x", Int(0, 40))])
    history = simulate(ASHA(sampler="grid"), line, lambda v: curve(v, 9), terms=terms(9), max_trials=18)
    assert [trial.epochs for trial in history.trials] == [9, 1, 3, 9, 1, 1, 1, 3, 1, 1, 3, 1, 1, 1, 3, 1, 1, 1]


def test_the_earlier_trial_wins_a_tie() -> None:
    history = simulate(ASHA(), SPACE, lambda values: [1.0] * 9, terms=terms(9), max_trials=9)
    assert [trial.epochs for trial in history.trials] == [9, 3, 3, 1, 1, 1, 1, 1, 1]


def test_when_max_trials_have_begun_the_best_is_trained_fully_and_the_others_stay_paused() -> None:
    history = simulate(ASHA(), SPACE, lambda v: curve(v, 27), terms=terms(27), max_trials=4)
    assert max(trial.epochs for trial in history.trials) == 27
    assert {trial.state for trial in history.trials} == {State.PAUSED, State.COMPLETED}
    done = ASHA().decide(SPACE, history, generator(history), 1)
    assert done == [Finish(reason="max_trials=4 is reached")]


def test_when_a_space_is_exhausted_those_left_behind_are_stopped() -> None:
    line = Space([Hyperparameter("x", Int(0, 7))])
    history = simulate(ASHA(), line, lambda v: curve(v, 9), terms=terms(9), free=2)
    assert len(history) == 8
    assert {trial.state for trial in history.trials} == {State.STOPPED, State.COMPLETED}


def test_with_one_rung_it_does_what_its_sampler_does() -> None:
    def loss(values: Values) -> float:
        return (float(values["x"] or 0) - 0.3) ** 2

    alone = simulate(Bayesian(), SPACE, loss, terms=terms(2), max_trials=9)
    over = simulate(ASHA(sampler=Bayesian()), SPACE, loss, terms=terms(2), max_trials=9)
    assert [trial.values for trial in over.trials] == [trial.values for trial in alone.trials]
    assert ASHA().explain(terms(2)).startswith("2 epochs are too few for rungs")


def test_where_all_fail_it_goes_on_with_new_ones() -> None:
    history = simulate(ASHA(), SPACE, lambda values: math.nan, terms=terms(9), max_trials=12)
    assert {trial.state for trial in history.trials} == {State.FAILED}
    assert len(history) == 12


def test_a_cut_off_search_goes_on_as_the_whole_one() -> None:
    whole = Simulation(ASHA(), SPACE, lambda v: curve(v, 9), terms=terms(9, max_trials=20))
    whole.run()
    for cut in range(0, len(whole.events), 3):
        again = Simulation(ASHA(), SPACE, lambda v: curve(v, 9), terms=terms(9, max_trials=20))
        again.history = History(again.history.terms, whole.events[:cut])
        if again.history.busy:  # what was cut off in the middle of its training is the session's matter
            continue
        history = again.run()
        assert [(t.values, t.epochs) for t in history.trials] == [(t.values, t.epochs) for t in whole.history.trials]


def trial(*curves: Sequence[float], state: State = State.PAUSED, length: int = 9) -> Trial:
    members = tuple(
        MemberRecord(
            key=MemberKey(0, seed, 0), state=state, until=3, length=length, epoch=len(curve), curve=tuple(curve)
        )
        for seed, curve in enumerate(curves)
    )
    return Trial(number=0, values={}, state=state, members=members)


@pytest.mark.parametrize(
    ("given", "rung", "loss"),
    [
        (trial([3.0, 2.0, 4.0]), 3, 4.0),  # the value at that epoch, not the best
        (trial([3.0, 2.0, 4.0]), 2, 2.0),
        (trial([3.0, math.nan, math.nan]), 3, 3.0),  # epochs without a validation
        (trial([math.nan]), 1, math.inf),
        (trial([math.inf]), 1, math.inf),
        (trial([1.0], [3.0]), 1, 2.0),  # members count alike
        (trial([1.0, 1.0], [3.0]), 2, None),  # one is on its way
        (trial([1.0, 1.0], [3.0], state=State.FAILED), 2, math.inf),
        (trial([1.0, 1.0], [3.0], state=State.FAILED), 1, 2.0),  # it was there before it failed
        (trial([1.0, 0.5], state=State.COMPLETED), 9, 0.5),  # it ended early by itself
        (trial([1.0, 0.5], length=2), 9, 0.5),  # its own full training is shorter
    ],
)
def test_the_loss_at_a_rung(given: Trial, rung: int, loss: float | None) -> None:
    assert loss_at(given, rung, LOSS) == loss


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ASHA(factor=1), r"`factor` of ASHA must be an int in the range \[2, inf\). Got 1"),
        (lambda: ASHA(min_epochs=0), r"`min_epochs` of ASHA must be an int in the range \[1, inf\). Got 0"),
        (lambda: ASHA(sampler=Bayesian), r"write Bayesian\(\) instead"),
    ],
)
def test_bad_settings_are_refused(make: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()
