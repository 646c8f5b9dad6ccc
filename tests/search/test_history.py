"""History: the fold of a study's events."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialed.events import (
    Built,
    Enqueued,
    Event,
    MembersAdded,
    Returned,
    Saved,
    SessionEnded,
    SessionStarted,
    SpaceSet,
    TrialContinued,
    TrialCopied,
    TrialStarted,
    TrialStopped,
)
from dialed.search import History, Terms, generator
from dialed.search.history import after_report
from dialed.trial import (
    Ancestor,
    Cause,
    CheckpointRef,
    MemberKey,
    MemberRecord,
    Objective,
    Origin,
    Outcome,
    Report,
    State,
    Trial,
)

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=4)


def _start(number: int, *, until: int = 4, **changes: Any) -> TrialStarted:
    event = TrialStarted(trial=number, values={"x": number}, until=until, epochs=4, seeds=(0,))
    return replace(event, **changes)


def _report(number: int, epoch: int, value: float, *, seed: int = 0, fold: int = 0, **more: Any) -> Report:
    return Report(key=MemberKey(number, seed, fold), epoch=epoch, metrics={"loss": value}, **more)


def _end(number: int, epoch: int, state: State = State.PAUSED, *, seed: int = 0, **more: Any) -> Outcome:
    return Outcome(key=MemberKey(number, seed, 0), state=state, epoch=epoch, **more)


def _done(number: int, value: float) -> list[Event]:
    return [_start(number), _report(number, 4, value), _end(number, 4)]


def test_a_trial_waits_runs_and_completes() -> None:
    history = History(TERMS, [_start(0)])
    assert history.trial(0).state is State.WAITING
    history.apply(_report(0, 1, 0.5, seconds=2.0, memory_bytes=10))
    assert history.trial(0).state is State.RUNNING
    for epoch in (2, 3, 4):
        history.apply(_report(0, epoch, 1 / epoch, seconds=2.0, memory_bytes=5))
    history.apply(_end(0, 4))
    trial = history.trial(0)
    assert (trial.state, trial.score, trial.epochs, trial.seconds) == (State.COMPLETED, 0.25, 4, 8.0)
    assert trial.members[0].memory_bytes == 10
    assert trial.members[0].curve == (0.5, 0.5, 1 / 3, 0.25)


def test_a_score_is_the_best_epoch_unless_a_report_is_final() -> None:
    events = [_start(0), _report(0, 1, 0.1), _report(0, 2, 0.9)]
    history = History(TERMS, events)
    assert (history.trial(0).score, history.trial(0).members[0].best_epoch) == (0.1, 1)
    history.apply(_report(0, 3, 0.7, final=True))
    assert (history.trial(0).score, history.trial(0).members[0].best_epoch) == (0.7, 3)


def test_a_final_value_that_is_no_number_leaves_no_score() -> None:
    history = History(TERMS, [_start(0), _report(0, 1, 0.1), _report(0, 2, math.nan, final=True)])
    assert history.trial(0).score is None
    assert history.best_trial is None


def test_epochs_that_are_reported_again_after_a_kill_change_nothing() -> None:
    history = History(TERMS, [_start(0), _report(0, 1, 0.5), _report(0, 2, 0.4)])
    before = history.trial(0)
    history.apply(_report(0, 1, 0.1))
    assert history.trial(0) == before
    assert history.epochs == 2


def test_epochs_without_a_validation_are_gaps_in_the_curve() -> None:
    history = History(TERMS, [_start(0), _report(0, 3, 0.5)])
    curve = history.trial(0).members[0].curve
    assert [math.isnan(value) for value in curve] == [True, True, False]
    history.apply(Report(key=MemberKey(0, 0, 0), epoch=4, metrics={"other": 1.0}))
    assert history.trial(0).score == 0.5


def test_a_member_that_was_interrupted_before_its_until_waits_again() -> None:
    history = History(TERMS, [_start(0), _report(0, 1, 0.5), _end(0, 1)])
    assert history.trial(0).state is State.WAITING


def test_a_paused_trial_can_be_continued_or_stopped() -> None:
    events = [_start(0, until=2), _report(0, 2, 0.5), _end(0, 2)]
    history = History(TERMS, events)
    assert history.trial(0).state is State.PAUSED
    history.apply(TrialContinued(trial=0, until=4))
    assert (history.trial(0).state, history.trial(0).members[0].until) == (State.WAITING, 4)
    stopped = History(TERMS, [*events, TrialStopped(trial=0)])
    assert (stopped.trial(0).state, stopped.trial(0).score) == (State.STOPPED, 0.5)
    stopped.apply(TrialContinued(trial=0, until=4))
    assert stopped.trial(0).state is State.WAITING


def test_stopping_spares_what_is_completed() -> None:
    history = History(TERMS, [*_done(0, 0.5), TrialStopped(trial=0)])
    assert history.trial(0).state is State.COMPLETED


def test_a_killed_worker_is_forgiven_five_times_and_progress_clears_the_count() -> None:
    killed = Returned(key=MemberKey(0, 0, 0), cause=Cause.KILLED, message="gone")
    history = History(TERMS, [_start(0), *[killed] * 5])
    assert (history.trial(0).state, history.trial(0).members[0].attempts) == (State.WAITING, 5)
    patient = History(TERMS, [_start(0), *[killed] * 5, _report(0, 1, 0.5), *[killed] * 5])
    assert patient.trial(0).state is State.WAITING
    history.apply(killed)
    assert (history.trial(0).state, history.trial(0).cause) == (State.FAILED, Cause.KILLED)
    assert history.trial(0).message == "gone"


def test_one_failed_fold_fails_the_trial() -> None:
    events = [
        _start(0, folds=(0, 1)),
        _report(0, 4, 0.5),
        _end(0, 4),
        Outcome(key=MemberKey(0, 0, 1), state=State.FAILED, epoch=1, cause=Cause.NAN, message="loss is NaN"),
    ]
    trial = History(TERMS, events).trial(0)
    assert (trial.state, trial.cause, trial.message, trial.score) == (State.FAILED, Cause.NAN, "loss is NaN", None)


def test_repeats_give_a_mean_and_a_spread() -> None:
    history = History(TERMS, [_start(0, seeds=(0, 1)), _report(0, 4, 0.2), _report(0, 4, 0.4, seed=1)])
    assert history.trial(0).score == pytest.approx(0.3)
    assert history.trial(0).spread == pytest.approx(0.02**0.5)


def test_members_of_a_confirmation_cost_epochs_but_make_no_score() -> None:
    history = History(TERMS, [*_done(0, 0.5), MembersAdded(trial=0, until=4, seeds=(7, 8))])
    history.apply(_report(0, 4, 0.1, seed=7))
    trial = history.trial(0)
    assert (trial.score, trial.state, trial.epochs, history.epochs) == (0.5, State.COMPLETED, 4, 8)
    assert [m.key.seed for m in trial.confirmations] == [7, 8]


def test_a_checkpoint_is_kept_by_kind() -> None:
    last, best = (CheckpointRef(path=p, digest="d", bytes=1, epoch=1) for p in ("last", "best"))
    key = MemberKey(0, 0, 0)
    history = History(TERMS, [_start(0), Saved(key=key, kind="last", checkpoint=last)])
    history.apply(Saved(key=key, kind="best", checkpoint=best))
    assert (history.member(key).last, history.member(key).best) == (last, best)


def test_a_build_may_ask_for_other_values_and_both_count_as_tried() -> None:
    history = History(TERMS, [_start(0), Built(trial=0, values={"x": 0}, parameters=9, engine="fit")])
    assert list(history.values_after(0)) == [(0, {"x": 0})]
    history.apply(_start(1))
    history.apply(Built(trial=1, values={"x": 1, "y": 5}))
    assert list(history.values_after(1)) == [(1, {"x": 1}), (1, {"x": 1, "y": 5})]
    assert (history.trial(0).parameters, history.trial(0).engine) == (9, "fit")
    assert history.trial(1).values == {"x": 1, "y": 5}


def test_an_enqueued_trial_takes_the_oldest_waiting_values() -> None:
    history = History(TERMS, [Enqueued(values={"x": 7}), Enqueued(values={"x": 8})])
    history.apply(_start(0, values={"x": 7}, source="enqueued"))
    assert history.enqueued == [{"x": 8}]


def test_the_baseline_is_the_first_default_trial() -> None:
    history = History(TERMS, [_start(0)])
    assert history.baseline is None
    history.apply(_start(1, source="default"))
    history.apply(_start(2, source="default"))
    assert history.baseline is history.trial(1)


def test_sessions_and_spaces_are_counted() -> None:
    history = History(TERMS, [SessionStarted(worker="w", settings={}), SpaceSet(space={"hyperparameters": []})])
    for seconds in (1.5, 2.0):
        history.apply(SessionEnded(reason="over", finished=False, seconds=seconds))
    assert history.finished_seconds == 3.5
    assert history.space_json == {"hyperparameters": []}


def test_losses_turn_the_objective_so_that_less_is_better() -> None:
    upward = replace(TERMS, objective=Objective(name="loss", direction="max"))
    events = [*_done(0, 0.5), _start(1)]
    assert History(TERMS, events).losses() == [0.5, None]
    assert History(upward, events).losses() == [-0.5, None]


def test_the_earlier_trial_wins_a_tie() -> None:
    history = History(TERMS, [*_done(0, 0.5), *_done(1, 0.5)])
    assert history.best_trial is history.trial(0)
    late = History(TERMS, [_start(0), *_done(1, 0.5), _report(0, 4, 0.5)])
    assert late.best_trial is late.trial(0)


def test_a_best_trial_that_fails_hands_over_to_the_second() -> None:
    events = [*_done(0, 0.5), _start(1, seeds=(0, 1)), _report(1, 1, 0.1)]
    history = History(TERMS, events)
    assert history.best_trial is history.trial(1)
    history.apply(_end(1, 1, State.FAILED, seed=1, cause=Cause.NAN))
    assert history.best_trial is history.trial(0)


def test_unknown_trials_and_members_are_key_errors() -> None:
    history = History(TERMS, [_start(0)])
    with pytest.raises(KeyError):
        history.trial(1)
    with pytest.raises(KeyError):
        history.member(MemberKey(0, 99, 0))


def test_the_tuple_of_trials_is_one_until_something_changes() -> None:
    history = History(TERMS, [_start(0)])
    before = history.trials
    assert history.trials is before
    history.apply(_report(0, 1, 0.5))
    assert history.trials is not before
    assert before[0].score is None


def test_the_generator_follows_from_the_seed_and_the_number_of_trials() -> None:
    def first(seed: int, trials: int) -> float:
        history = History(replace(TERMS, seed=seed), [_start(number) for number in range(trials)])
        return float(generator(history).random())

    assert first(1, 2) == first(1, 2)
    assert len({first(1, 2), first(2, 1), first(1, 3), first(2, 2)}) == 4


VALUES = st.sampled_from([0.1, 0.2, 0.2, 0.5, 1.0, math.nan])


@st.composite
def _events(draw: st.DrawFn) -> list[Event]:
    """Any order of starts, reports and endings of a few trials with two members each."""
    begun = draw(st.integers(1, 4))
    events: list[Event] = [_start(number, seeds=(0, 1)) for number in range(begun)]
    for _ in range(draw(st.integers(0, 14))):
        number, seed, epoch = draw(st.integers(0, begun - 1)), draw(st.integers(0, 1)), draw(st.integers(1, 4))
        state = draw(st.sampled_from([None, None, None, State.PAUSED, State.COMPLETED, State.FAILED]))
        if state is None:
            final = draw(st.booleans())
            events.append(_report(number, epoch, draw(VALUES), seed=seed, final=final))
        else:
            events.append(_end(number, epoch, state, seed=seed, cause=Cause.NAN if state is State.FAILED else None))
    return events


@settings(max_examples=150, deadline=None)
@given(_events(), st.sampled_from(["min", "max"]))
def test_what_is_kept_up_to_date_equals_what_a_fresh_look_finds(events: list[Event], direction: Any) -> None:
    history = History(replace(TERMS, objective=Objective(name="loss", direction=direction)))
    for event in events:
        history.apply(event)
        scored = [trial for trial in history.trials if trial.score is not None]
        assert history.best_trial == _naive_best(scored, direction)
        assert history.unfinished == [trial for trial in history.trials if not trial.state.finished]
        assert history.epochs == sum(trial.epochs for trial in history.trials)


def _naive_best(scored: list[Trial], direction: str) -> Trial | None:
    sign = 1 if direction == "min" else -1
    return min(scored, key=lambda trial: (sign * (trial.score or 0.0), trial.number), default=None)


def test_a_trial_whose_confirmation_waits_is_busy_though_it_is_finished() -> None:
    history = History(TERMS, [*_done(0, 0.5), MembersAdded(trial=0, until=4, seeds=(7,))])
    assert history.trial(0).state is State.COMPLETED
    assert [t.number for t in history.busy] == [0]
    assert history.unfinished == []


def _copied(*, until: int = 4) -> list[Event]:
    """Trial 1 rests after two epochs; trial 2 goes on from there in the place of trial 0."""
    ref = CheckpointRef(path="p", digest="", bytes=1, epoch=2)
    begun = [_start(0, until=2), _report(0, 2, 0.9), _end(0, 2), _start(1, until=2), _report(1, 1, 0.7)]
    rest = [_report(1, 2, 0.5), _end(1, 2, last=ref)]
    ancestor = Ancestor(trial=1, until=2, values={"x": 1})
    return [*begun, *rest, TrialCopied(trial=2, values={"x": 9}, replaces=0, ancestors=(ancestor,), until=until)]


def test_a_copy_begins_where_its_source_rests_and_ends_what_it_replaces() -> None:
    history = History(TERMS, _copied())
    copy = history.trial(2)
    assert [trial.state for trial in history.trials] == [State.STOPPED, State.PAUSED, State.WAITING]
    assert copy.origin is not None
    assert (copy.origin.source, copy.origin.epoch, copy.origin.replaces) == (1, 2, 0)
    [member] = copy.members
    assert (member.epoch, member.curve, member.since) == (2, (0.7, 0.5), 2)
    assert member.last == history.trial(1).members[0].last
    assert (history.begun, history.copies, history.epochs) == (2, 1, 4)


def test_only_its_own_epochs_count_in_the_score_and_the_cost_of_a_copy() -> None:
    history = History(TERMS, _copied())
    assert (history.trial(2).score, history.trial(2).epochs) == (None, 0)
    for event in (_report(2, 3, 0.6), _report(2, 4, 0.65)):
        history.apply(event)
    assert (history.trial(2).score, history.trial(2).epochs) == (0.6, 2)
    assert history.epochs == sum(trial.epochs for trial in history.trials) == 6
    assert history.best_trial is history.trial(1)


def test_what_is_built_for_a_stretch_of_an_ancestor_does_not_change_a_copys_values() -> None:
    history = History(TERMS, [*_copied(), Built(trial=2, values={"x": 1}, parameters=5)])
    assert (history.trial(2).values, history.trial(2).parameters) == ({"x": 9}, 5)


def test_a_confirmation_of_a_copy_trains_all_epochs_and_is_judged_by_the_last_stretch() -> None:
    history = History(TERMS, [*_copied(), MembersAdded(trial=2, until=4, seeds=(7,))])
    for epoch, value in enumerate((0.1, 0.2, 0.8, 0.4), start=1):
        history.apply(_report(2, epoch, value, seed=7))
    [member] = history.trial(2).confirmations
    assert (member.epoch, member.since, member.score) == (4, 2, 0.4)


def test_a_report_changes_what_it_is_about_and_nothing_else() -> None:
    """Both records are made anew without `replace`, so a field that is added later must not be forgotten there."""
    whole = CheckpointRef(path="a", digest="b", bytes=1, epoch=2)
    record = MemberRecord(
        key=MemberKey(0, 5, 1),
        purpose="confirm",
        state=State.RUNNING,
        until=7,
        length=9,
        epoch=2,
        curve=(3.0, 2.0),
        score=2.0,
        best_epoch=2,
        seconds=1.0,
        memory_bytes=10,
        attempts=3,
        cause=Cause.TOLD,
        message="said",
        last=whole,
        best=whole,
        since=1,
        metrics={"size": 1.0},
    )
    report = Report(key=record.key, epoch=3, metrics={"loss": 1.0}, seconds=0.5, memory_bytes=20)
    new = after_report(record, report, Objective("loss", "min"))
    changed = {"epoch": 3, "curve": (3.0, 2.0, 1.0), "score": 1.0, "best_epoch": 3, "seconds": 1.5}
    assert new == replace(record, **changed, memory_bytes=20, attempts=0, metrics={})
    assert all(getattr(record, field.name) != field.default for field in fields(MemberRecord) if field.name != "cause")
    trial = Trial(
        number=0,
        values={"x": 1},
        members=(replace(record, purpose="search"),),
        parameters=3,
        source="default",
        engine="fit",
        latency=0.5,
        origin=Origin(ancestors=(Ancestor(trial=4, until=1, values={"x": 2}),), replaces=5),
        note="seen",
        tags=("good",),
    )
    history = History(Terms(objective=Objective("loss", "min"), epochs=9))
    history._keep(trial)
    history.apply(report)
    derived = {"state", "cause", "message", "score", "spread", "epochs", "seconds", "members", "metrics"}
    kept = [field.name for field in fields(Trial) if field.name not in derived]
    assert [getattr(history.trial(0), name) for name in kept] == [getattr(trial, name) for name in kept]
    assert all(getattr(trial, field.name) != field.default for field in fields(Trial) if field.name in kept)


def test_a_history_tells_which_trials_have_changed() -> None:
    terms = Terms(objective=Objective("loss", "min"), epochs=9)
    history = History(terms)
    for number in range(3):
        history.apply(TrialStarted(trial=number, values={}, until=9, epochs=9, seeds=(0,)))
    assert [trial.number for trial in history.changed_after(0)] == [0, 1, 2]
    before = history.version
    assert history.changed_after(before) == []
    history.apply(Report(key=MemberKey(2, 0, 0), epoch=1, metrics={"loss": 1.0}))
    history.apply(Report(key=MemberKey(0, 0, 0), epoch=1, metrics={"loss": 1.0}))
    assert history.changed_after(before) == [history.trial(0), history.trial(2)]
