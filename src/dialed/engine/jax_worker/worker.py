"""What runs in the process with JAX: commands in, lanes trained, messages out."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialed.clock import Clock, SystemClock
from dialed.engine.jax_worker.channel import Channel, Closed
from dialed.engine.jax_worker.messages import (
    Answer,
    Done,
    Ended,
    HandedBack,
    Leave,
    Left,
    Open,
    Opened,
    Plan,
    Planned,
    Raised,
    Refused,
    Said,
    Told,
    Train,
)
from dialed.engine.protocol import Batch, OnReport, Progress
from dialed.errors import DialedError
from dialed.events import Built
from dialed.trial import Member, Outcome

if TYPE_CHECKING:
    from dialed.engine.fused.engine import FusedEngine

__all__ = ["Worker", "main"]

_BACK = "back"
"""What `HandBack` calls itself. Whoever falls back on it adds the reason: "back: the model has ..."."""

_LOOK_SECONDS = 2.0


def main(*, descriptor: int, parent: int) -> None:
    """Serve the process `parent` over the inherited `descriptor` until either ends."""
    threading.Thread(target=_end_with, args=(parent,), name="dialed-parent", daemon=True).start()
    Worker(descriptor).serve()


class _Interrupted(BaseException):
    """Training is to stop now. No `Exception`: engines write down what they have, and let it pass."""


class Worker:
    """Does one command after another.

    `Leave` is a signal to the main thread, because training does not listen. It counts only while members are trained,
    and never breaks a message in two.
    """

    def __init__(self, descriptor: int) -> None:
        self._training = self._sending = self._leaving = self._noted = False
        self._ends: float | None = None
        self._clock: Clock = SystemClock()
        self._engine: FusedEngine | None = None
        self._back = HandBack(self)
        self._main = threading.get_ident()
        signal.signal(signal.SIGINT, self._interrupt)
        self._channel = Channel(Connection(descriptor), urgent=self._heard_at_once, deserted=_vanish)
        _forward_log(self)

    def serve(self) -> None:
        """Do commands until nobody is there to give any."""
        trouble = _import_engine()
        while True:
            match self._channel.receive():
                case Open() as command:
                    self.send(Refused(reason=trouble) if trouble else self._open(command))
                case Plan() as command:
                    self.send(self._plan(command))
                case Train() as command:
                    self._train(command)
                case _:
                    pass  # an answer that came when its question was given up

    def send(self, message: object) -> None:
        """Send `message` in one piece."""
        if threading.get_ident() != self._main:
            self._channel.send(message)
            return
        self._sending = True
        try:
            self._channel.send(message)
        except Closed:
            _vanish()
        finally:
            self._sending = False
        if self._noted:
            self._interrupt()

    def _open(self, command: Open) -> Opened | Refused:
        from dialed.engine.assignment import Assignment
        from dialed.engine.fused.compile_cache import CompileCache
        from dialed.engine.fused.engine import FusedEngine
        from dialed.engine.jax_worker.parcel import read
        from dialed.engine.jax_worker.settings import apply_settings, register
        from dialed.engine.recipe import Recipe

        self._engine = None
        try:
            parcel = read(Path(command.folder))
            self._clock = parcel.clock
            apply_settings(parcel.keras)
            register(parcel.registered)
            folder = None if parcel.compile_cache is True else parcel.compile_cache
            cache = CompileCache(folder) if folder is not False else None
            assignment = Assignment(
                recipe=Recipe(parcel.hypermodel, parcel.arguments, max_parameters=parcel.max_parameters),
                data=parcel.data,
                objective=parcel.objective,
                checkpoints=parcel.checkpoints,
                clock=self._clock,
                checkpoint_seconds=parcel.checkpoint_seconds,
                deadline=lambda: self._ends,
            )
            self._engine = FusedEngine(assignment, fallback=self._back, compile_cache=cache)
        except Exception as error:  # noqa: BLE001 - unpickling runs whatever the user's modules do when imported
            importing = isinstance(error, (ImportError, AttributeError))
            return Refused(reason=f"{type(error).__name__}: {error!s:.300}", importing=importing)
        return Opened()

    def _plan(self, command: Plan) -> Planned | Raised:
        assert self._engine is not None  # opened before
        try:
            return Planned(batches=tuple(self._engine.plan(command.members)))
        except Exception:  # noqa: BLE001 - the other side falls back
            return Raised(text=traceback.format_exc(limit=-4))

    def _train(self, command: Train) -> None:
        self._note(command.seconds)
        try:
            self._training = True
            end = self._trained(command)
            self._training = False
        except _Interrupted:
            self._training = False
            end = Left()
        self._leaving = self._noted = False
        self.send(end)

    def _trained(self, command: Train) -> Done | Raised | Left:
        assert self._engine is not None  # opened before
        try:
            with closing(self._outcomes(command)) as outcomes:
                for outcome in outcomes:
                    self.send(Ended(outcome=outcome))
        except DialedError as error:
            return Raised(text=str(error), error=error)
        except Exception:  # noqa: BLE001 - the other side falls back
            return Raised(text=traceback.format_exc(limit=-4))
        return Done()

    def _outcomes(self, command: Train) -> Generator[Outcome, None, None]:
        assert self._engine is not None  # opened before
        yield from self._engine.train(command.members, command.until, self._tell)

    def _tell(self, progress: Progress) -> bool:
        if isinstance(progress, Built) and progress.engine.partition(":")[0] == _BACK:
            self._back.reason = progress.engine.partition(":")[2].strip()
            return False
        self.send(Told(progress=progress))
        if self._leaving:
            return False  # nobody answers any more
        answer: Answer = self._channel.receive()
        self._note(answer.seconds)
        return answer.pause

    def _note(self, seconds: float | None) -> None:
        self._ends = None if seconds is None else self._clock.monotonic() + seconds

    def _heard_at_once(self, message: object) -> bool:
        """In the listening thread: whether `message` is done with."""
        if not isinstance(message, Leave):
            return False
        signal.pthread_kill(self._main, signal.SIGINT)
        return True

    def _interrupt(self, *_: Any) -> None:
        """In the main thread, between two of its instructions."""
        if not self._training or self._leaving:
            return
        if self._sending:
            self._noted = True
            return
        self._leaving = True
        raise _Interrupted


class HandBack:
    """The engine behind the fused one: trains nobody, and gives members back to the user's process.

    Whoever falls back on an engine adds the reason to what it tells of each model; that is how the reason is known.
    """

    def __init__(self, worker: Worker) -> None:
        self.reason = ""
        self._worker = worker

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        return [Batch(members=(member,), program="fit") for member in members]

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        for member in members:
            on_report(Built(trial=member.key.trial, values=member.values, engine=_BACK))
            self._worker.send(HandedBack(member=member, reason=self.reason))
        return iter(())


class _Forwarding(logging.Handler):
    """Sends log records to the user's process, whose handlers decide what becomes of them."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(logging.INFO)
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info))
        self._worker.send(Said(level=record.levelno, text=text))


def _forward_log(worker: Worker) -> None:
    log = logging.getLogger("dialed")
    log.addHandler(_Forwarding(worker))
    log.propagate = False


def _import_engine() -> str:
    """Import what takes seconds; why that cannot be done, empty where it can."""
    try:
        import dialed.engine.fused.engine  # noqa: F401
    except Exception as error:  # noqa: BLE001 - a broken installation raises what it likes
        return f"it cannot import Keras on JAX: {type(error).__name__}: {error!s:.300}"
    return ""


def _end_with(parent: int) -> None:
    """End when `parent` does. A hang-up says the same sooner, unless a fork of the parent keeps the line open."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    _vanish()


def _vanish() -> None:
    """End at once, without cleaning up: nobody is there who could use what would be written."""
    os._exit(0)
