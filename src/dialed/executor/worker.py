"""What a worker does with the members it has leased: train them, and write down what happens as it happens."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Protocol, runtime_checkable

from dialed.clock import Clock, SystemClock
from dialed.engine.protocol import Engine, Progress
from dialed.errors import LeaseLostError
from dialed.events import Event, Returned
from dialed.executor.limits import TrialTime
from dialed.executor.protocol import EngineMaker, Job
from dialed.store.protocol import Leased, Store
from dialed.store.workers import worker_id
from dialed.trial import MemberKey, Outcome, Report

__all__ = ["Worker", "train_leased"]


def train_leased(
    store: Store,
    engine: Engine,
    leased: Sequence[Leased],
    *,
    worker: str,
    pause: Callable[[Progress], bool],
    time: TrialTime | None = None,
    on_lost: Callable[[MemberKey], object] | None = None,
) -> None:
    """Train `leased` and store every report, checkpoint and outcome under `worker`'s lease.

    Args:
        pause: Asked after each report; True pauses the member it came from.
        time: How long they may take; members beyond it fail at their next report. Defaults to for ever.
        on_lost: Called with a member whose lease was lost; the others are trained on. Defaults to raising.

    Raises:
        LeaseLostError: Another worker has taken a member over; what it does counts, this work does not.
    """
    lost: set[MemberKey] = set()

    def stored(event: Event, key: MemberKey | None) -> bool:
        try:
            store.append([event], worker=worker)
        except LeaseLostError:
            if on_lost is None or key is None:
                raise
            lost.add(key)
            on_lost(key)
        return key not in lost

    def on_report(progress: Progress) -> bool:
        key = getattr(progress, "key", None)
        if key in lost or not stored(progress, key):
            return True
        if time is not None and time.is_over(progress):
            return True
        return pause(progress)

    for until, group in groupby(sorted(leased, key=_until), key=_until):
        for outcome in engine.train([item.member for item in group], until, on_report):
            if outcome.key not in lost:
                ended = outcome if time is None else time.judged(outcome, until)
                stored(_event(replace(ended, worker=worker)), outcome.key)


@runtime_checkable
class _Closeable(Protocol):
    """An engine that holds something, such as another process, while it is used."""

    def close(self) -> None: ...


class Worker:
    """Trains members of one study under leases of its own, in whatever process it lives.

    Its name says in which process that is, so whoever made it must keep its leases alive (`dialed.store.Heartbeat`).

    Args:
        store: The study's store.
        make_engine: Makes the engine, here.
        clock: Time. Defaults to the machine's.
        max_trial_seconds: The longest time for a trial. Defaults to no limit.

    Attributes:
        name: The name under which it leases members.
    """

    def __init__(
        self,
        store: Store,
        make_engine: EngineMaker,
        *,
        clock: Clock | None = None,
        max_trial_seconds: float | None = None,
    ) -> None:
        self.name = worker_id()
        self._store = store
        self._clock = clock or SystemClock()
        self._max_trial_seconds = max_trial_seconds
        self._ends: float | None = None
        self._is_paused: Callable[[], bool] = _never
        self._engine = make_engine(self._deadline)

    def train(self, job: Job, *, is_paused: Callable[[], bool] | None = None, given_up: Container[int] = ()) -> None:
        """Do `job`, and return when each of its members has ended, rests, or was taken over by another worker.

        Args:
            job: Members that this worker has leased.
            is_paused: Whether they should rest at their last complete epoch, asked often. Defaults to never.
            given_up: Trials whose members pause at their next report. Defaults to none.
        """
        self._ends = None if job.seconds is None else self._clock.monotonic() + job.seconds
        self._is_paused = is_paused or _never
        trained = 0

        def pause(progress: Progress) -> bool:
            nonlocal trained
            if not isinstance(progress, Report):
                return False
            trained += 1
            ends = self._deadline()
            is_late = ends is not None and self._clock.monotonic() >= ends
            return is_late or progress.key.trial in given_up or (job.epochs is not None and trained >= job.epochs)

        train_leased(
            self._store,
            self._engine,
            job.leased,
            worker=self.name,
            pause=pause,
            time=TrialTime.of(self._max_trial_seconds, len(job.leased), self._clock),
            on_lost=lambda key: None,
        )

    def _deadline(self) -> float | None:
        return -math.inf if self._is_paused() else self._ends

    def close(self) -> None:
        """Give back what the engine holds."""
        if isinstance(self._engine, _Closeable):
            self._engine.close()


def _never() -> bool:
    return False


def _until(item: Leased) -> int:
    return item.until


def _event(outcome: Outcome) -> Event:
    """A failure that another try may mend goes back into the queue; the store counts the tries."""
    if outcome.cause is not None and outcome.cause.retries:
        return Returned(key=outcome.key, cause=outcome.cause, message=outcome.message)
    return outcome
