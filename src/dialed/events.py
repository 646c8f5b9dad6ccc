"""What can happen to a study: the append-only record from which everything else is derived.

Events are frozen values. `store/` writes them down in order; `search/history.py` folds them into what a strategy sees.
Folding the same events always gives the same history: that is how a study survives a kill at any instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dialed.trial import Cause, CheckpointRef, MemberKey, Outcome, Purpose, Report, Values

__all__ = [
    "Built",
    "Enqueued",
    "Event",
    "MembersAdded",
    "Returned",
    "Saved",
    "SessionEnded",
    "SessionStarted",
    "SpaceSet",
    "TrialContinued",
    "TrialStarted",
    "TrialStopped",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """A process began to drive the study. `settings` are the study's settings as JSON."""

    worker: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    """A process stopped driving the study; `reason` is a sentence for people.

    `finished` is True when nothing is left to do inside the budget, False when it was interrupted. `seconds` is how
    long the session lasted; the time budget of a study is the sum over its sessions.
    """

    reason: str
    finished: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceSet:
    """The space as it is from now on (found by discovery, grown by a build, or changed on resume), as JSON."""

    space: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """The user asked for these values to be tried next."""

    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted:
    """A new trial: one member for each seed and fold, to be trained to `until` epochs out of `epochs` in all.

    `source` is "default", "enqueued", "strategy" or "asked". An enqueued trial takes the oldest waiting `Enqueued`.
    """

    trial: int
    values: Values
    until: int
    epochs: int
    seeds: tuple[int, ...]
    folds: tuple[int, ...] = (0,)
    source: Literal["default", "enqueued", "strategy", "asked"] = "strategy"


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersAdded:
    """More members for a trial that exists, with fresh seeds."""

    trial: int
    until: int
    seeds: tuple[int, ...]
    folds: tuple[int, ...] = (0,)
    purpose: Purpose = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialContinued:
    """The paused members of the trial's search go on to `until` epochs."""

    trial: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStopped:
    """The trial's waiting and paused members will not be continued."""

    trial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The trial's model was built: the values that its build call asked for, and the number of its parameters.

    `engine` says how it is trained, with the reason where it is not the fastest way. `space` is what the build call
    asked for, as the JSON of a `Space`, where the trial's values did not foresee all of it: a study's space grows so.
    """

    trial: int
    values: Values
    parameters: int | None = None
    engine: str = ""
    space: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A checkpoint of a member was committed. `kind` is "last" (the whole state) or "best" (the weights)."""

    key: MemberKey
    kind: Literal["last", "best"]
    checkpoint: CheckpointRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A member went back into the queue, to be trained again from its last checkpoint."""

    key: MemberKey
    cause: Cause
    message: str = ""


Event: TypeAlias = (
    SessionStarted
    | SessionEnded
    | SpaceSet
    | Enqueued
    | TrialStarted
    | MembersAdded
    | TrialContinued
    | TrialStopped
    | Built
    | Report
    | Saved
    | Outcome
    | Returned
)
