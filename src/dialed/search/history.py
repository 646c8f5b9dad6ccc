"""What a strategy sees: the history of a study, folded from its events.

`History.apply` takes events in their order. Nothing here reads a clock or a store, so the same events give the same
history anywhere, and a resumed study decides as an undisturbed one would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dialed.events import (
    Built,
    Enqueued,
    Event,
    MembersAdded,
    Returned,
    Saved,
    SessionEnded,
    SpaceSet,
    TrialContinued,
    TrialStarted,
    TrialStopped,
)
from dialed.trial import (
    MemberKey,
    MemberRecord,
    Objective,
    Outcome,
    Report,
    State,
    Trial,
    Values,
    aggregate,
)

__all__ = ["History", "Terms", "after_outcome", "after_report", "after_return"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a study trains each trial for.

    Args:
        objective: The metric to improve.
        epochs: Epochs of a full training.
        seeds: One per repeat; every trial uses the same ones, so that trials are compared in pairs.
        folds: Indices of the folds; `(0,)` where there is no cross-validation.
        seed: The study's own seed, from which strategies draw and the members' seeds come.
        max_trials: The budget in trials, if there is one. Strategies size their start by it.
        max_epochs: The budget in trained epochs over the whole study, if there is one.
    """

    objective: Objective
    epochs: int = 1
    seeds: tuple[int, ...] = (0,)
    folds: tuple[int, ...] = (0,)
    seed: int = 0
    max_trials: int | None = None
    max_epochs: int | None = None


def after_report(record: MemberRecord, report: Report, objective: Objective) -> MemberRecord:
    """`record` once `report` is counted. A report of an epoch that is already known changes nothing.

    After a kill, a member goes on from its last checkpoint and may report epochs a second time.
    """
    if report.epoch <= record.epoch:
        return record
    value = report.metrics.get(objective.name, float("nan"))
    gap = (float("nan"),) * (report.epoch - 1 - len(record.curve))  # epochs without a validation
    better = objective.better(value, None if report.final else record.score)
    return replace(
        record,
        state=State.RUNNING,
        epoch=report.epoch,
        curve=(*record.curve, *gap, value),
        score=value if better else None if report.final else record.score,
        best_epoch=report.epoch if better else record.best_epoch,
        seconds=record.seconds + report.seconds,
        memory_bytes=_largest(record.memory_bytes, report.memory_bytes),
        attempts=0,
    )


def after_outcome(record: MemberRecord, outcome: Outcome) -> MemberRecord:
    """`record` once its training ended with `outcome`."""
    state = outcome.state
    if state is State.PAUSED:
        if record.epoch >= record.length:
            state = State.COMPLETED
        elif record.epoch < record.until:
            state = State.WAITING
    return replace(
        record,
        state=state,
        cause=outcome.cause,
        message=outcome.message,
        last=outcome.last or record.last,
        best=outcome.best or record.best,
        attempts=0 if state is not State.FAILED else record.attempts,
    )


def after_return(record: MemberRecord, returned: Returned) -> MemberRecord:
    """`record` once it came back into the queue without an outcome; failed when that happened too often."""
    attempts = record.attempts + 1
    if attempts > returned.cause.retries:
        return replace(record, state=State.FAILED, attempts=attempts, cause=returned.cause, message=returned.message)
    return replace(record, state=State.WAITING, attempts=attempts)


def _largest(a: int | None, b: int | None) -> int | None:
    return max((v for v in (a, b) if v is not None), default=None)


class History:
    """The trials of a study so far, in the order in which they were begun.

    Args:
        terms: What the study trains each trial for.
        events: Events to begin with. Defaults to none.

    Attributes:
        space_json: The space as it is now, as JSON; `None` before it is set.
        enqueued: What the user asked for and was not begun yet, the oldest first.
        finished_seconds: Seconds of the sessions that ended.
        memo: For caches of what follows from this history. Emptying it changes no decision.
    """

    def __init__(self, terms: Terms, events: Iterable[Event] = ()) -> None:
        self.terms = terms
        self.space_json: Mapping[str, object] | None = None
        self.enqueued: list[Values] = []
        self.finished_seconds = 0.0
        self.memo: dict[str, Any] = {}
        self._trials: dict[int, Trial] = {}
        self._tuple: tuple[Trial, ...] | None = ()
        self._values: list[tuple[int, Values]] = []
        self._unfinished: set[int] = set()
        self._busy: set[int] = set()
        self._baseline: int | None = None
        self._best: int | None = None
        self._best_known = True
        self._epochs = 0
        for event in events:
            self.apply(event)

    @property
    def objective(self) -> Objective:
        """The metric to improve."""
        return self.terms.objective

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials, by number."""
        if self._tuple is None:
            self._tuple = tuple(self._trials.values())
        return self._tuple

    @property
    def unfinished(self) -> list[Trial]:
        """The trials that wait, run or are paused, by number."""
        return [self._trials[number] for number in sorted(self._unfinished)]

    @property
    def busy(self) -> list[Trial]:
        """The trials with a member that waits or is trained, those of a confirmation included, by number."""
        return [self._trials[number] for number in sorted(self._busy)]

    def values_after(self, count: int) -> Sequence[tuple[int, Values]]:
        """What was tried, as trial number and values, beyond the first `count` entries. The list only grows.

        A trial has two entries when its build call asked for other values than it was begun with.
        """
        return self._values[count:]

    def __len__(self) -> int:
        return len(self._trials)

    def trial(self, number: int) -> Trial:
        """The trial with that number. Raises `KeyError` if there is none."""
        return self._trials[number]

    def member(self, key: MemberKey) -> MemberRecord:
        """The record of one member. Raises `KeyError` if there is none."""
        return next((m for m in self._trials[key.trial].members if m.key == key), None) or _missing(key)

    @property
    def epochs(self) -> int:
        """Trained epochs over all members."""
        return self._epochs

    @property
    def best_trial(self) -> Trial | None:
        """The trial with the best score, the earlier one on ties; `None` while no trial has a score."""
        if not self._best_known:
            self._best, self._best_known = None, True
            for trial in self._trials.values():
                self._challenge(trial)
        return None if self._best is None else self._trials[self._best]

    @property
    def baseline(self) -> Trial | None:
        """The trial of the default values; `None` when there is none."""
        return None if self._baseline is None else self._trials[self._baseline]

    def losses(self) -> list[float | None]:
        """Each trial's score as a loss to minimise; `None` where there is none."""
        return [None if t.score is None else self.objective.loss(t.score) for t in self._trials.values()]

    def apply(self, event: Event) -> None:
        """Count one more event."""
        match event:
            case TrialStarted():
                self._start(event)
            case MembersAdded():
                self._add(event)
            case Report():
                record = self.member(event.key)
                new = after_report(record, event, self.objective)
                self._epochs += new.epoch - record.epoch
                self._put(new)
            case Outcome():
                self._put(after_outcome(self.member(event.key), event))
            case Returned():
                self._put(after_return(self.member(event.key), event))
            case Saved():
                record = self.member(event.key)
                last, best = (event.checkpoint if event.kind == kind else None for kind in ("last", "best"))
                self._put(replace(record, last=last or record.last, best=best or record.best))
            case Built():
                self._build(event)
            case TrialContinued():
                self._change(event.trial, {State.PAUSED, State.STOPPED}, state=State.WAITING, until=event.until)
            case TrialStopped():
                self._change(event.trial, {State.PAUSED, State.WAITING}, state=State.STOPPED)
            case Enqueued():
                self.enqueued.append(event.values)
            case SpaceSet():
                self.space_json = event.space
            case SessionEnded():
                self.finished_seconds += event.seconds
            case _:
                pass  # SessionStarted: for people

    def _start(self, event: TrialStarted) -> None:
        if event.source == "enqueued":
            self.enqueued.pop(0)
        members = tuple(
            MemberRecord(key=MemberKey(event.trial, seed, fold), until=event.until, length=event.epochs)
            for seed in event.seeds
            for fold in event.folds
        )
        if event.source == "default" and self._baseline is None:
            self._baseline = event.trial
        self._values.append((event.trial, event.values))
        self._unfinished.add(event.trial)
        self._busy.add(event.trial)
        self._keep(Trial(number=event.trial, values=event.values, members=members, source=event.source))

    def _build(self, event: Built) -> None:
        trial = self._trials[event.trial]
        if event.values != trial.values:
            self._values.append((event.trial, event.values))
        self._keep(replace(trial, values=event.values, parameters=event.parameters, engine=event.engine))

    def _add(self, event: MembersAdded) -> None:
        trial = self._trials[event.trial]
        added = tuple(
            MemberRecord(
                key=MemberKey(event.trial, seed, fold),
                purpose=event.purpose,
                until=event.until,
                length=event.until,
            )
            for seed in event.seeds
            for fold in event.folds
        )
        self._set(replace(trial, members=trial.members + added))

    def _change(self, number: int, states: set[State], *, state: State, until: int | None = None) -> None:
        trial = self._trials[number]
        members = tuple(
            replace(m, state=state, until=m.until if until is None else until)
            if m.state in states and m.purpose == "search"
            else m
            for m in trial.members
        )
        self._set(replace(trial, members=members))

    def _put(self, record: MemberRecord) -> None:
        trial = self._trials[record.key.trial]
        self._set(replace(trial, members=tuple(record if m.key == record.key else m for m in trial.members)))

    def _set(self, trial: Trial) -> None:
        total = aggregate(trial.members)
        new = replace(
            trial,
            state=total.state,
            cause=total.cause,
            message=total.message,
            score=total.score,
            spread=total.spread,
            epochs=total.epochs,
            seconds=total.seconds,
        )
        (self._unfinished.discard if new.state.finished else self._unfinished.add)(new.number)
        busy = any(m.state in (State.WAITING, State.RUNNING) for m in new.members)
        (self._busy.add if busy else self._busy.discard)(new.number)
        self._rank(new, trial.score)
        self._keep(new)

    def _keep(self, trial: Trial) -> None:
        self._trials[trial.number] = trial
        self._tuple = None

    def _rank(self, new: Trial, old: float | None) -> None:
        """Keep the best trial up to date, now that the score of `new` was `old`."""
        if new.score == old or not self._best_known:
            return
        if new.number != self._best:
            self._challenge(new)
        elif new.score is None or not self.objective.better(new.score, old):
            self._best_known = False

    def _challenge(self, trial: Trial) -> None:
        best = None if self._best is None else self._trials[self._best]
        if trial.score is None:
            return
        earlier_tie = best is not None and trial.score == best.score and trial.number < best.number
        if earlier_tie or self.objective.better(trial.score, None if best is None else best.score):
            self._best = trial.number


def _missing(key: MemberKey) -> MemberRecord:
    raise KeyError(key)
