"""Where work is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

__all__ = ["Executor", "Job"]

Job: TypeAlias = Callable[[], None]
"""A piece of work. It leaves its results in the store, and raises only what should end the study."""


class Executor(Protocol):
    """Runs jobs somewhere, some time. Knows nothing of Keras."""

    @property
    def free(self) -> int:
        """How many more jobs could start now."""
        ...

    def submit(self, job: Job) -> None:
        """Take a job."""
        ...

    def wait(self, timeout_seconds: float | None = None) -> int:
        """Return the number of jobs that ended since the last call, once there is one, or at the timeout.

        Raises what a job raised.
        """
        ...

    def close(self) -> None:
        """Stop taking jobs, cancel what has not begun, and give everything back."""
        ...
