"""How much of a budget is used, and how long the rest will take at the pace of this session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Gauge", "Pace", "seconds_left"]


class Gauge(NamedTuple):
    """One limit of the budget: "trials", "epochs", "time" (seconds) or "confirm" (members), and what is used of it."""

    label: str
    used: float
    limit: float | None

    @property
    def part(self) -> float:
        """The used part, between 0 and 1; 0 where there is no limit."""
        return min(self.used / self.limit, 1.0) if self.limit else 0.0


class Pace(NamedTuple):
    """Where this session began: the clock's seconds, and the epochs and trials that were done by then."""

    begun: float
    epochs: int
    trials: float


def seconds_left(pace: Pace, now: float, gauges: Sequence[Gauge], *, epochs: int, trials: float) -> float | None:
    """Return the seconds until the first limit is reached; `None` while nothing tells.

    Time left is known; trials and epochs left are counted at the pace of this session. Earlier sessions do not count:
    they may have run on another machine.

    Args:
        pace: Where this session began.
        now: The clock's seconds.
        gauges: The limits.
        epochs: Epochs trained by now, in all sessions.
        trials: Trials done by now, parts of them included.
    """
    elapsed = now - pace.begun
    done = {"epochs": (epochs, epochs - pace.epochs), "trials": (trials, trials - pace.trials)}
    estimates = []
    for label, used, limit in gauges:
        if limit is None:
            continue
        if label == "time":
            estimates.append(max(limit - used, 0.0))
        elif label in done and done[label][1] > 0:
            total, in_session = done[label]
            estimates.append(max(limit - total, 0.0) * elapsed / in_session)
    return min(estimates, default=None)
