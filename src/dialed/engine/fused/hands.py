"""Threads that run programs side by side: one thread keeps about one core of a CPU busy.

A compiled program leaves Python's lock while it runs. Two threads that each train half of the lanes take half the time
of one program with all of them, and less processor time too: XLA's own threads wait for each other at every operation
(measured with JAX 0.10.2 on two cores: 32 lanes of a small network 0.80 s as one program, 0.37 s as two halves at once;
1.02 and 0.69 CPU seconds).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["Hands", "Stopped", "cores"]

_Result = TypeVar("_Result")


class Stopped(Exception):
    """Nobody waits for the result any more."""


class Hands(Generic[_Result]):
    """Does several pieces of work at once.

    Args:
        count: How many at once. With one, work is done in the thread that asks for it.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._stopped = threading.Event()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether work under way should raise `Stopped` soon."""
        return self._stopped.is_set()

    def each(self, works: Sequence[Callable[[], _Result]], *, at_once: bool = True) -> Iterator[_Result | Exception]:
        """What each of `works` returns or raises, in their order. All have ended when the iterator has, or is closed."""
        if self.count == 1 or len(works) == 1 or not at_once:
            for work in works:
                yield _result_of(work)
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="dialed")
        begun: list[Future[_Result | Exception]] = [self._threads.submit(_result_of, work) for work in works]
        try:
            for future in begun:
                yield future.result()
        except BaseException:
            self._stopped.set()
            raise
        finally:
            for future in begun:
                future.cancel() or future.exception()

    def close(self) -> None:
        """End the threads; work under way is stopped."""
        self._stopped.set()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system says
        return os.cpu_count() or 1


def _result_of(work: Callable[[], _Result]) -> _Result | Exception:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - handed to whoever asked for the work
        return error
