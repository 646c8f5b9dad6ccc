"""What a strategy sees: the history of a study, folded from its events.

`History.apply` takes events in their order. Nothing here reads a clock or a store, so the same events give the same
history anywhere, and a resumed study decides as an undisturbed one would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile, zip_longest
from typing import Any

from dialed.events import (
    BudgetSet,
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
    SpaceSet,
    TrialContinued,
    TrialCopied,
    TrialStarted,
    TrialStopped,
    WarmStarted,
    WorkerJoined,
    WorkerLeft,
)
from dialed.objectives import keeps, metric_key
from dialed.search.asked import Asked
from dialed.search.decisions import Copy
from dialed.search.terms import Terms
from dialed.space import Space
from dialed.trial import (
    Ancestor,
    MemberKey,
    MemberRecord,
    Objective,
    Origin,
    Outcome,
    Report,
    State,
    Trial,
    Values,
    aggregate,
)

__all__ = ["History", "Terms", "after_outcome", "after_report", "after_return", "copied", "copy_event"]


def after_report(record: MemberRecord, report: Report, objective: Objective, kept: Sequence[str] = ()) -> MemberRecord:
    """`record` once `report` is counted, with what it says of the metrics `kept` where it is the best so far.

    A report of an epoch that is already known changes nothing: after a kill, a member goes on from its last checkpoint and
    may report epochs a second time.
    """
    if report.epoch <= record.epoch:
        return record
    value = report.metrics.get(objective.name, float("nan"))
    gap = (float("nan"),) * (report.epoch - 1 - len(record.curve))  # epochs without a validation
    better = report.epoch > record.since and objective.better(value, None if report.final else record.score)
    return MemberRecord(  # and not `replace`, which takes twice as long: a study has a million of these
        key=record.key,
        purpose=record.purpose,
        state=State.RUNNING,
        until=record.until,
        length=record.length,
        epoch=report.epoch,
        curve=(*record.curve, *gap, value),
        score=value if better else None if report.final else record.score,
        best_epoch=report.epoch if better else record.best_epoch,
        seconds=record.seconds + report.seconds,
        memory_bytes=_largest(record.memory_bytes, report.memory_bytes),
        attempts=0,
        cause=record.cause,
        message=record.message,
        last=record.last,
        best=record.best,
        since=record.since,
        metrics=_metrics(report, kept) if better else record.metrics,
    )


def _metrics(report: Report, kept: Sequence[str]) -> Mapping[str, float]:
    if not kept:
        return _NO_METRICS
    keys = {name: metric_key(name, report.metrics) for name in kept}
    return {name: report.metrics[key] for name, key in keys.items() if key is not None}


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


def copy_event(copy: Copy, space: Space, history: History, *, number: int) -> TrialCopied:
    """What happens where `copy` is decided: trial `number` goes on from where its source rests."""
    source = history.trial(copy.source)
    earlier = () if source.origin is None else source.origin.ancestors
    epoch = max((m.epoch for m in source.members if m.purpose == "search"), default=0)
    return TrialCopied(
        trial=number,
        values=space.restrict(copy.values),
        replaces=copy.target,
        ancestors=(*earlier, Ancestor(trial=source.number, until=epoch, values=source.values)),
        until=copy.until,
    )


def copied(source: MemberRecord, event: TrialCopied) -> MemberRecord:
    """The member of a trial that goes on from the state of `source`."""
    epoch = event.ancestors[-1].until
    return MemberRecord(
        key=source.key._replace(trial=event.trial),
        until=event.until,
        length=source.length,
        epoch=epoch,
        curve=source.curve[:epoch],
        last=source.last,
        since=epoch,
    )


def _largest(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return max(a, b)


class History:
    """The trials of a study so far, in the order in which they were begun.

    Args:
        terms: What the study trains each trial for.
        events: Events to begin with. Defaults to none.

    Attributes:
        space_json: The space as it is now, as JSON; `None` before it is set.
        enqueued: What the user asked for and was not begun yet, the oldest first.
        finished_seconds: Seconds of the sessions that ended.
        copies: How many trials went on from the state of another.
        earlier: The studies that this one was warm-started from.
        joined: Workers that came by themselves and have not left, with the members that each takes at once.
        asked: What people ask of the session that runs.
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
        self.copies = 0
        self.earlier: list[WarmStarted] = []
        self.joined: dict[str, int] = {}
        self.asked = Asked()
        self._kept = terms.kept
        self._given = terms
        self._version = 0
        self._changes: dict[int, int] = {}  # by trial, the version of its last change; the latest change comes last
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

    @property
    def is_busy(self) -> bool:
        """Whether there is any such trial; quicker to ask than for all of them."""
        return bool(self._busy)

    def values_after(self, count: int) -> Sequence[tuple[int, Values]]:
        """What was tried, as trial number and values, beyond the first `count` entries. The list only grows.

        A trial has two entries when its build call asked for other values than it was begun with.
        """
        return self._values[count:]

    @property
    def version(self) -> int:
        """Counts the changes of trials; only to be given back to `changed_after`."""
        return self._version

    def changed_after(self, version: int) -> list[Trial]:
        """The trials that have changed after the history was at `version`, by number. 0 gives all of them."""
        changed = takewhile(lambda number: self._changes[number] > version, reversed(self._changes))
        return [self._trials[number] for number in sorted(changed)]

    def __len__(self) -> int:
        return len(self._trials)

    @property
    def begun(self) -> int:
        """How many trials began from nothing: what a budget in trials counts. Others go on in the place of one."""
        return len(self._trials) - self.copies

    def trial(self, number: int) -> Trial:
        """The trial with that number. Raises `KeyError` if there is none."""
        return self._trials[number]

    def member(self, key: MemberKey) -> MemberRecord:
        """The record of one member. Raises `KeyError` if there is none."""
        for member in self._trials[key.trial].members:
            if member.key == key:
                return member
        raise KeyError(key)

    @property
    def epochs(self) -> int:
        """Trained epochs over all members."""
        return self._epochs

    @property
    def best_trial(self) -> Trial | None:
        """The trial with the best score among those that keep the constraints, the earlier one on ties.

        `None` while there is none. With several objectives the score is the first.
        """
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

    def take(self, trials: Iterable[Trial]) -> None:
        """Take trials as they are now, in the place of the events that made them: a look at them needs no more."""
        for trial in trials:
            old = self._trials.get(trial.number)
            if old is None:
                self._values.append((trial.number, trial.values))
                self.copies += trial.origin is not None
                if trial.source == "enqueued" and self.enqueued:
                    self.enqueued.pop(0)
                if trial.source == "default" and self._baseline is None:
                    self._baseline = trial.number
            self._epochs += trial.epochs - (old.epochs if old else 0)
            (self._unfinished.discard if trial.state.finished else self._unfinished.add)(trial.number)
            self._rank(trial, old.score if old else None)
            self._keep(trial)

    def apply(self, event: Event) -> None:
        """Count one more event."""
        match event:
            case TrialStarted():
                self._start(event)
            case MembersAdded():
                self._add(event)
            case Report():
                record = self.member(event.key)
                new = after_report(record, event, self.objective, self._kept)
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
            case Measured():
                self._keep(replace(self._trials[event.trial], latency=event.latency))
            case TrialCopied():
                self._copy(event)
            case TrialContinued():
                self._change(event.trial, {State.PAUSED, State.STOPPED}, state=State.WAITING, until=event.until)
            case TrialStopped():
                self._change(event.trial, {State.PAUSED, State.WAITING}, state=State.STOPPED)
                self.asked.apply(event)
            case Enqueued():
                self.enqueued.append(event.values)
            case SpaceSet():
                self.space_json = event.space
            case WarmStarted():
                self.earlier.append(event)
            case SessionEnded():
                self.finished_seconds += event.seconds
            case Noted():
                self._keep(replace(self._trials[event.trial], note=event.text, tags=event.tags))
            case BudgetSet():
                self.asked.apply(event)
                self._set_terms(event)
            case WorkerJoined():
                self.joined[event.worker] = event.lanes
            case WorkerLeft():
                self.joined.pop(event.worker, None)
            case SessionStarted():
                self.asked.apply(event)
                self._set_terms(self._given)
            case _:
                self.asked.apply(event)

    def _set_terms(self, limits: BudgetSet | Terms) -> None:
        """Take over what strategies size their search by; what they reckoned from the old limits is forgotten."""
        new = replace(
            self.terms,
            max_trials=limits.max_trials,
            max_epochs=limits.max_epochs,
            max_seconds=limits.max_seconds,
        )
        if new != self.terms:
            self.terms = new
            self.memo.clear()

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

    def _copy(self, event: TrialCopied) -> None:
        origin = Origin(ancestors=event.ancestors, replaces=event.replaces)
        members = tuple(copied(m, event) for m in self._trials[origin.source].members if m.purpose == "search")
        self._change(event.replaces, {State.PAUSED, State.WAITING}, state=State.STOPPED)
        self._unfinished.add(event.trial)
        self._busy.add(event.trial)
        self.copies += 1
        self._keep(Trial(number=event.trial, values=event.values, members=members, origin=origin))

    def _build(self, event: Built) -> None:
        trial = self._trials[event.trial]
        if event.values != trial.values and trial.origin is None:
            self._values.append((event.trial, event.values))
        values = event.values if trial.origin is None else trial.values  # an ancestor's stretch may be trained again
        self._keep(replace(trial, values=values, parameters=event.parameters, engine=event.engine))

    def _add(self, event: MembersAdded) -> None:
        trial = self._trials[event.trial]
        added = tuple(
            MemberRecord(
                key=MemberKey(event.trial, seed, fold),
                purpose=event.purpose,
                until=event.until,
                length=event.until,
                since=0 if trial.origin is None else trial.origin.epoch,
            )
            for seed in event.seeds
            for fold in event.folds
        )
        self._set(trial, trial.members + added)

    def _change(self, number: int, states: set[State], *, state: State, until: int | None = None) -> None:
        trial = self._trials[number]
        members = tuple(
            replace(m, state=state, until=m.until if until is None else until)
            if m.state in states and m.purpose == "search"
            else m
            for m in trial.members
        )
        self._set(trial, members)

    def _put(self, record: MemberRecord) -> None:
        trial = self._trials[record.key.trial]
        alone = len(trial.members) == 1
        self._set(trial, (record,) if alone else tuple(record if m.key == record.key else m for m in trial.members))

    def _set(self, trial: Trial, members: tuple[MemberRecord, ...]) -> None:
        total = aggregate(members)
        new = Trial(  # and not `replace`: see `after_report`
            number=trial.number,
            values=trial.values,
            members=members,
            parameters=trial.parameters,
            latency=trial.latency,
            source=trial.source,
            engine=trial.engine,
            origin=trial.origin,
            note=trial.note,
            tags=trial.tags,
            state=total.state,
            cause=total.cause,
            message=total.message,
            score=total.score,
            spread=total.spread,
            epochs=total.epochs,
            seconds=total.seconds,
            metrics=total.metrics,
        )
        if any(m.state is not old.state for m, old in zip_longest(members, trial.members, fillvalue=_NOBODY)):
            self._sort(new)
        self._rank(new, trial.score)
        self._keep(new)

    def _sort(self, new: Trial) -> None:
        """Keep up to date what is unfinished, and what is busy."""
        (self._unfinished.discard if new.state.finished else self._unfinished.add)(new.number)
        busy = any(m.state in (State.WAITING, State.RUNNING) for m in new.members)
        (self._busy.add if busy else self._busy.discard)(new.number)

    def _keep(self, trial: Trial) -> None:
        self._trials[trial.number] = trial
        self._tuple = None
        self._version += 1
        self._changes.pop(trial.number, None)
        self._changes[trial.number] = self._version

    def _rank(self, new: Trial, old: float | None) -> None:
        """Keep the best trial up to date, now that the score of `new` was `old`."""
        if self.terms.judges:
            self._best_known = False  # a trial may come to keep them, or to have all its folds, at any score
        if new.score == old or not self._best_known:
            return
        if new.number != self._best:
            self._challenge(new)
        elif new.score is None or not self.objective.better(new.score, old):
            self._best_known = False

    def _challenge(self, trial: Trial) -> None:
        best = None if self._best is None else self._trials[self._best]
        if trial.score is None or not keeps(trial, self.terms.constraints) or not self.terms.is_whole(trial):
            return
        earlier_tie = best is not None and trial.score == best.score and trial.number < best.number
        if earlier_tie or self.objective.better(trial.score, None if best is None else best.score):
            self._best = trial.number


_NO_METRICS: Mapping[str, float] = {}
_NOBODY = MemberRecord(key=MemberKey(-1, 0, 0), state=State.FAILED)
