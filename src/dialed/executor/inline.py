"""The executors that need nothing: one runs jobs in the caller's own thread, the other leaves them to whoever comes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

from dialed.executor.protocol import Job

__all__ = ["Elsewhere", "Inline"]


class Inline:
    """Runs each job inside `wait`, in the thread that calls it.

    To choose: always, unless there is more than one device to keep busy. Ctrl-C reaches the training directly.

    Args:
        worker: The name under which members are leased.
        train: Does a job, here and now. It pauses by itself when the budget is spent.
        close: Gives back what `train` holds, at the end. Defaults to nothing.
    """

    def __init__(self, worker: str, train: Callable[[Job], None], *, close: Callable[[], object] | None = None) -> None:
        self._worker = worker
        self._train = train
        self._close = close
        self._jobs: deque[Job] = deque()

    @property
    def free(self) -> Sequence[str]:
        return () if self._jobs else (self._worker,)

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Job]:
        """Run the oldest job to its end: it is never left half done. Without one, let `timeout_seconds` pass."""
        if not self._jobs:
            time.sleep(timeout_seconds or 0.0)
            return ()
        job = self._jobs.popleft()
        self._train(job)
        return (job,)

    def cancel(self, trials: Collection[int] | None = None) -> None:
        """Nothing runs while somebody could ask for this."""

    def close(self) -> None:
        self._jobs.clear()
        if self._close is not None:
            self._close()


class Elsewhere:
    """Has no worker: what waits in the store is taken by workers that come by themselves (`dialed worker`)."""

    @property
    def free(self) -> Sequence[str]:
        return ()

    def submit(self, job: Job) -> None:
        raise AssertionError(f"There is no worker here to do {job}.")

    def wait(self, timeout_seconds: float | None = None) -> Sequence[Job]:
        """Let `timeout_seconds` pass."""
        time.sleep(timeout_seconds or 0.0)
        return ()

    def cancel(self, trials: Collection[int] | None = None) -> None:
        """Workers that came by themselves look into the store for this."""

    def close(self) -> None:
        """There is nothing to give back."""
