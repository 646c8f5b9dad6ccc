"""The place of one worker: the process that stands there now, what it does, and why it was ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from dialed.clock import Clock
from dialed.engine.jax_worker.channel import Closed
from dialed.engine.jax_worker.child import Child, importable
from dialed.executor.limits import too_long
from dialed.executor.processes.memory import resident_bytes
from dialed.executor.processes.messages import Gone, Leave, Open, Pause, Stop, Train
from dialed.executor.processes.share import Share, environment_of
from dialed.executor.protocol import Job
from dialed.trial import Cause

__all__ = ["Limits", "Place", "Verdict"]

_MODULE = "dialed.executor.processes"

GRACE_SECONDS = 2.0
"""What a trial may take beyond its time, so that one that reports can be told to stop instead of being killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker may take.

    Args:
        max_trial_seconds: The longest time for one trial. Defaults to no limit.
        memory_bytes: The most resident memory. Defaults to no limit.
        growth_bytes: A worker that takes so much more than after its first job is replaced between two jobs. Defaults
            to 2 GiB.
    """

    max_trial_seconds: float | None = None
    memory_bytes: int | None = None
    growth_bytes: int = 2 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a worker ended, as what is told of the members that it trained."""

    cause: Cause
    message: str


@dataclass(slots=True, kw_only=True, eq=False)
class Place:
    """Starts a process, gives it jobs, and ends it when it takes too much.

    Args:
        share: What of the machine its process gets.
        environment: What the environment of its process begins from.
        limits: What it may take.
        clock: Time.
        hear: Called by listening threads with each message, and which of the processes that stood here sent it.
        name: The name under which members are leased for it; empty until it has taken the study up.
        job: What it does now.
        deaths: How often in a row its process has ended before it was ready.
        process: How many processes have stood here; the number of the last.
    """

    share: Share
    environment: Mapping[str, str]
    limits: Limits
    clock: Clock
    hear: Callable[[int, object], object]
    name: str = ""
    job: Job | None = None
    deaths: int = 0
    process: int = 0
    _child: Child | None = None
    _jobs: int = 0
    _began: float = 0.0
    _first_bytes: int | None = None
    _verdict: Verdict | None = None

    @property
    def is_free(self) -> bool:
        """Whether it could begin a job now."""
        return bool(self.name) and self.job is None

    def start(self, command: Open) -> None:
        """Start a process, and have it take the study up. It answers when its imports are done."""
        self.process += 1
        self.name, self.job, self._verdict, self._first_bytes = "", None, None, None
        self._child = Child(
            _MODULE,
            ",".join(map(str, self.share.cores)),
            environment={**environment_of(self.share, self.environment), "PYTHONPATH": importable()},
            urgent=partial(self._pass_on, self.process),
            deserted=partial(self._pass_on, self.process, Gone()),
            quiet=True,
        )
        self.open(command)

    def _pass_on(self, process: int, message: object) -> bool:
        self.hear(process, message)
        return True

    def open(self, command: Open) -> None:
        """Have the process take the study up."""
        self._send(command)

    def begin(self, job: Job) -> None:
        """Have it do `job`."""
        self._jobs += 1
        self.job, self._began = job, self.clock.monotonic()
        self._send(Train(number=self._jobs, job=job))

    def pause(self) -> None:
        """Let what it trains rest."""
        if self.job is not None:
            self._send(Pause(number=self._jobs))

    def stop(self, trials: Collection[int]) -> None:
        """Let what it trains of these trials rest."""
        if self.job is not None and any(leased.member.key.trial in trials for leased in self.job.leased):
            self._send(Stop(trials=frozenset(trials)))

    def has_grown(self, memory_bytes: int | None) -> bool:
        """Whether it takes so much more memory than after its first job that it should be replaced."""
        if memory_bytes is None:
            return False
        if self._first_bytes is None:
            self._first_bytes = memory_bytes
        return memory_bytes - self._first_bytes > self.limits.growth_bytes

    def look(self) -> bool:
        """End a process that takes too much; whether it is dead, though its line may not be."""
        if self._child is None:
            return False
        if self.job is not None:
            self._verdict = self._too_much(len(self.job.leased))
        if self._verdict is None:
            return not self._child.is_alive
        self._child.kill()
        return True

    def _too_much(self, members: int) -> Verdict | None:
        assert self._child is not None  # somebody trains
        limits, taken = self.limits, None
        if limits.memory_bytes is not None:
            taken = resident_bytes(self._child.pid)
        if limits.memory_bytes is not None and taken is not None and taken > limits.memory_bytes:
            cause = Cause.OUT_OF_MEMORY if members == 1 else Cause.KILLED
            return Verdict(
                cause=cause,
                message=f"The worker took {taken / 1e9:.2f} GB, more than `worker_memory`, {limits.memory_bytes / 1e9:.2f} GB.",
            )
        seconds = limits.max_trial_seconds
        if seconds is not None and self.clock.monotonic() - self._began > seconds * members + GRACE_SECONDS:
            cause = Cause.TIME_LIMIT if members == 1 else Cause.KILLED
            return Verdict(cause=cause, message=too_long(seconds, members))
        return None

    def bury(self) -> Verdict:
        """Let go of a process that has ended; why it did."""
        assert self._child is not None  # something died
        how, said = self._child.post_mortem(), self._child.last_words
        self._child = None
        self.deaths = 0 if self.name else self.deaths + 1
        if self._verdict is not None:
            return self._verdict
        last = f" It said last: {said}" if said else ""
        return Verdict(cause=Cause.KILLED, message=f"The worker ended while it trained this trial: {how}.{last}")

    def leave(self) -> None:
        """Tell the process to go."""
        self._send(Leave())

    def left(self, seconds: float) -> None:
        """Wait for the process to be gone; end it when it is not after `seconds`."""
        if self._child is not None:
            self._child.wait(max(seconds, 0.0))
            self._child.kill()
            self._child.close()
            self._child = None

    def _send(self, message: Any) -> None:
        """Send; to a process that has ended, nothing: its listener tells of that."""
        if self._child is not None:
            with suppress(Closed):
                self._child.channel.send(message)
