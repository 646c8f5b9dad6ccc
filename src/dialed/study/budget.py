"""How much a search may cost: trials, trained epochs, time; alone or together, the first reached ends the search."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dialed.errors import InvalidInputError
from dialed.observe.text import format_seconds
from dialed.search.history import History

__all__ = ["Budget", "parse_seconds"]

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)\s*(d|h|min|m|s)\s*)", re.IGNORECASE)
_SECONDS = {"d": 86400.0, "h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0}


def parse_seconds(duration: float | str | None, *, name: str = "max_time") -> float | None:
    """Seconds of a duration such as `90`, `"90s"`, `"10m"`, `"2h"` or `"1h 30m"`; `None` stays `None`."""
    if duration is None:
        return None
    seconds = _text_seconds(duration) if isinstance(duration, str) else duration
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < float("inf"):
        raise InvalidInputError(
            f"The `{name}` must be a positive number of seconds, or a text such as '90s', '10m' or '2h'. "
            f"Got {duration!r}."
        )
    return float(seconds)


def _text_seconds(text: str) -> float | None:
    stripped = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", stripped):
        return float(stripped)
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", stripped, re.IGNORECASE):
        return None
    return sum(float(number) * _SECONDS[unit.lower()] for number, unit in _DURATION.findall(stripped))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The limits of one study, over all its sessions.

    Args:
        max_trials: Trials that begin from nothing, in all. Defaults to no limit.
        max_epochs: Trained epochs over all members. Defaults to no limit.
        max_seconds: Seconds of searching, summed over the sessions. Defaults to no limit.
    """

    max_trials: int | None = None
    max_epochs: int | None = None
    max_seconds: float | None = None

    @classmethod
    def of(cls, max_trials: int | None, max_epochs: int | None, max_time: float | str | None) -> Budget:
        """Check the three arguments as a user gives them."""
        for name, value in (("max_trials", max_trials), ("max_epochs", max_epochs)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise InvalidInputError(f"The `{name}` must be an int in the range [1, inf) or None. Got {value!r}.")
        return cls(max_trials=max_trials, max_epochs=max_epochs, max_seconds=parse_seconds(max_time))

    @property
    def unlimited(self) -> bool:
        """Whether there is no limit at all."""
        return self.max_trials is None and self.max_epochs is None and self.max_seconds is None

    def now(self, history: History) -> Budget:
        """The limits that hold at this moment: those that somebody set while the session runs, or these."""
        asked = history.asked.budget
        if asked is None:
            return self
        return Budget(max_trials=asked.max_trials, max_epochs=asked.max_epochs, max_seconds=asked.max_seconds)

    def spent(self, history: History, seconds: float) -> str | None:
        """The sentence that says which limit is reached; `None` while work in progress may go on.

        `seconds` is the time used so far, earlier sessions included. The limit on trials does not stop the trials
        that have begun: see `may_start`.
        """
        if self.max_epochs is not None and history.epochs >= self.max_epochs:
            return f"max_epochs={self.max_epochs} is reached"
        if self.max_seconds is not None and seconds >= self.max_seconds:
            return f"max_time={format_seconds(self.max_seconds)} is reached"
        return None

    def may_start(self, history: History) -> bool:
        """Whether another trial may begin."""
        return self.max_trials is None or history.begun < self.max_trials
