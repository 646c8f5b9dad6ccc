"""What the user's process and the process with JAX say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from dialed.engine.protocol import Batch, Progress
from dialed.errors import DialedError
from dialed.trial import Member, Outcome

__all__ = [
    "Answer",
    "Command",
    "Done",
    "Ended",
    "HandedBack",
    "Leave",
    "Left",
    "Open",
    "Opened",
    "Plan",
    "Planned",
    "Raised",
    "Refused",
    "Said",
    "Told",
    "Train",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Take up a search: its parcel lies in `folder`. Answered by `Opened` or `Refused`."""

    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The search is taken up, and all of its parcel is read or mapped: the folder may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The search cannot be taken up; `reason` says why. `importing`: something in it could not be imported."""

    reason: str
    importing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Plan `members`. Answered by `Planned` or `Raised`."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The plan that was asked for. What the process would hand back has the program "fit" and a reason."""

    batches: tuple[Batch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """Train `members` until `until`; `seconds` are left until the deadline, `None` without one.

    Answered by any number of `Told`, `Ended`, `HandedBack`, and at last `Done`, `Raised` or `Left`.
    """

    members: tuple[Member, ...]
    until: int
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The engine told something. Training waits for an `Answer`, unless it was asked to leave."""

    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether the member should pause, and how many seconds are left now."""

    pause: bool
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A member has its outcome."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack:
    """A member cannot be a lane. Train it from where it is now, in the process of the user."""

    member: Member
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line of the log, at `level` of `logging`."""

    level: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Write down what is trained, and stop, as after Ctrl-C. Nothing more is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Each member has an outcome, or was handed back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was trained is written down, as `Leave` asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The engine raised: `error` where it is one that ends a study, `None` for any other."""

    text: str
    error: DialedError | None = None


Command = Open | Plan | Train
"""What begins something. The process does one at a time."""
