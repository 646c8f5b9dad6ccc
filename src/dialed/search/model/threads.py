"""One thread for the linear algebra of a decision."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Within it, BLAS takes one thread: matrices of a few hundred rows gain nothing from more.

    Training goes on beside a decision and needs the cores; and a sum that is split over another number of threads may
    end in another bit, and so in another trial.
    """
    limited: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limited
