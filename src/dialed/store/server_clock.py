"""The time of the database's server, which is the same for all machines that share a study."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from dialed.clock import Clock

__all__ = ["ServerClock"]

_AGAIN_SECONDS: Final = 300.0
"""Clocks drift by some parts in a hundred thousand: by milliseconds in this time."""


class ServerClock:
    """Tells what the server's clock tells, and asks it every few minutes only.

    So a machine whose clock is an hour off neither takes other machines' leases away nor keeps its own too long.

    Args:
        ask: Asks the server for its seconds since the epoch.
        clock: This machine's: for what passes in between, and for `monotonic`.
    """

    def __init__(self, ask: Callable[[], float], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._turn = threading.Lock()
        self._asked: tuple[float, float] | None = None  # the server's time, and this machine's when it was asked

    def now(self) -> float:
        here = self._clock.monotonic()
        with self._turn:
            if self._asked is None or here - self._asked[1] > _AGAIN_SECONDS:
                self._asked = (self._ask(), here)
            there, asked = self._asked
        return there + here - asked

    def monotonic(self) -> float:
        return self._clock.monotonic()
