"""Successive halving and Hyperband: against the textbook, and where the textbook says nothing."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialed.errors import InvalidInputError
from dialed.events import TrialStopped
from dialed.search import ASHA, Finish, Grid, History, Hyperband, Sobol, Start, SuccessiveHalving, Terms, generator
from dialed.search._rungs import ladder
from dialed.space import Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Cause, Objective, State, Trial, Values

SPACE = Space([Hyperparameter("x", Float(0.0, 1.0)), Hyperparameter("y", Float(0.0, 1.0))])
LOSS = Objective(name="loss", direction="min")


def terms(epochs: int, **more: Any) -> Terms:
    return Terms(objective=LOSS, epochs=epochs, **more)


def curve(values: Values, epochs: int, salt: int = 0) -> list[float]:
    """Losses without any order: each epoch's says nothing about the next."""
    digest = hashlib.shake_128(f"{salt} {sorted(values.items())}".encode()).digest(epochs)
    return [byte / 8 for byte in digest]


def textbook(trials: Sequence[Trial], epochs: int, factor: int, losses: Any) -> list[int]:
    """Epochs of each trial, by Li and others 2018, algorithm 1, on trials that begin in this order."""
    most = 0
    while factor ** (most + 1) <= epochs:
        most += 1
    budget = (most + 1) * epochs
    trained: list[int] = []
    for s in range(most, -1, -1):
        count = math.ceil(budget / epochs * factor**s / (s + 1) - 1e-9)
        group = list(range(len(trained), len(trained) + count))
        trained += [0] * count
        for i in range(s + 1):
            resource = math.floor(epochs / factor ** (s - i) + 0.5)
            for number in group:
                trained[number] = resource
            group.sort(key=lambda number: (losses(trials[number].values)[resource - 1], number))
            group = group[: math.floor(count * factor ** -(i + 1) + 1e-9)]
    return trained


@pytest.mark.parametrize("epochs", [1, 2, 3, 9, 10, 16, 27, 81])
@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("free", [1, 5])
def test_hyperband_trains_what_the_textbook_trains(epochs: int, factor: int, free: int) -> None:
    strategy = Hyperband(factor=factor, rounds=1)
    history = simulate(strategy, SPACE, lambda values: curve(values, epochs), terms=terms(epochs), free=free)
    expected = textbook(history.trials, epochs, factor, lambda values: curve(values, epochs))
    assert [trial.epochs for trial in history.trials] == expected


@pytest.mark.parametrize(("epochs", "sizes"), [(81, [81, 34, 15, 8, 5]), (27, [27, 12, 6, 4]), (1, [1])])
def test_hyperband_has_the_brackets_of_its_paper(epochs: int, sizes: list[int]) -> None:
    assert [bracket.trials for bracket in Hyperband()._plan(terms(epochs)).brackets] == sizes


@given(st.integers(1, 500), st.integers(2, 5), st.integers(1, 20))
def test_rungs_rise_by_the_factor_to_the_full_training(epochs: int, factor: int, least: int) -> None:
    rungs = ladder(epochs, factor, least)
    assert rungs[-1] == epochs
    assert rungs[0] >= min(least, epochs)
    assert all(below < above and abs(below * factor - above) <= factor for below, above in pairwise(rungs))
    assert rungs[0] < least * factor + factor


@settings(max_examples=60, deadline=None)
@given(
    epochs=st.integers(1, 30),
    trials=st.integers(1, 30),
    factor=st.integers(2, 4),
    free=st.integers(1, 8),
    salt=st.integers(0, 99),
    bad=st.integers(0, 20),
)
def test_no_more_than_the_quota_is_trained_to_a_rung_and_always_the_best(
    epochs: int, trials: int, factor: int, free: int, salt: int, bad: int
) -> None:
    def losses(values: Values) -> list[float]:
        return [math.nan if loss < bad / 2 else loss for loss in curve(values, epochs, salt)]

    strategy = SuccessiveHalving(trials=trials, factor=factor, rounds=1)
    history = simulate(strategy, SPACE, losses, terms=terms(epochs), free=free)
    rungs = ladder(epochs, factor, 1)
    there = set(range(trials))
    assert len(history) == trials
    for level, (rung, above) in enumerate(pairwise(rungs), start=1):
        curves = {number: losses(history.trial(number).values)[:rung] for number in there}
        alive = [number for number in there if all(map(math.isfinite, curves[number]))]
        best = sorted(alive, key=lambda number: (curves[number][-1], number))[: max(1, trials // factor**level)]
        further = {t.number for t in history.trials if t.members[0].until >= above}
        assert further == set(best)
        there = further
    assert all(trial.state.finished for trial in history.trials)


@pytest.mark.parametrize("free", [1, 4, 40])
def test_the_number_of_places_does_not_change_who_goes_on(free: int) -> None:
    def losses(values: Values) -> list[float]:
        return curve(values, 27)

    found = simulate(SuccessiveHalving(sampler=Sobol(), rounds=2), SPACE, losses, terms=terms(27), free=free)
    one = simulate(SuccessiveHalving(sampler=Sobol(), rounds=2), SPACE, losses, terms=terms(27))
    assert [trial.epochs for trial in found.trials] == [trial.epochs for trial in one.trials]


def test_the_sequence_of_trained_epochs_is_golden() -> None:
    line = Space([Hyperparameter("x", Int(0, 40))])
    history = simulate(SuccessiveHalving(sampler="grid", rounds=1), line, lambda v: curve(v, 9), terms=terms(9))
    assert [trial.epochs for trial in history.trials] == [3, 1, 3, 9, 1, 1, 1, 1, 1]
    history = simulate(Hyperband(sampler="grid", rounds=1), line, lambda v: curve(v, 9), terms=terms(9))
    assert [trial.epochs for trial in history.trials] == [3, 1, 3, 9, 1, 1, 1, 1, 1, 9, 3, 3, 3, 3, 9, 9, 9]


def test_the_earlier_trial_wins_a_tie() -> None:
    history = simulate(SuccessiveHalving(rounds=1), SPACE, lambda values: [1.0] * 9, terms=terms(9))
    assert [trial.epochs for trial in history.trials] == [9, 3, 3, 1, 1, 1, 1, 1, 1]


def test_failed_trials_leave_their_place_to_the_next_best_at_the_same_rung() -> None:
    grid = Space([Hyperparameter("x", Int(0, 8))])
    strategy = SuccessiveHalving(sampler=Grid(), rounds=1)

    def losses(values: Values) -> list[float]:
        x = int(values["x"] or 0)
        if x < 7:
            raise RuntimeError("no")
        return [float(x)] * 9

    history = simulate(strategy, grid, losses, terms=terms(9))
    assert {trial.values["x"]: trial.epochs for trial in history.trials if trial.epochs} == {7: 9, 8: 3}


def test_where_all_fail_the_search_goes_on_with_the_next_round() -> None:
    history = simulate(SuccessiveHalving(), SPACE, lambda values: math.nan, terms=terms(9), max_trials=20)
    assert len(history) == 20
    assert all(trial.cause is Cause.NAN for trial in history.trials)


def test_a_last_round_that_max_trials_cuts_short_is_carried_to_the_end() -> None:
    history = simulate(SuccessiveHalving(), SPACE, lambda v: curve(v, 9), terms=terms(9), max_trials=14)
    assert sorted(trial.epochs for trial in history.trials[9:]) == [1, 1, 1, 1, 9]


def test_a_resumed_study_with_more_trials_fills_its_last_round() -> None:
    first = Simulation(SuccessiveHalving(), SPACE, lambda v: curve(v, 9), terms=terms(9, max_trials=5))
    first.run()
    more = Simulation(SuccessiveHalving(rounds=1), SPACE, lambda v: curve(v, 9), terms=terms(9))
    more.history = History(terms(9), first.events)
    history = more.run()
    assert len(history) == 9
    assert sorted(trial.epochs for trial in history.trials)[-4:].count(9) >= 1


def test_enqueued_trials_take_a_place_and_are_compared() -> None:
    simulation = Simulation(SuccessiveHalving(rounds=1), SPACE, lambda v: [float(v["x"] or 0)] * 9, terms=terms(9))
    simulation.enqueue({"x": 0.0, "y": 0.5})
    history = simulation.run()
    assert len(history) == 9
    assert sorted(trial.epochs for trial in history.trials) == [1, 1, 1, 1, 1, 1, 3, 3, 9]


def test_a_trial_that_ends_early_by_itself_takes_part_further_up() -> None:
    history = simulate(
        SuccessiveHalving(rounds=1), SPACE, lambda v: [0.0, 0.0] if not v["x"] else curve(v, 9), terms=terms(9)
    )
    assert (history.trials[0].state, history.trials[0].epochs) == (State.COMPLETED, 2)
    assert sorted(trial.epochs for trial in history.trials[1:]) == [1, 1, 1, 1, 1, 1, 3, 3]


def test_a_stopped_trial_is_not_continued() -> None:
    simulation = Simulation(SuccessiveHalving(rounds=1), SPACE, lambda values: [1.0] * 9, terms=terms(9))
    simulation.run(3)
    simulation.apply(TrialStopped(trial=0))
    history = simulation.run()
    assert [trial.epochs for trial in history.trials] == [1, 9, 3, 3, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("make", [SuccessiveHalving, Hyperband])
def test_one_rung_trains_everything_fully_and_says_so(make: Any) -> None:
    history = simulate(make(), SPACE, lambda v: curve(v, 2), terms=terms(2), max_trials=6)
    assert [trial.epochs for trial in history.trials] == [2] * 6
    assert make().explain(terms(2)).startswith("2 epochs are too few for rungs: every trial is trained fully")


def test_a_small_budget_in_epochs_makes_rounds_smaller() -> None:
    assert (
        SuccessiveHalving().explain(terms(27, max_epochs=60)).startswith("13, 4, 1, 1 trials to 1, 3, 9, 27 epochs: ")
    )
    assert "at most 45 epochs a round" in SuccessiveHalving().explain(terms(27, max_epochs=60))
    told = SuccessiveHalving().explain(terms(27, max_epochs=20))
    assert told == "max_epochs=20 is too small to compare trials: one after another is trained fully."
    one = SuccessiveHalving().explain(terms(27, max_epochs=120, seeds=(0, 1)))
    assert one == SuccessiveHalving().explain(terms(27, max_epochs=60)).replace(
        " a round", " a round of each of 2 members"
    )


@given(st.integers(1, 100), st.integers(1, 3000), st.sampled_from([SuccessiveHalving(), Hyperband()]))
def test_a_round_costs_no_more_than_the_budget_or_one_full_training(epochs: int, most: int, strategy: Any) -> None:
    brackets = strategy._plan(terms(epochs, max_epochs=most)).brackets
    assert sum(bracket.cost() for bracket in brackets) <= max(epochs, most)


class Thrice:
    """A sampler that proposes three configurations, and then waits for ever."""

    def decide(self, space: Space, history: History, rng: Any, free: int) -> list[Any]:
        left = range(len(history), min(3, len(history) + free))
        return [Start(values={"x": i / 3, "y": 0.0}, until=history.terms.epochs) for i in left]


@pytest.mark.parametrize("make", [SuccessiveHalving, Hyperband, ASHA])
def test_a_sampler_that_waits_for_ever_does_not_keep_the_best_from_being_trained(make: Any) -> None:
    strategy = make(sampler=Thrice())
    history = simulate(strategy, SPACE, lambda v: curve(v, 9), terms=terms(9), free=2)
    assert max(trial.epochs for trial in history.trials) == 9
    assert strategy.decide(SPACE, history, generator(history), 1) == [
        Finish(reason="its sampler proposes nothing more")
    ]


@pytest.mark.parametrize("strategy", [SuccessiveHalving(), Hyperband(), ASHA()])
def test_all_members_of_a_trial_are_trained_to_its_rung(strategy: Any) -> None:
    two = terms(9, seeds=(0, 1), folds=(0, 1), max_trials=9)
    history = simulate(strategy, SPACE, lambda v: curve(v, 9), terms=two, free=2)
    assert all(len({member.epoch for member in trial.members}) == 1 for trial in history.trials)
    assert max(trial.epochs for trial in history.trials) == 4 * 9


def test_it_finishes_with_its_reason() -> None:
    strategy = SuccessiveHalving(rounds=1)
    history = simulate(strategy, SPACE, lambda v: curve(v, 9), terms=terms(9))
    assert strategy.decide(SPACE, history, generator(history), 2) == [Finish(reason="rounds=1 of brackets are done")]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SuccessiveHalving(factor=1),
            r"`factor` of SuccessiveHalving must be an int in the range \[2, inf\). Got 1",
        ),
        (lambda: SuccessiveHalving(trials=0), r"`trials` of SuccessiveHalving must be .* \[1, inf\). Got 0"),
        (lambda: Hyperband(min_epochs=0), r"`min_epochs` of Hyperband must be .* \[1, inf\). Got 0"),
        (lambda: Hyperband(rounds=True), r"`rounds` of Hyperband must be .* \[1, inf\). Got True"),
        (lambda: Hyperband(sampler="randm"), "Did you mean 'random'"),
    ],
)
def test_bad_settings_are_refused(make: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make()
