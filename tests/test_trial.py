"""Trials and members: states, their legal changes, and what members say about their trial."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import pytest

from dialed.trial import (
    Ancestor,
    Cause,
    Direction,
    MemberKey,
    MemberRecord,
    Objective,
    Origin,
    State,
    Trial,
    aggregate,
    best_first,
    check_change,
    stretch_at,
)

FINISHED = {State.COMPLETED, State.STOPPED, State.FAILED}


def _member(state: State, score: float | None = None, **more: object) -> MemberRecord:
    return MemberRecord(key=MemberKey(0, 0, 0), state=state, score=score, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", State)
def test_finished_states_are_those_nothing_more_is_expected_of(state: State) -> None:
    assert state.finished == (state in FINISHED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (State.WAITING, State.RUNNING),
        (State.RUNNING, State.WAITING),
        (State.RUNNING, State.COMPLETED),
        (State.PAUSED, State.WAITING),
        (State.STOPPED, State.WAITING),
        (State.COMPLETED, State.WAITING),
    ],
)
def test_legal_changes_pass(old: State, new: State) -> None:
    check_change(old, new)


def test_illegal_changes_are_refused_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="A member that is waiting may become failed, running, stopped. Got completed"):
        check_change(State.WAITING, State.COMPLETED)
    with pytest.raises(ValueError, match="A member that is failed may become nothing. Got waiting"):
        check_change(State.FAILED, State.WAITING)


def test_a_failed_member_never_changes_again() -> None:
    for new in State:
        with pytest.raises(ValueError, match="may become nothing"):
            check_change(State.FAILED, new)


@pytest.mark.parametrize(
    ("cause", "retries"), [(Cause.INTERRUPTED, 20), (Cause.KILLED, 5), (Cause.OUT_OF_MEMORY, 1), (Cause.BUILD, 0)]
)
def test_a_cause_says_how_often_to_try_again(cause: Cause, retries: int) -> None:
    assert cause.retries == retries


def test_values_that_cannot_be_trained_do_not_count_against_the_study() -> None:
    guilty = {cause for cause in Cause if cause.counts_against_study}
    assert guilty == {Cause.BUILD, Cause.ERROR, Cause.INTERRUPTED, Cause.KILLED, Cause.OUT_OF_MEMORY}


@pytest.mark.parametrize(("direction", "better", "worse"), [("min", 1.0, 2.0), ("max", 2.0, 1.0)])
def test_an_objective_knows_which_way_is_better(direction: str, better: float, worse: float) -> None:
    objective = Objective(name="loss", direction=direction)  # type: ignore[arg-type]
    assert objective.better(better, worse)
    assert not objective.better(worse, better)
    assert not objective.better(better, better)
    assert objective.better(worse, None)


@pytest.mark.parametrize("direction", ["min", "max"])
def test_what_is_no_number_is_never_better(direction: str) -> None:
    objective = Objective(name="loss", direction=direction)  # type: ignore[arg-type]
    assert not objective.better(math.nan, None)
    assert not objective.better(math.nan, 1.0)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ([State.COMPLETED, State.FAILED, State.RUNNING], State.FAILED),
        ([State.COMPLETED, State.RUNNING, State.WAITING], State.RUNNING),
        ([State.COMPLETED, State.WAITING], State.WAITING),
        ([State.COMPLETED, State.STOPPED, State.PAUSED], State.STOPPED),
        ([State.COMPLETED, State.PAUSED], State.PAUSED),
        ([State.COMPLETED, State.COMPLETED], State.COMPLETED),
    ],
)
def test_a_trial_is_where_its_least_finished_member_is(states: list[State], whole: State) -> None:
    assert aggregate([_member(state) for state in states]).state is whole


def test_a_mean_over_the_members_that_survived_is_no_score() -> None:
    total = aggregate([_member(State.COMPLETED, 0.5), _member(State.FAILED, 0.1, cause=Cause.NAN, message="NaN")])
    assert (total.score, total.spread, total.cause, total.message) == (None, None, Cause.NAN, "NaN")


def test_a_single_member_has_no_spread() -> None:
    total = aggregate([_member(State.COMPLETED, 0.5, epoch=3, seconds=1.5)])
    assert (total.score, total.spread, total.epochs, total.seconds) == (0.5, None, 3, 1.5)


def test_a_trial_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Trial(number=0, values={}).number = 1  # type: ignore[misc]


@pytest.mark.parametrize(("direction", "order"), [("min", [2, 0, 3, 1]), ("max", [0, 3, 2, 1])])
def test_trials_come_best_first_and_those_without_a_score_last(direction: Direction, order: list[int]) -> None:
    scores = [0.5, None, 0.1, 0.5]
    trials = [Trial(number=number, values={}, score=score) for number, score in enumerate(scores)]
    ordered = best_first(reversed(trials), Objective(name="metric", direction=direction))
    assert [trial.number for trial in ordered] == order


FIRST, SECOND = Ancestor(trial=0, until=2, values={"x": 0}), Ancestor(trial=1, until=5, values={"x": 1})


@pytest.mark.parametrize(
    ("epoch", "now", "until", "before"),
    [(0, 0, 2, None), (1, 0, 2, None), (2, 1, 5, 0), (4, 1, 5, None), (5, 2, None, 1), (6, 2, None, None)],
)
def test_a_training_passes_through_the_values_of_its_ancestors(
    epoch: int, now: int, until: int | None, before: int | None
) -> None:
    stretch = stretch_at(epoch, {"x": 2}, Origin(ancestors=(FIRST, SECOND), replaces=3))
    assert stretch == ({"x": now}, until, None if before is None else {"x": before})


def test_a_trial_that_began_from_nothing_has_one_stretch() -> None:
    assert stretch_at(3, {"x": 2}, None) == ({"x": 2}, None, None)
