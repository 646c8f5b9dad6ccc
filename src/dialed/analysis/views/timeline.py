"""Who trained what, when: a bar for each stretch of a member's training, in rows by worker."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from dialed.events import Built, MembersAdded, Returned, SessionEnded, SessionStarted, TrialContinued, TrialStarted
from dialed.store.protocol import Recorded
from dialed.trial import MemberKey, Outcome, Purpose, Report

__all__ = ["Bar", "Sitting", "TimelineView", "WorkerRows", "timeline_view"]

Ending: TypeAlias = Literal["completed", "paused", "failed", "returned", "running"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One stretch of training: in seconds since the study began; `row` counts from 0 below its worker."""

    worker: str
    row: int
    trial: int
    seed: int
    fold: int
    purpose: Purpose
    begin: float
    end: float
    ending: Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One session; `end` is `None` while it runs, or where its process died."""

    begin: float
    end: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRows:
    """A worker, and how many members it trained at once at most: so many rows it needs."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineView:
    """A study over time.

    Attributes:
        started: When it began, in seconds since the epoch.
        seconds: From its first event to its last.
        workers: In the order in which they came.
        bars: In the order in which they began.
        sessions: Of the processes that drove the study.
    """

    started: float
    seconds: float
    workers: tuple[WorkerRows, ...]
    bars: tuple[Bar, ...]
    sessions: tuple[Sitting, ...]


@dataclass(slots=True)
class _Reader:
    """Reads events in order.

    `open` has the members in training; `ready` since when those of a trial could have been, and `built` since when they
    were built for their first stretch, which is when their training began.
    """

    worker: str = ""
    ready: dict[int, float] = field(default_factory=dict)
    built: dict[int, float] = field(default_factory=dict)
    open: dict[MemberKey, tuple[float, float]] = field(default_factory=dict)
    confirming: set[MemberKey] = field(default_factory=set)
    bars: list[Bar] = field(default_factory=list)
    sessions: list[Sitting] = field(default_factory=list)

    def read(self, recorded: Recorded) -> None:
        now = recorded.time
        match recorded.event:
            case SessionStarted(worker=worker):
                self.worker = worker
                self.sessions.append(Sitting(begin=now, end=None))
            case SessionEnded() if self.sessions:
                self.sessions[-1] = replace(self.sessions[-1], end=now)
            case TrialStarted(trial=trial):
                self.ready[trial] = now
            case TrialContinued(trial=trial):
                self.ready[trial] = now
                self.built.pop(trial, None)
            case Built(trial=trial):
                self.built[trial] = now
            case MembersAdded() as added:
                self.ready[added.trial] = now
                self.built.pop(added.trial, None)
                keys = {MemberKey(added.trial, seed, fold) for seed in added.seeds for fold in added.folds}
                self.confirming |= keys if added.purpose == "confirm" else set()
            case Report() as report:
                trial = report.key.trial
                alone = max(now - report.seconds, self.ready.get(trial, now - report.seconds))
                first = min(self.built.get(trial, alone), alone)
                self.open[report.key] = (self.open.get(report.key, (first, now))[0], now)
            case Outcome() as outcome:
                self._close(outcome.key, now, str(outcome.state), outcome.worker)
            case Returned() as returned:
                self._close(returned.key, now, "returned", "")
                self.built.pop(returned.key.trial, None)

    def _close(self, key: MemberKey, now: float, ending: str, worker: str) -> None:
        begin = self.open.pop(key, (self.ready.get(key.trial, now), now))[0]
        self.bars.append(self.bar(key, (begin, now), ending, worker))

    def bar(self, key: MemberKey, stretch: tuple[float, float], ending: str, worker: str) -> Bar:
        return Bar(
            worker=worker or self.worker or "here",
            row=0,
            trial=key.trial,
            seed=key.seed,
            fold=key.fold,
            purpose="confirm" if key in self.confirming else "search",
            begin=stretch[0],
            end=stretch[1],
            ending=ending,  # type: ignore[arg-type]  # the states of an outcome are endings
        )


def timeline_view(recorded: Sequence[Recorded]) -> TimelineView:
    """The study over time, from its events as they were stored."""
    reader = _Reader()
    for item in recorded:
        reader.read(item)
    bars = [*reader.bars, *(reader.bar(key, stretch, "running", "") for key, stretch in reader.open.items())]
    started = recorded[0].time if recorded else 0.0
    placed, workers = _placed(sorted(bars, key=lambda bar: (bar.begin, bar.trial, bar.seed, bar.fold)))
    return TimelineView(
        started=started,
        seconds=recorded[-1].time - started if recorded else 0.0,
        workers=workers,
        bars=tuple(replace(bar, begin=bar.begin - started, end=bar.end - started) for bar in placed),
        sessions=tuple(
            Sitting(begin=s.begin - started, end=None if s.end is None else s.end - started) for s in reader.sessions
        ),
    )


def _placed(bars: Sequence[Bar]) -> tuple[list[Bar], tuple[WorkerRows, ...]]:
    """Each bar in the first row of its worker that is free when it begins."""
    free: dict[str, list[int]] = {}
    busy: dict[str, list[tuple[float, int]]] = {}
    rows: dict[str, int] = {}
    placed = []
    for bar in bars:
        ends, rest = busy.setdefault(bar.worker, []), free.setdefault(bar.worker, [])
        while ends and ends[0][0] <= bar.begin:
            heapq.heappush(rest, heapq.heappop(ends)[1])
        row = heapq.heappop(rest) if rest else rows.get(bar.worker, 0)
        rows[bar.worker] = max(rows.get(bar.worker, 0), row + 1)
        heapq.heappush(ends, (bar.end, row))
        placed.append(replace(bar, row=row))
    return placed, tuple(WorkerRows(name=name, rows=count) for name, count in rows.items())
