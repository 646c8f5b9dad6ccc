"""A worker that joins a study which another process drives: it takes what waits, trains it, and leaves when it likes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from dialed.clock import Clock
from dialed.events import WorkerJoined, WorkerLeft
from dialed.executor import EngineMaker, Job, Worker
from dialed.search import History
from dialed.store import Heartbeat, Leased, SqlStore
from dialed.study.budget import Budget
from dialed.study.claim import LEASE_SECONDS
from dialed.study.room import Room
from dialed.trial import Purpose, State

__all__ = ["Ended", "Joining", "Visit"]

LOOK_SECONDS = 0.5
"""How often a worker without work looks for some, and one with work whether it should rest."""

Ended: TypeAlias = Literal["finished", "idle", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a worker did: how many members it was given, and why it left."""

    members: int
    ended: Ended


@dataclass(slots=True, kw_only=True)
class Joining:
    """Works for one study until it is finished, or for `idle_seconds` has nothing for this worker.

    Whatever interrupts it (an exception that a signal handler raises, too) has what is trained written down; then the
    members are given back, for the next worker to go on with. Work is taken only while somebody drives the study.

    Args:
        store: The study's store.
        make_engine: Makes the engine, here.
        lanes: Members to train at once.
        clock: Time.
        idle_seconds: How long to wait for work. Defaults to for ever.
        max_trial_seconds: The longest time for one trial. Defaults to no limit.
        say: Called with a sentence when members are taken. Defaults to saying nothing.
        is_over: Asked where there is no work: whether to leave, as when the study is finished. Defaults to never.
    """

    store: SqlStore
    make_engine: EngineMaker
    lanes: int
    clock: Clock
    idle_seconds: float | None = None
    max_trial_seconds: float | None = None
    say: Callable[[str], object] = lambda sentence: None
    is_over: Callable[[], bool] = lambda: False
    _history: History = field(init=False)
    _cursor: int = 0
    _looked: float = float("-inf")
    _state: str = ""

    def __post_init__(self) -> None:
        self._history = History(self.store.terms)

    def work(self) -> Visit:
        """Work, and say how it went. What interrupts it passes through, once everything is given back."""
        worker = Worker(self.store, self.make_engine, clock=self.clock, max_trial_seconds=self.max_trial_seconds)
        self.store.append([WorkerJoined(worker=worker.name, lanes=self.lanes)])
        reason = "it was interrupted"
        try:
            with Heartbeat(self.store, worker.name, seconds=LEASE_SECONDS):
                visit = self._work(worker)
            reason = {"finished": "the study is finished", "idle": "there was nothing to do"}.get(visit.ended, reason)
        finally:
            self.store.release(worker.name)
            self.store.append([WorkerLeft(worker=worker.name, reason=reason)])
            worker.close()
        return visit

    def _work(self, worker: Worker) -> Visit:
        members, ran, since = 0, False, self.clock.monotonic()
        while True:
            self._look()
            ran = ran or self._state == "running"
            job = self._job(worker.name)
            if job is not None:
                self._say(job.leased)
                worker.train(job, is_paused=self._is_over, given_up=self._history.asked.stop)
                members, since = members + len(job.leased), self.clock.monotonic()
                continue
            if (self._state == "finished" and ran) or self.is_over():
                return Visit(members=members, ended="finished")
            if self.idle_seconds is not None and self.clock.monotonic() - since > self.idle_seconds:
                return Visit(members=members, ended="idle")
            time.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        """Fold what has happened since the last look."""
        self._looked = self.clock.monotonic()
        self._state = self.store.info.state
        self._cursor = self.store.fold_into(self._history, after=self._cursor)

    def _job(self, worker: str) -> Job | None:
        """Members to train, with what a budget in epochs has left for them; `None` where there is nothing.

        Others may have leased members at the same moment. Those of the oldest trials have the epochs, so of two workers
        that see each other one gives back.
        """
        leased = self._lease(worker)
        if not leased or self._history.terms.max_epochs is None:
            return Job(worker=worker, leased=tuple(leased)) if leased else None
        first = min(item.member.key for item in leased)
        others = [key for key, holder in self.store.held().items() if holder != worker]
        self._look()
        records = [self._history.member(key) for key in others]
        promised = sum(max(r.length - r.epoch, 0) for r in records if r.state is State.RUNNING or r.key < first)
        left = self._history.terms.max_epochs - self._history.epochs - promised
        if left <= 0:
            self.store.release(worker)
            return None
        # Epochs since a checkpoint are trained again, and were counted.
        left += sum(self._history.member(item.member.key).epoch - item.member.epoch for item in leased)
        return Job(worker=worker, leased=tuple(leased), epochs=left)

    def _lease(self, worker: str) -> list[Leased]:
        """Take members that wait; those of a confirmation first."""
        if self._state != "running" or self._history.asked.paused or self._is_spent:
            return []
        purposes: tuple[Purpose, ...] = ("confirm", "search")
        for purpose in purposes:
            room = Room(
                history=self._history,
                limits=Budget(max_epochs=self._history.terms.max_epochs),
                lanes=self.lanes,
                workers=2,
                jobs=(),
            )
            limit = room.again(purpose, free=1)
            leased = self.store.lease(worker, limit=limit, seconds=LEASE_SECONDS, purpose=purpose) if limit else []
            if leased:
                return leased
        return []

    @property
    def _is_spent(self) -> bool:
        limit = self._history.terms.max_epochs
        return limit is not None and self._history.epochs >= limit

    def _is_over(self) -> bool:
        """Whether what is trained should rest: the study was finished, or paused, or has spent its epochs."""
        if self.clock.monotonic() - self._looked > LOOK_SECONDS:
            self._look()
        return self._state == "finished" or self._history.asked.paused or self._is_spent

    def _say(self, leased: Sequence[Leased]) -> None:
        trials = sorted({item.member.key.trial for item in leased})
        self.say(f"trains trial{'s' * (len(trials) > 1)} {', '.join(map(str, trials))}")
