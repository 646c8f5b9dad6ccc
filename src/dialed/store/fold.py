"""What a batch of events changes in the derived rows: the fold of `search.History`, kept to the rows it touches.

The arithmetic is History's own (`after_report`, `after_outcome`, `after_return`, `aggregate`). What is added here is
what only a store can know: who holds which member, and whether an event is legal. Nothing here does I/O: rows come
from `load`, and whoever drives the draft writes what it changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product

from dialed.errors import LeaseLostError, StoreError
from dialed.events import (
    Built,
    Enqueued,
    Event,
    Measured,
    MembersAdded,
    Noted,
    Returned,
    Saved,
    SessionEnded,
    SessionStarted,
    StopAsked,
    TrialContinued,
    TrialCopied,
    TrialStarted,
    TrialStopped,
)
from dialed.search.history import after_outcome, after_report, after_return, copied
from dialed.trial import MemberKey, MemberRecord, Objective, Outcome, Purpose, Report, State, check_change

__all__ = ["Counters", "Draft", "MemberRow", "trial_of"]

_IN_HAND = (State.WAITING, State.RUNNING)
"""States in which a member may be leased. RUNNING in the record means: begun, and not ended yet."""


@dataclass(slots=True, kw_only=True)
class MemberRow:
    """A member as its row holds it: the record (without its curve), and who trains it now."""

    record: MemberRecord
    place: int
    worker: str | None = None
    lease_until: float | None = None
    begun: bool = False

    def free(self) -> None:
        """End the lease."""
        self.worker, self.lease_until, self.begun = None, None, False


@dataclass(slots=True, kw_only=True)
class Counters:
    """A study's row, as far as events change it."""

    state: str
    cursor: int
    trials: int
    enqueued: int
    epochs: int
    seconds: float


class Draft:
    """Applies events to the rows they touch, and remembers which those are.

    Args:
        objective: The metric that the study improves.
        counters: The study's row; changed in place.
        load: Returns a trial's members in their order; none for an unknown trial.
        worker: Who appends. Defaults to somebody who needs no leases.
    """

    def __init__(
        self,
        objective: Objective,
        counters: Counters,
        load: Callable[[int], list[MemberRow]],
        *,
        worker: str | None = None,
    ) -> None:
        self.counters = counters
        self.stored: list[Event] = []
        self.started: dict[int, TrialStarted | TrialCopied] = {}
        self.built: dict[int, Built] = {}
        self.noted: dict[int, Noted] = {}
        self.measured: dict[int, Measured] = {}
        self.copies: set[int] = set()
        self.added: list[MemberRow] = []
        self.changed: dict[MemberKey, MemberRow] = {}
        self._objective = objective
        self._load = load
        self._worker = worker
        self._trials: dict[int, list[MemberRow]] = {}

    def members(self, trial: int) -> list[MemberRow]:
        """Return the rows of a trial's members. Raises `StoreError` when there is no such trial."""
        rows = self._trials.get(trial)
        if rows is None:
            rows = self._trials[trial] = self._load(trial)
        if not rows:
            raise StoreError(f"An event must be of a trial that was started. Got one of trial {trial}, which was not.")
        return rows

    @property
    def touched(self) -> Iterable[int]:
        """The trials whose state or score may have changed."""
        return {key.trial for key in self.changed} | {row.record.key.trial for row in self.added}

    def apply(self, event: Event) -> None:
        """Count one more event. Raises `StoreError` when it is not legal after those before it."""
        match event:
            case Report():
                if not self._report(event):
                    return
            case Saved():
                row = self._row(event.key)
                new = event.checkpoint
                last = event.kind == "last"
                self._put(row, replace(row.record, last=new) if last else replace(row.record, best=new))
            case Outcome():
                self._end(event.key, lambda record: after_outcome(record, event))
            case Returned():
                self._end(event.key, lambda record: after_return(record, event))
            case TrialStarted():
                self._start(event)
            case MembersAdded():
                self._add(event.trial, self.members(event.trial), event, event.until, event.purpose)
            case TrialCopied():
                self._copy(event)
            case TrialContinued():
                self._change(event.trial, (State.PAUSED, State.STOPPED), State.WAITING, event.until)
            case TrialStopped():
                self._change(event.trial, (State.PAUSED, State.WAITING), State.STOPPED, None)
            case Built():
                self._build(event)
            case Measured():
                self.members(event.trial)  # which there must be
                self.measured[event.trial] = event
            case Noted():
                self.members(event.trial)  # which there must be
                self.noted[event.trial] = event
            case StopAsked():
                self.members(event.trial)
            case _:
                self._count(event)
        self.stored.append(event)

    def free(self, key: MemberKey) -> None:
        """End the lease of a member that was not begun: it waits as before, and no event says so."""
        row = self._row(key)
        row.free()
        self.changed[key] = row

    def _count(self, event: Event) -> None:
        match event:
            case Enqueued():
                self.counters.enqueued += 1
            case SessionStarted():
                self.counters.state = "started"
            case SessionEnded():
                self.counters.state = "finished" if event.finished else "started"
                self.counters.seconds += event.seconds

    def _start(self, event: TrialStarted) -> None:
        rows = self._trials[event.trial] = self._load(event.trial)
        if rows or event.trial in self.started:
            raise StoreError(f"A trial can be started once only. Got trial {event.trial} a second time.")
        if event.source == "enqueued":
            if self.counters.enqueued == 0:
                raise StoreError(
                    f"An enqueued trial needs values that wait in the queue. Got trial {event.trial}, but the queue is empty."
                )
            self.counters.enqueued -= 1
        self.started[event.trial] = event
        self.counters.trials += 1
        self._add(event.trial, rows, event, event.epochs, "search")

    def _copy(self, event: TrialCopied) -> None:
        source, epoch = event.ancestors[-1].trial, event.ancestors[-1].until
        rows = self._trials[event.trial] = self._load(event.trial)
        if rows or event.trial in self.started:
            raise StoreError(f"A trial can be started once only. Got trial {event.trial} a second time.")
        for row in self.members(source):
            record = row.record
            if record.purpose == "search":
                _check_copy(record, epoch)
                rows.append(MemberRow(record=copied(record, event), place=len(rows)))
        self.started[event.trial] = event
        self.counters.trials += 1
        self.added += rows
        self._change(event.replaces, (State.PAUSED, State.WAITING), State.STOPPED, None)

    def _add(
        self, trial: int, rows: list[MemberRow], event: TrialStarted | MembersAdded, length: int, purpose: Purpose
    ) -> None:
        keys = [MemberKey(trial, seed, fold) for seed, fold in product(event.seeds, event.folds)]
        if not keys or len({*keys, *(row.record.key for row in rows)}) < len(keys) + len(rows):
            raise StoreError(
                f"New members of a trial need at least one seed and one fold, all new. Got seeds {event.seeds} and folds "
                f"{event.folds} for trial {trial}, which has {len(rows)} members."
            )
        for key in keys:
            since = max((row.record.since for row in rows), default=0)
            record = MemberRecord(key=key, purpose=purpose, until=event.until, length=length, since=since)
            row = MemberRow(record=record, place=len(rows))
            rows.append(row)
            self.added.append(row)

    def _change(self, trial: int, states: tuple[State, ...], state: State, until: int | None) -> None:
        for row in self.members(trial):
            record = row.record
            if record.state in states and record.purpose == "search":
                row.free()
                self._put(row, replace(record, state=state, until=record.until if until is None else until))

    def _build(self, event: Built) -> None:
        for row in self.members(event.trial):
            if row.worker is not None and self._worker in (None, row.worker) and not row.begun:
                row.begun = True
                self._put(row, row.record)
        self.built[event.trial] = event
        if any(row.record.since for row in self.members(event.trial)):
            self.copies.add(event.trial)

    def _report(self, event: Report) -> bool:
        row = self._row(event.key)
        new = after_report(row.record, event, self._objective)
        if new is row.record:
            return False
        if row.record.state not in _IN_HAND:
            _check(event.key, row.record.state, State.RUNNING)
        self.counters.epochs += new.epoch - row.record.epoch
        self._put(row, replace(new, curve=()))
        return True

    def _end(self, key: MemberKey, change: Callable[[MemberRecord], MemberRecord]) -> None:
        row = self._row(key)
        new = change(row.record)
        _check(key, State.RUNNING if row.record.state in _IN_HAND else row.record.state, new.state)
        row.free()
        self._put(row, new)

    def _row(self, key: MemberKey) -> MemberRow:
        """Return the member's row, once it is sure that the worker may speak for it."""
        row = next((row for row in self.members(key.trial) if row.record.key == key), None)
        if row is None:
            raise StoreError(
                f"An event must be of a member of its trial. Got {key}, which trial {key.trial} does not have."
            )
        if self._worker is not None:
            if row.worker != self._worker:
                raise LeaseLostError(
                    f"Worker {self._worker} must hold the lease of member {tuple(key)}, but {_holder(row)}. Stop training it: "
                    "what it reported before is stored, nothing of this was."
                )
            if not row.begun:
                row.begun = True
                self.changed[key] = row
        return row

    def _put(self, row: MemberRow, record: MemberRecord) -> None:
        row.record = record
        self.changed[record.key] = row


def trial_of(event: Event) -> int | None:
    """Return the number of the trial that the event is about, if it is about one."""
    key = getattr(event, "key", None)
    return key.trial if key is not None else getattr(event, "trial", None)


def _check(key: MemberKey, old: State, new: State) -> None:
    try:
        check_change(old, new)
    except ValueError as error:
        raise StoreError(f"Member {tuple(key)} cannot change so. {error}") from error


def _check_copy(record: MemberRecord, epoch: int) -> None:
    if record.last is None or record.last.epoch != epoch or record.epoch != epoch:
        has = "no checkpoint" if record.last is None else f"a checkpoint of {record.last.epoch}"
        raise StoreError(
            f"A state can be copied where it is at rest, with its checkpoint. Member {tuple(record.key)} was to be copied "
            f"after {epoch} epochs; it has {record.epoch} epochs and {has}."
        )


def _holder(row: MemberRow) -> str:
    if row.worker is not None:
        return f"{row.worker} holds it"
    return f"nobody does: it is {row.record.state}, its lease ended or was taken back"
