"""What the process that drives a study and its workers say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from dialed.errors import DialedError
from dialed.executor.protocol import Job

__all__ = ["Done", "Gone", "Leave", "Open", "Opened", "Pause", "Raised", "Refused", "Said", "Stop", "Train"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Take up a study: what makes its engine lies in `folder`. Answered by `Opened` or `Refused`."""

    folder: str
    address: str
    study: str
    lease_seconds: float
    max_trial_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The study is taken up; members can be leased under the name `worker`."""

    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The study cannot be taken up; `reason` says why. `importing`: something in it could not be imported."""

    reason: str
    importing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """Do `job`, the `number`th that this worker is given. Answered by `Done` or `Raised`."""

    number: int
    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Let the job with that number rest. Not answered: the job is, as ever."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Give the members of these trials up at their next report. Not answered."""

    trials: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Write down what is trained, give its leases back, and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The job is done; what it found is in the store. The worker takes `memory_bytes` now."""

    memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The engine raised: `error` where it is one that ends a study, `None` for any other."""

    text: str
    error: DialedError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line of the log, at `level` of `logging`."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The line is dead. Not sent: it is what the listening thread makes of it."""
