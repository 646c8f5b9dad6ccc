"""What runs in a worker's process: jobs in, members trained, results into the store."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import traceback
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dialed.engine.jax_worker.channel import Channel, Closed
from dialed.errors import DialedError
from dialed.executor.processes.memory import resident_bytes
from dialed.executor.processes.messages import (
    Done,
    Leave,
    Open,
    Opened,
    Pause,
    Raised,
    Refused,
    Said,
    Stop,
    Train,
)
from dialed.executor.worker import Worker
from dialed.store import Heartbeat, SqlStore, open_catalog

__all__ = ["LEAVE_SECONDS", "Servant", "main"]

LEAVE_SECONDS = 30.0
"""How long training that is to be left may take to write down what it has: a compilation cannot be interrupted."""

_LOOK_SECONDS = 2.0


def main(*, descriptor: int, parent: int) -> None:
    """Work for the process `parent` over the inherited `descriptor` until either ends."""
    Servant(descriptor, parent).serve()


class _Interrupted(BaseException):
    """Training is to stop now. No `Exception`: engines write down what they have, and let it pass."""


class Servant:
    """Does one job after another, and goes when it is told to, or when whoever drives the study is gone.

    `Leave` is a signal to the main thread, because training does not listen. Whatever happens to the main thread, the
    leases are given back before the process ends: whoever goes on with the study need not wait for them to expire.
    """

    def __init__(self, descriptor: int, parent: int) -> None:
        self._main = threading.get_ident()
        self._training = self._leaving = False
        self._paused = 0
        self._given_up: set[int] = set()
        self._worker: Worker | None = None
        self._store: SqlStore | None = None
        self._open_things = ExitStack()
        signal.signal(signal.SIGINT, self._interrupt)
        self._channel = Channel(Connection(descriptor), urgent=self._heard_at_once, deserted=self._desert)
        threading.Thread(target=self._end_with, args=(parent,), name="dialed-parent", daemon=True).start()
        _forward_log(self._channel)

    def serve(self) -> None:
        """Do what comes, until there is nobody to do it for."""
        try:
            while not self._leaving:
                match self._channel.receive():
                    case Open() as command:
                        self._channel.send(self._open(command))
                    case Train() as command:
                        self._channel.send(self._train(command))
                    case _:
                        pass  # `Leave`, which ends the loop
        except (Closed, _Interrupted):
            pass
        self._vanish()

    def _open(self, command: Open) -> Opened | Refused:
        from dialed.engine.jax_worker.parcel import read

        try:
            make_engine = read(Path(command.folder))
        except Exception as error:  # noqa: BLE001 - unpickling runs whatever the user's modules do when imported
            importing = isinstance(error, (ImportError, AttributeError))
            return Refused(reason=f"{type(error).__name__}: {error!s:.300}", importing=importing)
        try:
            catalog = self._open_things.enter_context(open_catalog(command.address))
            self._store = catalog.open(command.study)
            self._worker = Worker(self._store, make_engine, max_trial_seconds=command.max_trial_seconds)
        except Exception as error:  # noqa: BLE001 - told to the other side, which ends the search with it
            return Refused(reason=f"{type(error).__name__}: {error!s:.300}")
        heart = Heartbeat(self._store, self._worker.name, seconds=command.lease_seconds)
        self._open_things.enter_context(heart)
        return Opened(worker=self._worker.name)

    def _train(self, command: Train) -> Done | Raised:
        assert self._worker is not None  # opened before
        self._training = True
        answer = self._trained(command)
        self._training = False
        return answer

    def _trained(self, command: Train) -> Done | Raised:
        assert self._worker is not None and self._store is not None  # opened before
        try:
            self._worker.train(command.job, is_paused=lambda: self._paused >= command.number, given_up=self._given_up)
        except DialedError as error:
            self._store.release(self._worker.name)
            return Raised(text=str(error), error=error)
        except Exception:  # noqa: BLE001 - an engine that raises ends the search, with what it raised
            self._store.release(self._worker.name)
            return Raised(text=traceback.format_exc(limit=-4))
        return Done(memory_bytes=resident_bytes(os.getpid()))

    def _heard_at_once(self, message: object) -> bool:
        """In the listening thread: whether `message` is done with."""
        if isinstance(message, Pause):
            self._paused = max(self._paused, message.number)
            return True
        if isinstance(message, Stop):
            self._given_up |= message.trials
            return True
        if isinstance(message, Leave):
            self._leave()
        return False  # `Leave` is kept as well: it wakes a main thread that waits

    def _leave(self) -> None:
        self._leaving = True
        signal.pthread_kill(self._main, signal.SIGINT)
        threading.Thread(target=self._give_up, name="dialed-leave", daemon=True).start()

    def _interrupt(self, *_: Any) -> None:
        """In the main thread, between two of its instructions."""
        if self._training:
            self._training = False  # once: what is being written down is not to be interrupted again
            raise _Interrupted

    def _desert(self) -> None:
        """The other side is gone."""
        if not self._leaving:
            self._leave()

    def _give_up(self) -> None:
        """End a process whose main thread did not listen."""
        time.sleep(LEAVE_SECONDS)
        self._vanish()

    def _end_with(self, parent: int) -> None:
        """Leave when `parent` ends. A hang-up says the same sooner, unless a fork of the parent keeps the line open."""
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        self._desert()

    def _vanish(self) -> None:
        """Give back what is leased, and end at once: what backends do at their end takes seconds."""
        try:
            if self._store is not None and self._worker is not None:
                self._store.release(self._worker.name)
                self._worker.close()
        finally:
            os._exit(0)


class _Forwarding(logging.Handler):
    """Sends log records to the process that drives the study, whose handlers decide what becomes of them."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(logging.INFO)
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info))
        try:
            self._channel.send(Said(level=record.levelno, text=text))
        except Closed:
            self.handleError(record)


def _forward_log(channel: Channel) -> None:
    log = logging.getLogger("dialed")
    log.addHandler(_Forwarding(channel))
    log.propagate = False
