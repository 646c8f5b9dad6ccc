"""The executor `processes`: a place for each worker, and one inbox for what they say."""

from __future__ import annotations

import logging
import os
import queue
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from dialed.clock import Clock, SystemClock
from dialed.errors import InvalidInputError, StudyError
from dialed.executor.processes.messages import Done, Gone, Open, Opened, Raised, Refused, Said
from dialed.executor.processes.place import Limits, Place
from dialed.executor.processes.servant import LEAVE_SECONDS
from dialed.executor.processes.share import Share, cores_here, deal, devices_here
from dialed.executor.protocol import EngineMaker, Job
from dialed.store import SqlStore

__all__ = ["Processes"]

_log = logging.getLogger("dialed")

_MOST_DEATHS = 3
"""A worker that ends so often in a row before it is ready will not be ready the next time."""

_TICK_SECONDS = 0.05
"""How often memory and time of the workers are looked at."""


class Processes:
    """Has jobs done in processes of their own, on this machine.

    To choose: to use more cores or accelerators than one training does; and where a trial may crash, run away or eat
    the memory, because only a process can be ended. Each is started once (its imports take seconds) and does one job
    after another. One that dies is replaced, and its members go back into the queue.

    Args:
        make_engine: Makes the engine, in each worker.
        workers: How many.
        store: The study's store; workers open it by its address.
        lease_seconds: For how long workers lease and renew.
        limits: What each may take. Defaults to next to no limits.
        environment: What their environment begins from. Defaults to that of this process.
        clock: Time. Defaults to the machine's.

    Raises:
        InvalidInputError: Other processes could not open the store, or cannot be started on this system.
    """

    def __init__(
        self,
        make_engine: EngineMaker,
        *,
        workers: int,
        store: SqlStore,
        lease_seconds: float,
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        environment: Mapping[str, str] = os.environ,
        clock: Clock | None = None,
    ) -> None:
        self._address = _address_of(store)
        self._make_engine = make_engine
        self._store = store
        self._lease_seconds = lease_seconds
        self._limits = limits
        self._clock = clock or SystemClock()
        self._inbox: queue.SimpleQueue[tuple[Place, int, object]] = queue.SimpleQueue()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copied = False
        self._ended: list[Job] = []
        self._error: Exception | None = None
        self._looked = self._clock.monotonic()
        shares = deal(workers, cores_here(), devices_here(environment))
        self._places = [self._place(share, environment) for share in shares]

    def _place(self, share: Share, environment: Mapping[str, str]) -> Place:
        def hear(process: int, message: object) -> None:
            self._inbox.put((place, process, message))

        place = Place(share=share, environment=environment, limits=self._limits, clock=self._clock, hear=hear)
        return place

    @property
    def free(self) -> Sequence[str]:
        """The workers that could begin a job now. The first question starts all of them."""
        if self._folder is None:
            self._start()
        return tuple(place.name for place in self._places if place.is_free)

    def submit(self, job: Job) -> None:
        place = next(place for place in self._places if place.name == job.worker)
        place.begin(job)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Job]:
        """Return the jobs that ended, once there is one, or at the timeout; meanwhile look after the workers."""
        ends = None if timeout_seconds is None else self._clock.monotonic() + timeout_seconds
        while not self._ended and self._error is None:
            left = _TICK_SECONDS if ends is None else min(_TICK_SECONDS, ends - self._clock.monotonic())
            try:
                self._take(*self._inbox.get(timeout=max(left, 0.0)))
            except queue.Empty:
                if (ends is not None and self._clock.monotonic() >= ends) or (ends is None and not self._is_busy):
                    break
            self._look_after()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        ended, self._ended = self._ended, []
        return ended

    def cancel(self, trials: Collection[int] | None = None) -> None:
        for place in self._places:
            if trials is None:
                place.pause()
            else:
                place.stop(trials)

    def close(self) -> None:
        """Have the workers write down what they train and go; end those that do not."""
        names = [place.name for place in self._places if place.name]
        for place in self._places:
            place.leave()
        ends = self._clock.monotonic() + LEAVE_SECONDS
        for place in self._places:
            place.left(ends - self._clock.monotonic())
        for name in names:
            self._store.release(name)
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def _is_busy(self) -> bool:
        return any(place.job is not None for place in self._places)

    def _start(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dialed-")
        self._write()
        for place in self._places:
            place.start(self._command())

    def _write(self) -> None:
        """Write down what makes the engine, for each worker that opens it."""
        from dialed.engine.jax_worker.parcel import Immovable, module_to_copy, write

        assert self._folder is not None  # started
        copied = module_to_copy(self._make_engine.parts[0].thing) if self._copied else None
        try:
            write(self._make_engine, Path(self._folder.name), copied=copied, goal="a worker")
        except Immovable as error:
            raise InvalidInputError(
                f"A search with `workers` must be one that can be sent to other processes, but {error}."
            ) from error

    def _command(self) -> Open:
        assert self._folder is not None  # started
        return Open(
            folder=self._folder.name,
            address=self._address,
            study=self._store.name,
            lease_seconds=self._lease_seconds,
            max_trial_seconds=self._limits.max_trial_seconds,
        )

    def _take(self, place: Place, process: int, message: object) -> None:
        """Take in what a worker said."""
        if process != place.process:
            return  # from one that was replaced since
        match message:
            case Opened():
                place.name, place.deaths = message.worker, 0
            case Refused():
                self._refused(place, message)
            case Done():
                self._end(place)
                if place.has_grown(message.memory_bytes):
                    self._replace(place)
            case Raised():
                self._end(place)
                self._error = message.error or StudyError(f"A worker's engine raised:\n{message.text}")
            case Said():
                _log.log(message.level, "%s", message.text)
            case Gone():
                self._bury(place)

    def _refused(self, place: Place, message: Refused) -> None:
        """Try once with the user's module by value: it is imported here, but cannot be there."""
        if message.importing and not self._copied:
            self._copied = True
            self._write()
        elif not message.importing or place.deaths:
            self._error = StudyError(f"The workers cannot take the search up: {message.reason}.")
            return
        place.deaths += 1
        place.open(self._command())

    def _end(self, place: Place) -> None:
        if place.job is not None:
            self._ended.append(place.job)
            place.job = None

    def _replace(self, place: Place) -> None:
        """Let a worker go that has grown too large, and start another."""
        _log.info("The worker %s takes too much memory by now, and is replaced.", place.name)
        place.leave()
        place.left(LEAVE_SECONDS)
        place.start(self._command())

    def _look_after(self) -> None:
        """See to it that no worker takes too much, or is dead without having said so."""
        now = self._clock.monotonic()
        if now - self._looked < _TICK_SECONDS:
            return
        self._looked = now
        for place in self._places:
            if place.look():
                self._bury(place)

    def _bury(self, place: Place) -> None:
        """Put the members of a worker that has ended back into the queue, and start another in its place."""
        name, verdict = place.name, place.bury()
        if name:
            self._store.bury(name, cause=verdict.cause, message=verdict.message)
        self._end(place)
        if place.deaths >= _MOST_DEATHS:
            self._error = StudyError(
                f"The workers must start, but one has ended {place.deaths} times. {verdict.message}"
            )
            return
        place.start(self._command())


def _address_of(store: SqlStore) -> str:
    """Where workers find the store; an error where they could not, or could not be started."""
    if sys.platform == "win32":
        raise InvalidInputError(
            "The executor 'processes' needs a system that hands open files on to new processes, such as Linux or macOS. "
            "Got Windows. Pass executor='inline', or run `dialed worker` beside the search."
        )
    if not sys.executable:
        raise InvalidInputError("The executor 'processes' must know Python's own program. Got none: `sys.executable`.")
    if store.address is None:
        raise InvalidInputError(
            "The `store` of a search with `workers` must be a file or a database, which other processes can open. "
            "Got one in memory. Pass `store='dialed.db'`, or workers=1."
        )
    return store.address
