"""The executor that needs nothing: jobs run one after another, in the caller's own thread."""

from __future__ import annotations

from collections import deque

from dialed.executor.protocol import Job

__all__ = ["Inline"]


class Inline:
    """Runs each job inside `wait`, in the thread that calls it.

    To choose: always, unless there is more than one device to keep busy. Ctrl-C reaches the training directly.
    """

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()

    @property
    def free(self) -> int:
        return 0 if self._jobs else 1

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def wait(self, timeout_seconds: float | None = None) -> int:
        """Run the oldest job to its end. `timeout_seconds` means nothing here: a job is never left half done."""
        if not self._jobs:
            return 0
        job = self._jobs.popleft()
        job()
        return 1

    def close(self) -> None:
        self._jobs.clear()
