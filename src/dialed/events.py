"""What can happen to a study: the append-only record from which everything else is derived.

Events are frozen values. `store/` writes them down in order; `search/history.py` folds them into what a strategy sees.
Folding the same events always gives the same history: that is how a study survives a kill at any instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dialed.trial import Ancestor, Cause, CheckpointRef, EarlierTrial, MemberKey, Outcome, Purpose, Report, Values

__all__ = [
    "BudgetSet",
    "Built",
    "Enqueued",
    "Event",
    "Measured",
    "MembersAdded",
    "Noted",
    "PauseSet",
    "Returned",
    "Saved",
    "SessionEnded",
    "SessionStarted",
    "SpaceSet",
    "StopAsked",
    "TrialContinued",
    "TrialCopied",
    "TrialStarted",
    "TrialStopped",
    "WarmStarted",
    "WorkerJoined",
    "WorkerLeft",
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
class TrialCopied:
    """A new trial that goes on from another's state with values of its own, in the place of the trial `replaces`.

    `ancestors` are the stretches of training behind it, the earliest first; the last is of the trial whose state is
    copied. Its members are those of that trial: each begins where that one's checkpoint is. What it replaces and had
    not ended is stopped.
    """

    trial: int
    values: Values
    replaces: int
    ancestors: tuple[Ancestor, ...]
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStarted:
    """What another study found is known from here on: data, so that nothing needs that study any more.

    `source` names the study and its metric; a study is taken in once.
    """

    source: str
    trials: tuple[EarlierTrial, ...]


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
class Measured:
    """How long the trial's model takes to answer for one sample: `latency`, in seconds."""

    trial: int
    latency: float


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Somebody wrote what they think of a trial: `text` and `tags` replace what was noted before. Decides nothing."""

    trial: int
    text: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsked:
    """Somebody asks the running session to give the trial up at its next report."""

    trial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSet:
    """Somebody asks the running session to rest (`paused`), or to go on. A new session does not rest."""

    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSet:
    """Somebody gives the running session another budget; `None` is no limit. A new session has the one of its code."""

    max_trials: int | None = None
    max_epochs: int | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerJoined:
    """A worker that nobody started for this session takes members from now on, `lanes` of them at once."""

    worker: str
    lanes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLeft:
    """A worker that had joined takes no more members; `reason` is a sentence for people."""

    worker: str
    reason: str = ""


Event: TypeAlias = (
    SessionStarted
    | SessionEnded
    | SpaceSet
    | Enqueued
    | TrialStarted
    | MembersAdded
    | TrialContinued
    | TrialCopied
    | TrialStopped
    | WarmStarted
    | Built
    | Measured
    | Report
    | Saved
    | Outcome
    | Returned
    | Noted
    | StopAsked
    | PauseSet
    | BudgetSet
    | WorkerJoined
    | WorkerLeft
)
