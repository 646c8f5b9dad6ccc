"""Trials, members, reports and outcomes: frozen values, and the legal changes of their state.

A *trial* is one choice of values. A *member* is a trial under one seed and one fold: the unit that is trained, leased
and checkpointed. A *report* is what one member measured at the end of one epoch; an *outcome* is how its training
ended. A trial's state, score and spread follow from its members alone (`aggregate`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite, isnan
from statistics import fmean, stdev
from typing import Literal, NamedTuple, TypeAlias

__all__ = [
    "Ancestor",
    "Cause",
    "CheckpointRef",
    "Direction",
    "EarlierTrial",
    "Member",
    "MemberKey",
    "MemberRecord",
    "Objective",
    "Origin",
    "Outcome",
    "Purpose",
    "Report",
    "State",
    "Trial",
    "Value",
    "Values",
    "aggregate",
    "best_first",
    "check_change",
    "stretch_at",
]

Value: TypeAlias = bool | int | float | str | None
Values: TypeAlias = Mapping[str, Value]
Direction: TypeAlias = Literal["min", "max"]
Purpose: TypeAlias = Literal["search", "confirm"]
"""Why a member is trained. Only the members of the search make a trial's score; the others judge it."""


class State(StrEnum):
    """Where a member, or a trial, stands."""

    WAITING = "waiting"  # in the queue: nobody trains it
    RUNNING = "running"  # leased by a worker
    PAUSED = "paused"  # reached `until`, may be continued from its checkpoint
    COMPLETED = "completed"  # trained to the end of its epochs
    STOPPED = "stopped"  # ended early on purpose (a strategy's decision, early stopping never: that is completed)
    FAILED = "failed"  # ended with a cause

    @property
    def finished(self) -> bool:
        """Whether nothing more is expected of it."""
        return self in (State.COMPLETED, State.STOPPED, State.FAILED)


class Cause(StrEnum):
    """Why a member failed. `retries` says how often Dialed tries again."""

    BUILD = "build"  # the build function raised
    INFEASIBLE = "infeasible"  # hp.require(...) did not hold
    TOO_LARGE = "too_large"  # more parameters than `max_parameters`
    OUT_OF_MEMORY = "out_of_memory"
    NAN = "nan"  # a loss or metric became NaN or infinite
    DIVERGED = "diverged"  # the loss is finite, but far above where it started
    ERROR = "error"  # training raised
    KILLED = "killed"  # its worker died, while whoever drives the study lived on
    INTERRUPTED = "interrupted"  # the process that drives the study died while it trained this member itself
    TOLD = "told"  # the user said so: study.tell(trial, failure)
    TIME_LIMIT = "time_limit"  # longer than `max_trial_time`
    MISFIT = "misfit"  # the state that it was to go on from is not one of a model with its values

    @property
    def retries(self) -> int:
        """How often, without an epoch of progress between, a member is put back into the queue before it has failed.

        A worker that dies under a living study was probably killed by what it trained. A whole process that dies was
        probably stopped from outside, and may be again and again: only a long row of such ends is the member's fault.
        """
        return {Cause.INTERRUPTED: 20, Cause.KILLED: 5, Cause.OUT_OF_MEMORY: 1}.get(self, 0)

    @property
    def counts_against_study(self) -> bool:
        """Whether many of these in a row mean that the user's code is broken, not the values."""
        return self in (Cause.BUILD, Cause.ERROR, Cause.INTERRUPTED, Cause.KILLED, Cause.OUT_OF_MEMORY)


_CHANGES: Mapping[State, frozenset[State]] = {
    State.WAITING: frozenset({State.RUNNING, State.STOPPED, State.FAILED}),
    State.RUNNING: frozenset({State.WAITING, State.PAUSED, State.COMPLETED, State.STOPPED, State.FAILED}),
    State.PAUSED: frozenset({State.WAITING, State.STOPPED, State.COMPLETED}),
    State.COMPLETED: frozenset({State.WAITING}),  # continued beyond its first end
    State.STOPPED: frozenset({State.WAITING}),  # a strategy may think again
    State.FAILED: frozenset(),
}


def check_change(old: State, new: State) -> None:
    """Raise `ValueError` unless a member may go from `old` to `new`."""
    if new not in _CHANGES[old]:
        allowed = ", ".join(sorted(_CHANGES[old])) or "nothing"
        raise ValueError(f"A member that is {old} may become {allowed}. Got {new}.")


class MemberKey(NamedTuple):
    """A member's name inside its study: the trial's number, the seed and the fold (0 where there are no folds)."""

    trial: int
    seed: int
    fold: int


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric that a study improves, and which way is better: `Objective("val_accuracy", "max")`."""

    name: str
    direction: Direction

    def better(self, new: float, old: float | None) -> bool:
        """Whether `new` is strictly better than `old` (`None`: there was none)."""
        if old is None:
            return not math.isnan(new)
        return new < old if self.direction == "min" else new > old

    def loss(self, value: float) -> float:
        """`value` as something to minimise."""
        return value if self.direction == "min" else -value


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRef:
    """A checkpoint file: its path below the artifact folder, its SHA-256 in hex, its size, and its epoch."""

    path: str
    digest: str
    bytes: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """One stretch of the training behind a trial: trial `trial` trained with `values` until it had so many epochs."""

    trial: int
    until: int
    values: Values


class EarlierTrial(NamedTuple):
    """A trial of another study: its values, and its loss (smaller is better)."""

    values: Values
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a trial that did not begin from nothing took its state.

    `ancestors` are the stretches before its own, the earliest first, never none; the last is of the trial whose state
    was copied. `replaces` is the trial that ended for it.
    """

    ancestors: tuple[Ancestor, ...]
    replaces: int

    @property
    def source(self) -> int:
        """The trial whose state was copied."""
        return self.ancestors[-1].trial

    @property
    def epoch(self) -> int:
        """How many epochs that state had."""
        return self.ancestors[-1].until


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What an engine is asked to train: a trial's values under one seed and fold, from `epoch` on.

    `before` are the values that the checkpoint was trained with, where they are not `values`: training goes on from
    that state with other numbers. One that `inherits` owes its state to other trials too, so it cannot begin again.
    """

    key: MemberKey
    values: Values
    epoch: int = 0
    checkpoint: CheckpointRef | None = None
    purpose: Purpose = "search"
    before: Values | None = None
    inherits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one member measured at the end of one epoch.

    `epoch` counts trained epochs (1 after the first); `seconds` is what this epoch took; `memory_bytes` the highest
    resident size of the process so far (`None` where it cannot be read). With `final`, this value is the member's
    score, whatever was better on the way: a function's return value.
    """

    key: MemberKey
    epoch: int
    metrics: Mapping[str, float]
    seconds: float = 0.0
    memory_bytes: int | None = None
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one member's training ended.

    `state` is PAUSED (reached `until`, or was told to pause), COMPLETED (early stopping) or FAILED. An engine need
    not know what is left: a paused member with all its epochs counts as completed, one short of `until` waits again.
    `worker` says who trained it; whoever stores the outcome knows, an engine need not.
    """

    key: MemberKey
    state: State
    epoch: int
    cause: Cause | None = None
    message: str = ""
    last: CheckpointRef | None = None
    best: CheckpointRef | None = None
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """All that is known of one member.

    `until` is the epoch it was asked to reach, `length` the epochs of its full training, `epoch` those it has.
    `curve` holds the objective after each epoch (epoch 1 first), `score` its best value, at `best_epoch`. `attempts`
    counts how often it was begun and came back without an epoch of progress. Only what comes after `since` epochs
    counts in the score: those before belong to the trials that the state was copied from. `metrics` holds, at
    `best_epoch`, what the study has further objectives or constraints for; see `objectives.py`.
    """

    key: MemberKey
    purpose: Purpose = "search"
    state: State = State.WAITING
    until: int = 0
    length: int = 0
    epoch: int = 0
    curve: tuple[float, ...] = ()
    score: float | None = None
    best_epoch: int | None = None
    seconds: float = 0.0
    memory_bytes: int | None = None
    attempts: int = 0
    cause: Cause | None = None
    message: str = ""
    last: CheckpointRef | None = None
    best: CheckpointRef | None = None
    since: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One choice of values, with what became of it.

    `score` is the objective, the mean over the members of the search of their best epoch; `None` while there is none.
    `spread` is the sample standard deviation over those members; `None` for fewer than two. `origin` says where its
    state came from, where it did not begin from nothing. `metrics` has the mean over the members of what the study has
    further objectives or constraints for. `latency` is the seconds that its model takes to answer for one sample, where
    that was measured (docs/objectives). `note` and `tags` are what people wrote about it.
    """

    number: int
    values: Values
    state: State = State.WAITING
    cause: Cause | None = None
    message: str = ""
    score: float | None = None
    spread: float | None = None
    members: tuple[MemberRecord, ...] = ()
    epochs: int = 0
    seconds: float = 0.0
    parameters: int | None = None
    latency: float | None = None
    source: str = "strategy"
    engine: str = ""
    origin: Origin | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    tags: tuple[str, ...] = ()

    @property
    def confirmations(self) -> tuple[MemberRecord, ...]:
        """The members that judge this trial with fresh seeds."""
        return tuple(m for m in self.members if m.purpose == "confirm")

    def _repr_html_(self) -> str:
        from dialed.observe.notebook import trial_html

        return trial_html(self)


def best_first(trials: Iterable[Trial], objective: Objective) -> list[Trial]:
    """`trials` from the best score to the worst, the earlier one on ties; those without a score come last."""
    return sorted(trials, key=lambda t: (t.score is None, objective.loss(t.score or 0.0), t.number))


class Stretch(NamedTuple):
    """What a training goes on with: the values, how far they hold (`None`: to the end), and those just before."""

    values: Values
    until: int | None
    before: Values | None


def stretch_at(epoch: int, values: Values, origin: Origin | None) -> Stretch:
    """How a member of the trial with `values` and `origin` goes on after `epoch` epochs.

    One that began from nothing, as those of a confirmation do, passes through the values of all ancestors in turn:
    that is the training which made the trial's score.
    """
    ancestors = () if origin is None else origin.ancestors
    ahead = next((ancestor for ancestor in ancestors if epoch < ancestor.until), None)
    past = next((ancestor for ancestor in reversed(ancestors) if epoch == ancestor.until), None)
    return Stretch(
        values=values if ahead is None else ahead.values,
        until=None if ahead is None else ahead.until,
        before=None if past is None else past.values,
    )


class Aggregate(NamedTuple):
    """What a trial's members say about the trial."""

    state: State
    cause: Cause | None
    message: str
    score: float | None
    spread: float | None
    epochs: int
    seconds: float
    metrics: Mapping[str, float]


def aggregate(members: Sequence[MemberRecord]) -> Aggregate:
    """Derive a trial's state, score and spread from its members.

    One failed member fails the trial: a mean over the folds that happened to survive would flatter it. Epochs and
    seconds are those of the search too; what a confirmation took is told by its members.
    """
    if len(members) == 1 and members[0].purpose == "search":
        return _of_one(members[0])
    searched = [m for m in members if m.purpose == "search"]
    failed = next((m for m in searched if m.state is State.FAILED), None)
    scores = [m.score for m in searched if m.score is not None]
    known = bool(scores) and failed is None
    return Aggregate(
        state=_state_of(searched),
        cause=failed.cause if failed else None,
        message=failed.message if failed else "",
        score=_mean(scores) if known else None,
        spread=stdev(scores) if known and len(scores) > 1 and all(map(isfinite, scores)) else None,
        epochs=sum(m.epoch - m.since for m in searched),
        seconds=sum(m.seconds for m in searched),
        metrics=_means([m.metrics for m in searched if m.score is not None]) if known else {},
    )


def _of_one(member: MemberRecord) -> Aggregate:
    """The same for a single member, as most trials have: each report would wait for the general way."""
    failed = member.state is State.FAILED
    known = member.score is not None and not failed
    return Aggregate(
        state=member.state,
        cause=member.cause if failed else None,
        message=member.message if failed else "",
        score=None if member.score is None or failed or isnan(member.score) else float(member.score),
        spread=None,
        epochs=member.epoch - member.since,
        seconds=member.seconds,
        metrics=member.metrics if known else {},
    )


def _means(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric that all have."""
    return {
        name: sum(each[name] for each in metrics) / len(metrics)
        for name in metrics[0]
        if all(name in m for m in metrics)
    }


def _mean(scores: Sequence[float]) -> float | None:
    """The mean; `None` for infinities that cancel out. (`statistics` raises for them.)"""
    if all(map(isfinite, scores)):
        return fmean(scores)
    total = sum(scores)
    return None if isnan(total) else total


def _state_of(members: Sequence[MemberRecord]) -> State:
    states = {m.state for m in members}
    order = (State.FAILED, State.RUNNING, State.WAITING, State.STOPPED, State.PAUSED)
    return next((state for state in order if state in states), State.COMPLETED)
