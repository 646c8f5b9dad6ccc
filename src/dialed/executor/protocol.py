"""Where work is done, and what work is: values that can travel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from dialed.engine.movable import Movable
from dialed.engine.protocol import Engine
from dialed.store.protocol import Leased

__all__ = ["Deadline", "EngineMaker", "Executor", "Job"]

Deadline: TypeAlias = Callable[[], float | None]
"""Returns when training must stop, on the monotonic clock of the process that trains; `None` for never."""


class EngineMaker(Movable, Protocol):
    """Makes the engine of a study, in whatever process is to train: what is trained, on what, and with which settings.

    An executor that trains elsewhere sends it there, so it must be a value that can be pickled by `cloudpickle`.
    """

    def __call__(self, deadline: Deadline) -> Engine:
        """The engine, which looks at `deadline` inside an epoch too."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Members to train, each leased by the worker that is to train it.

    The results go into the store as they come. What a job ends with is known there, not told to whoever submitted it.

    Args:
        worker: The name under which the members are leased.
        leased: The members, and how far each is to be trained.
        seconds: Seconds left for it; members that are not at their end by then pause. Defaults to no limit.
        epochs: The most epochs to train, over all members. Defaults to no limit.
    """

    worker: str
    leased: tuple[Leased, ...]
    seconds: float | None = None
    epochs: int | None = None


class Executor(Protocol):
    """Has jobs done by workers. Knows nothing of Keras."""

    @property
    def free(self) -> Sequence[str]:
        """The workers that could begin a job now, by the names under which members are leased for them."""
        ...

    def submit(self, job: Job) -> None:
        """Have a worker that is free begin `job`."""
        ...

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Job]:
        """Return the jobs that ended since the last call, once there is one, or at the timeout.

        A worker that dies ends its job: its members are in the queue again when this returns. Raises what a job raised
        that should end the study.
        """
        ...

    def cancel(self, trials: Collection[int] | None = None) -> None:
        """Ask members to pause: they rest at their last complete epoch, and may go on another time.

        Args:
            trials: Only those of these trials, which are given up at their next report. Defaults to all.
        """
        ...

    def close(self) -> None:
        """Take no more jobs, have what is trained written down, and give everything back."""
        ...
