"""Time as an argument: the one place that reads the machine's clocks."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What the rest of Dialed knows of time. Under virtual time, a simulation stands behind it."""

    def now(self) -> float:
        """Seconds since the epoch (1970-01-01 UTC): for records and for leases that other machines read."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back: for durations and deadlines inside this process."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
