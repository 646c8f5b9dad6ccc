"""What every store must hold to: run `check_store` over your own implementation of `dialed.store.protocol.Store`."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from dialed.clock import Clock
from dialed.errors import LeaseLostError, StoreError
from dialed.events import (
    BudgetSet,
    Built,
    Enqueued,
    Event,
    Measured,
    MembersAdded,
    Noted,
    PauseSet,
    Returned,
    Saved,
    SessionEnded,
    SessionStarted,
    SpaceSet,
    StopAsked,
    TrialContinued,
    TrialCopied,
    TrialStarted,
    TrialStopped,
    WorkerJoined,
    WorkerLeft,
)
from dialed.search.history import History, Terms
from dialed.store.protocol import Store
from dialed.trial import Ancestor, Cause, CheckpointRef, MemberKey, Objective, Outcome, Report, State

__all__ = ["STORE_CHECKS", "TERMS", "HandClock", "MakeStore", "check_store"]

MakeStore: TypeAlias = Callable[[Terms, Clock], Store]
"""Makes the store of a new, empty study."""

TERMS = Terms(objective=Objective(name="val_loss", direction="min"), epochs=4)
"""What the studies of the checks train for."""

_A, _B = "one", "two"  # workers of another make: nobody can tell whether they live
_CHECKPOINT = CheckpointRef(path="trial0.npz", digest="0" * 64, bytes=10, epoch=2)


@dataclass(slots=True)
class HandClock:
    """A clock that goes when it is told to. `time` is in seconds."""

    time: float = 1_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds


def check_store(make_store: MakeStore) -> None:
    """Hold a store to all of `STORE_CHECKS`.

    Args:
        make_store: Makes the store of a new, empty study with the given terms; the store takes its time from the clock.

    Raises:
        AssertionError: At the first truth that does not hold, in its words.

    Example:
        >>> from dialed.store import open_catalog
        >>> from dialed.testing.stores import check_store
        >>> def make_store(terms, clock):
        ...     return open_catalog("sqlite:///:memory:", clock=clock).create("study", terms, {})
        >>> check_store(make_store)
    """
    for check in STORE_CHECKS:
        check(make_store)


def events_come_back_in_order(make_store: MakeStore) -> None:
    """What goes in comes out: equal events, in order, with rising cursors and the clock's times."""
    clock = HandClock()
    store = make_store(TERMS, clock)
    kinds = (*_ALL_KINDS, *_COPIES, *_WISHES, *_COMINGS, *_TIMES)
    for event in kinds:
        clock.advance(1.0)
        store.append([event])
    found = store.history()
    _equal([record.event for record in found], kinds)
    _equal([record.time - 1_000_000.0 for record in found], [1.0 + n for n in range(len(kinds))])
    _holds(all(a.cursor < b.cursor for a, b in pairwise(found)), "cursors rise")


def values_keep_their_types(make_store: MakeStore) -> None:
    """`True`, `1`, `1.0`, `"1"` and `None` stay what they are; NaN and the infinities survive."""
    store = make_store(TERMS, HandClock())
    values = {
        "a": True,
        "b": 1,
        "c": 1.0,
        "d": "1",
        "e": None,
        "f": math.inf,
        "g": 0.1 + 0.2,
        "\u00e9\ud800\0": "\ud800\0",
    }
    store.append([_start(0, values=values), Report(key=_key(0), epoch=1, metrics={"val_loss": math.nan})])
    started, report = (record.event for record in store.history())
    _holds(isinstance(started, TrialStarted) and isinstance(report, Report), "the kinds are kept")
    _equal(repr(dict(getattr(started, "values", {}))), repr(values))
    _holds(math.isnan(getattr(report, "metrics", {"val_loss": 0.0})["val_loss"]), "NaN survives")


def history_goes_on_from_a_cursor(make_store: MakeStore) -> None:
    """`history(after)` gives what was stored after; `append` returns the cursor to ask from, also for nothing."""
    store = make_store(TERMS, HandClock())
    first = store.append([_start(0), _start(1)])
    _equal(store.append([]), first)
    last = store.append([TrialStopped(trial=0)])
    _equal([record.event for record in store.history(first)], [TrialStopped(trial=0)])
    _equal(store.history(last), [])


def a_known_epoch_is_dropped(make_store: MakeStore) -> None:
    """A report of an epoch that is known already is not stored, and is no error."""
    store = make_store(TERMS, HandClock())
    store.append([_start(0), _report(0, 1), _report(0, 2)])
    store.append([_report(0, 2, 9.0), _report(0, 3), _report(0, 1, 9.0)])
    reports = [r.event.epoch for r in store.history() if isinstance(r.event, Report)]
    _equal(reports, [1, 2, 3])


def the_oldest_trial_is_leased_first(make_store: MakeStore) -> None:
    """Waiting members are handed out oldest trial first, at most `limit`, with their values, never twice."""
    store = make_store(TERMS, HandClock())
    store.append([_start(n, seeds=(5, 3), values={"x": n}) for n in range(3)])
    first = store.lease(_A, limit=3, seconds=60)
    _equal([lease.member.key for lease in first], [MemberKey(0, 5, 0), MemberKey(0, 3, 0), MemberKey(1, 5, 0)])
    _equal([lease.member.values["x"] for lease in first], [0, 0, 1])
    _equal([(lease.until, lease.member.epoch, lease.member.checkpoint) for lease in first], [(2, 0, None)] * 3)
    second = store.lease(_B, limit=9, seconds=60)
    _equal([lease.member.key for lease in second], [MemberKey(1, 3, 0), MemberKey(2, 5, 0), MemberKey(2, 3, 0)])
    _equal(store.lease(_A, limit=9, seconds=60) + store.lease(_B, limit=0, seconds=60), [])


def only_waiting_members_are_leased(make_store: MakeStore) -> None:
    """A paused member is leased again once it is continued, from its checkpoint; a finished or stopped one is not."""
    store = make_store(TERMS, HandClock())
    store.append([_start(n) for n in range(3)])
    store.lease(_A, limit=2, seconds=60)
    paused = Outcome(key=_key(0), state=State.PAUSED, epoch=2, last=_CHECKPOINT)
    failed = Outcome(key=_key(1), state=State.FAILED, epoch=0, cause=Cause.NAN, message="NaN")
    store.append([_report(0, 1), _report(0, 2), paused, failed], worker=_A)
    store.append([TrialStopped(trial=2)])
    _equal(store.lease(_B, limit=9, seconds=60), [])
    store.append([TrialContinued(trial=0, until=4)])
    leases = store.lease(_B, limit=9, seconds=60)
    _equal([(lease.member.key, lease.until, lease.member.epoch) for lease in leases], [(_key(0), 4, 2)])
    _equal([lease.member.checkpoint for lease in leases], [_CHECKPOINT])


def members_of_a_confirmation_are_leased(make_store: MakeStore) -> None:
    """Members that judge a trial are trained like others, and know their purpose."""
    store = make_store(TERMS, HandClock())
    store.append([_start(0)])
    store.lease(_A, limit=1, seconds=60)
    store.append([_report(0, 1), _report(0, 2), Outcome(key=_key(0), state=State.COMPLETED, epoch=2)], worker=_A)
    store.append([MembersAdded(trial=0, until=4, seeds=(7,), folds=(0, 1))])
    leases = store.lease(_A, limit=9, seconds=60)
    _equal([lease.member.key for lease in leases], [MemberKey(0, 7, 0), MemberKey(0, 7, 1)])
    _equal({lease.member.purpose for lease in leases}, {"confirm"})


def one_purpose_can_be_leased_alone(make_store: MakeStore) -> None:
    """With a `purpose`, only its members are handed out, though older trials wait."""
    store = make_store(TERMS, HandClock())
    store.append([_start(0), _start(1), MembersAdded(trial=1, until=2, seeds=(99,))])
    of_confirmation = store.lease(_A, limit=9, seconds=60, purpose="confirm")
    _equal([lease.member.key for lease in of_confirmation], [MemberKey(1, 99, 0)])
    of_search = store.lease(_A, limit=9, seconds=60, purpose="search")
    _equal([lease.member.key.trial for lease in of_search], [0, 1])


def an_expired_lease_returns_the_member(make_store: MakeStore) -> None:
    """When a lease expires, the member goes back into the queue from its last checkpoint, and an attempt is counted."""
    clock = HandClock()
    store = make_store(TERMS, clock)
    store.append([_start(0)])
    store.lease(_A, limit=1, seconds=60)
    store.append([_report(0, 1), _report(0, 2), _report(0, 3), _saved(0)], worker=_A)
    clock.advance(59)
    _equal(store.lease(_B, limit=1, seconds=60), [])
    clock.advance(2)
    again = store.lease(_B, limit=1, seconds=60)
    _equal([(lease.member.key, lease.member.epoch) for lease in again], [(_key(0), 2)])
    _equal([lease.member.checkpoint for lease in again], [_CHECKPOINT])
    returned = [r.event for r in store.history() if isinstance(r.event, Returned)]
    _equal([(event.key, event.cause) for event in returned], [(_key(0), Cause.KILLED)])


def a_member_that_was_not_begun_costs_no_attempt(make_store: MakeStore) -> None:
    """Of a lost worker's members, only those that it had begun count an attempt."""
    clock = HandClock()
    store = make_store(TERMS, clock)
    store.append([_start(n) for n in range(3)])
    store.lease(_A, limit=3, seconds=60)
    store.append([Built(trial=1, values={"x": 1}), _report(2, 1)], worker=_A)
    clock.advance(61)
    _equal(len(store.lease(_B, limit=3, seconds=60)), 3)
    _equal([r.event.key for r in store.history() if isinstance(r.event, Returned)], [_key(1), _key(2)])


def a_member_that_kills_is_given_up(make_store: MakeStore) -> None:
    """A member whose worker dies again and again before its first sign fails in the end."""
    clock = HandClock()
    store = make_store(TERMS, clock)
    store.append([_start(0)])
    for _ in range(1 + Cause.KILLED.retries):
        _equal(len(store.lease(_A, limit=1, seconds=60)), 1)
        clock.advance(61)
    _equal(store.lease(_A, limit=1, seconds=60), [])
    record = _fold(store).member(_key(0))
    _equal((record.state, record.cause, record.attempts), (State.FAILED, Cause.KILLED, 1 + Cause.KILLED.retries))


def a_renewed_lease_lasts(make_store: MakeStore) -> None:
    """`renew` keeps all leases of a worker, and nobody else's."""
    clock = HandClock()
    store = make_store(TERMS, clock)
    store.append([_start(0), _start(1), _start(2)])
    store.lease(_A, limit=2, seconds=60)
    store.lease(_B, limit=1, seconds=60)
    clock.advance(50)
    store.renew(_A, seconds=60)
    clock.advance(50)
    _equal([lease.member.key for lease in store.lease("three", limit=9, seconds=60)], [_key(2)])
    store.append([_report(0, 1), _report(1, 1)], worker=_A)


def who_lost_the_lease_is_not_heard(make_store: MakeStore) -> None:
    """A worker without the lease gets `LeaseLostError` for each event of the member, and nothing of it is stored."""
    clock = HandClock()
    store = make_store(TERMS, clock)
    store.append([_start(0), _start(1)])
    store.lease(_A, limit=2, seconds=60)
    store.append([Outcome(key=_key(1), state=State.FAILED, epoch=0, cause=Cause.ERROR)], worker=_A)
    clock.advance(61)
    store.lease(_B, limit=1, seconds=60)
    before = store.history()
    outcome = Outcome(key=_key(0), state=State.FAILED, epoch=0, cause=Cause.NAN)
    for late in (_report(0, 1), _saved(0), outcome, _report(1, 1)):
        with _raises(LeaseLostError):
            store.append([SessionStarted(worker=_A, settings={}), late], worker=_A)
    _equal(store.history(), before)
    store.append([_report(0, 1)], worker=_B)


def a_stopped_member_is_nobodys(make_store: MakeStore) -> None:
    """A member that is stopped before its first report takes the lease with it."""
    store = make_store(TERMS, HandClock())
    store.append([_start(0)])
    store.lease(_A, limit=1, seconds=60)
    store.append([TrialStopped(trial=0)])
    with _raises(LeaseLostError):
        store.append([_report(0, 1)], worker=_A)


def an_illegal_change_is_refused(make_store: MakeStore) -> None:
    """What cannot have happened is refused with all that came with it: nothing is half stored."""
    store = make_store(TERMS, HandClock())
    failed = Outcome(key=_key(0), state=State.FAILED, epoch=0, cause=Cause.NAN)
    store.append([_start(0), failed])
    before = store.history()
    illegal: Sequence[Event] = (
        failed,
        Outcome(key=_key(0), state=State.PAUSED, epoch=1),
        _report(0, 1),
        _start(0),
        _start(9, seeds=()),
        _start(9, seeds=(1, 1)),
        MembersAdded(trial=0, until=1, seeds=(0,)),
        TrialStarted(trial=9, values={}, until=1, epochs=1, seeds=(0,), source="enqueued"),
        _report(7, 1),
        Built(trial=7, values={}),
        Measured(trial=7, latency=0.1),
        TrialStopped(trial=7),
        Saved(key=MemberKey(0, 99, 0), kind="last", checkpoint=_CHECKPOINT),
    )
    for event in illegal:
        with _raises(StoreError):
            store.append([SpaceSet(space={}), event])
    _equal(store.history(), before)


def threads_never_share_a_member(make_store: MakeStore) -> None:
    """Threads that lease, report and end members while others renew get each member once, and lose nothing."""
    store = make_store(TERMS, HandClock())
    store.append([_start(n) for n in range(40)])
    got: list[MemberKey] = []
    done = threading.Event()

    def work(worker: str) -> None:
        while leases := store.lease(worker, limit=3, seconds=60):
            for lease in leases:
                got.append(lease.member.key)
                number = lease.member.key.trial
                store.append([_report(number, 1), _report(number, 2)], worker=worker)
                store.append([Outcome(key=lease.member.key, state=State.COMPLETED, epoch=2)], worker=worker)

    def renew(worker: str) -> None:
        while not done.is_set():
            store.renew(worker, seconds=60)

    workers = [f"worker {n}" for n in range(4)]
    with ThreadPoolExecutor(8) as pool:
        renewals = [pool.submit(renew, worker) for worker in workers]
        jobs = [pool.submit(work, worker) for worker in workers]
        try:
            for job in jobs:
                job.result()
        finally:
            done.set()
        for renewal in renewals:
            renewal.result()
    _equal(sorted(got), [_key(n) for n in range(40)])
    _equal({trial.state for trial in _fold(store).trials}, {State.COMPLETED})
    _equal(len(store.history()), 40 * 4)


def _key(trial: int) -> MemberKey:
    return MemberKey(trial, 0, 0)


def _start(trial: int, *, seeds: tuple[int, ...] = (0,), values: dict[str, object] | None = None) -> TrialStarted:
    return TrialStarted(trial=trial, values=values or {}, until=2, epochs=4, seeds=seeds)  # type: ignore[arg-type]


def _report(trial: int, epoch: int, value: float = 0.5) -> Report:
    return Report(key=_key(trial), epoch=epoch, metrics={"val_loss": value})


def _saved(trial: int) -> Saved:
    return Saved(key=_key(trial), kind="last", checkpoint=_CHECKPOINT)


_ALL_KINDS: Sequence[Event] = (
    SessionStarted(worker="w", settings={"a": [1, {"b": None}], "c": 1.5}),
    SpaceSet(space={"x": {"low": 0.0}}),
    Enqueued(values={"x": 2}),
    TrialStarted(
        trial=0, values={"x": 2, "y": "relu"}, until=2, epochs=4, seeds=(0, 2**40), folds=(0, 1), source="enqueued"
    ),
    Built(
        trial=0, values={"x": 2, "y": "relu", "z": True}, parameters=2**40, engine="fit: custom Python", space={"x": 1}
    ),
    Report(key=_key(0), epoch=1, metrics={"val_loss": 0.25, "loss": 1e-300}, seconds=1.5, memory_bytes=2**33),
    Saved(key=_key(0), kind="best", checkpoint=_CHECKPOINT),
    Outcome(key=_key(0), state=State.COMPLETED, epoch=2, last=_CHECKPOINT, best=_CHECKPOINT),
    Returned(key=MemberKey(0, 2**40, 1), cause=Cause.OUT_OF_MEMORY, message="no room \u2603"),
    Outcome(key=MemberKey(0, 2**40, 1), state=State.FAILED, epoch=0, cause=Cause.OUT_OF_MEMORY, message="still none"),
    Report(key=MemberKey(0, 0, 1), epoch=1, metrics={"val_loss": 3.0}, final=True),
    Outcome(key=MemberKey(0, 0, 1), state=State.PAUSED, epoch=1),
    MembersAdded(trial=0, until=4, seeds=(11, 12), folds=(0,)),
    TrialStopped(trial=0),
    TrialContinued(trial=0, until=4),
    SessionEnded(reason="The budget is spent.", finished=True, seconds=12.5),
)


_COPIES: Sequence[Event] = (
    TrialStarted(trial=1, values={"x": 1.5}, until=2, epochs=4, seeds=(0,)),
    Report(key=_key(1), epoch=2, metrics={"val_loss": 0.5}),
    Outcome(key=_key(1), state=State.PAUSED, epoch=2, last=replace(_CHECKPOINT, epoch=2)),
    TrialStarted(trial=2, values={"x": 2.5}, until=2, epochs=4, seeds=(0,)),
    TrialCopied(
        trial=3, values={"x": 1.25}, replaces=2, ancestors=(Ancestor(trial=1, until=2, values={"x": 1.5}),), until=4
    ),
)


_WISHES: Sequence[Event] = (
    Noted(trial=0, text="loss jumps at epoch 3 \u2603", tags=("odd", "look again")),
    StopAsked(trial=1),
    PauseSet(paused=True),
    BudgetSet(max_trials=30, max_epochs=None, max_seconds=12.5),
)
_COMINGS: Sequence[Event] = (
    WorkerJoined(worker="host:1:2-3", lanes=8),
    WorkerLeft(worker="host:1:2-3", reason="it was told to"),
)


def _fold(store: Store) -> History:
    return History(TERMS, (record.event for record in store.history()))


def _equal(found: object, expected: object) -> None:
    if isinstance(expected, (list, tuple)) and isinstance(found, (list, tuple)):
        found, expected = list(found), list(expected)
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def _holds(truth: bool, text: str) -> None:
    if not truth:
        raise AssertionError(f"it must hold that {text}")


@contextmanager
def _raises(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kind:
        return
    raise AssertionError(f"expected {kind.__name__}, but nothing was raised")


STORE_CHECKS: Sequence[Callable[[MakeStore], None]] = (
    events_come_back_in_order,
    values_keep_their_types,
    history_goes_on_from_a_cursor,
    a_known_epoch_is_dropped,
    the_oldest_trial_is_leased_first,
    only_waiting_members_are_leased,
    members_of_a_confirmation_are_leased,
    one_purpose_can_be_leased_alone,
    an_expired_lease_returns_the_member,
    a_member_that_was_not_begun_costs_no_attempt,
    a_member_that_kills_is_given_up,
    a_renewed_lease_lasts,
    who_lost_the_lease_is_not_heard,
    a_stopped_member_is_nobodys,
    an_illegal_change_is_refused,
    threads_never_share_a_member,
)
"""Each is a truth about stores; its name says which."""
_TIMES: Sequence[Event] = (Measured(trial=0, latency=0.00025),)
