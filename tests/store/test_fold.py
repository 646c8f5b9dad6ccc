"""The derived rows always equal a fold of the events."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialed.errors import StoreError
from dialed.events import (
    Built,
    Enqueued,
    Event,
    MembersAdded,
    Noted,
    Returned,
    Saved,
    SessionEnded,
    SessionStarted,
    TrialContinued,
    TrialCopied,
    TrialStarted,
    TrialStopped,
)
from dialed.search.history import History, Terms
from dialed.store import SqlStore, open_catalog
from dialed.store.rows import visible
from dialed.testing.stores import HandClock
from dialed.trial import Ancestor, Cause, CheckpointRef, MemberKey, Objective, Outcome, Report, State

TERMS = Terms(objective=Objective(name="score", direction="max"), epochs=3)
CLOCK = HandClock()
CATALOG = open_catalog(
    "sqlite:///:memory:", clock=CLOCK
)  # one for all examples: making tables takes longer than a play
WORKERS = (None, None, None, "one", "one", "two")

Step = tuple[str, int, int, float]
steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "start",
                "lease",
                *["report"] * 6,
                "save",
                *["copy"] * 3,
                *["outcome"] * 4,
                "return",
                "stop",
                "continue",
                "add",
                "build",
                "note",
            ]
            + ["expire", "release", "enqueue", "session"]
        ),
        st.integers(0, 5),
        st.integers(0, 3),
        st.sampled_from([0.0, 0.5, 0.25, -1.0, math.inf, -math.inf, math.nan]),
    ),
    min_size=20,
    max_size=60,
).map(lambda plan: [("start", 1, 0, 0.0), ("start", 0, 1, 0.0), ("lease", 1, 0, 0.0), *plan])


def events_of(step: Step, count: int) -> list[Event]:
    """What the step says happened; legal or not."""
    name, a, b, value = step
    key = MemberKey(a % min(max(count, 1), 3), a % 2, 0)
    ref = CheckpointRef(path=f"c{a}{b}", digest="d", bytes=a, epoch=b)
    match name:
        case "start":
            source = "enqueued" if b == 3 else "strategy"
            seeds = (0, 1)[: 1 + a % 2]
            return [TrialStarted(trial=count, values={"x": a}, until=1 + b % 2, epochs=2, seeds=seeds, source=source)]
        case "report":
            return [Report(key=key, epoch=b, metrics={"score": value}, seconds=0.5, final=a == 5)]
        case "save":
            return [Saved(key=key, kind="last" if a % 2 else "best", checkpoint=ref)]
        case "outcome":
            states = (State.PAUSED, State.COMPLETED, State.FAILED, State.PAUSED)
            cause = Cause.NAN if states[b] is State.FAILED else None
            return [Outcome(key=key, state=states[b], epoch=1, cause=cause, message="\u2603\ud800\0"[:b], last=ref)]
        case "return":
            return [Returned(key=key, cause=(Cause.KILLED, Cause.OUT_OF_MEMORY)[b % 2])]
        case "stop":
            return [TrialStopped(trial=key.trial)]
        case "continue":
            return [TrialContinued(trial=key.trial, until=2)]
        case "copy":
            source, replaced = Ancestor(trial=key.trial, until=1, values={"x": a}), (key.trial + 1) % max(count, 1)
            return [TrialCopied(trial=count, values={"x": -a}, replaces=replaced, ancestors=(source,), until=2)]
        case "add":
            return [MembersAdded(trial=key.trial, until=2, seeds=(10 + a,), purpose=("search", "confirm")[b % 2])]
        case "build":
            return [Built(trial=key.trial, values={"x": a, "y": b}, parameters=a, engine="fit")]
        case "note":
            return [Noted(trial=key.trial, text=f"note {a}", tags=("tag", f"{b}")[: b + 1])]
        case "enqueue":
            return [Enqueued(values={"x": a})]
        case _:
            return [SessionStarted(worker="w", settings={}), SessionEnded(reason="", finished=b > 1, seconds=1.5)]


def play(store: SqlStore, clock: HandClock, plan: Sequence[Step]) -> None:
    """Do what can be done of the plan; the store refuses the rest."""
    for step in plan:
        name, a, b, _ = step
        worker = ("one", "two")[b % 2]
        if name == "lease":
            store.lease(worker, limit=1 + a, seconds=60)
        elif name == "expire":
            clock.advance(61)
        elif name == "release":
            store.release(worker)
        else:
            try:
                store.append(events_of(step, store.info.trials), worker=WORKERS[a])
            except StoreError:
                continue


def played(plan: Sequence[Step]) -> SqlStore:
    store = CATALOG.create(secrets.token_hex(8), TERMS, {})
    play(store, CLOCK, plan)
    return store


def leases(store: SqlStore) -> set[MemberKey]:
    with store._database.reading() as cursor:
        statement = "SELECT trial, seed, fold FROM dialed_members WHERE worker IS NOT NULL AND study = :study"
        rows = cursor.execute(statement, {"study": store._study}).fetchall()
    return {MemberKey(*row) for row in rows}


def rows_of(history: History, held: set[MemberKey]) -> list[Any]:
    """The history's trials as the store's rows show them: without curves, and with the leases of this moment."""
    found = []
    for trial in history.trials:
        mine = any(key.trial == trial.number for key in held)
        members = tuple(replace(m, curve=(), message=cleaned(m.message)) for m in trial.members)
        shown = replace(trial, members=members, state=visible(trial.state, leased=mine), message=cleaned(trial.message))
        found.append(shown)
    return found


def cleaned(message: str) -> str:
    return message.replace("\ud800", "?").replace("\0", "?")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_rows_equal_the_fold(plan: list[Step]) -> None:
    store = played(plan)
    history, info = store.load_history(), store.info
    assert [store.trial_row(trial.number) for trial in history.trials] == rows_of(history, leases(store))
    best = history.best_trial
    assert (info.best_trial, info.best_score) == ((best.number, best.score) if best else (None, None))
    assert (info.trials, info.epochs, info.seconds) == (len(history), history.epochs, history.finished_seconds)
    assert [t.number for t in store.trial_rows(order="score")][:1] == ([best.number] if best else [])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_a_leased_member_is_always_in_hand(plan: list[Step]) -> None:
    """Nobody holds a lease of a member that is paused or over."""
    store = played(plan)
    history = store.load_history()
    assert {history.member(key).state for key in leases(store)} <= {State.WAITING, State.RUNNING}


def test_the_rows_can_be_made_anew_from_the_events() -> None:
    """A second store that is given the same events has the same rows: they hold nothing of their own."""
    clock = HandClock()
    plan: list[Step] = [("start", 1, 1, 0.0), ("lease", 5, 0, 0.0), ("report", 0, 1, 0.5), ("outcome", 0, 1, 0.0)]
    with open_catalog("sqlite:///:memory:", clock=clock) as catalog:
        first, second = (catalog.create(name, TERMS, {}) for name in ("first", "second"))
        play(first, clock, plan)
        first.release("one")
        second.append([record.event for record in first.history()])
        assert second.trial_row(0) == first.trial_row(0)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (TrialStopped(trial=4), "must be of a trial that was started. Got one of trial 4"),
        (TrialStarted(trial=0, values={}, until=1, epochs=1, seeds=(0,)), "started once only. Got trial 0"),
        (TrialStarted(trial=1, values={}, until=1, epochs=1, seeds=()), "at least one seed and one fold"),
        (TrialStarted(trial=1, values={}, until=1, epochs=1, seeds=(0,), source="enqueued"), "the queue is empty"),
        (Report(key=MemberKey(0, 9, 0), epoch=1, metrics={}), "must be of a member of its trial"),
        (Outcome(key=MemberKey(0, 0, 0), state=State.STOPPED, epoch=1), "cannot change so. A member that is stopped"),
    ],
)
def test_an_illegal_event_says_what_is_wrong(store: SqlStore, event: Event, message: str) -> None:
    start = TrialStarted(trial=0, values={}, until=1, epochs=1, seeds=(0,))
    store.append([start, Outcome(key=MemberKey(0, 0, 0), state=State.STOPPED, epoch=0)])
    with pytest.raises(StoreError, match=message.replace("(", r"\(")):
        store.append([event])
