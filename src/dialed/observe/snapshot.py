"""One look at a running search, as frozen values that a drawing thread may keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from dialed.observe.estimate import Gauge
from dialed.observe.trained import Trained
from dialed.trial import Cause, MemberKey, MemberRecord, Objective, Purpose, State, Trial, Values

__all__ = ["STAGES", "Active", "BudgetView", "Limits", "Snapshot", "active_of", "member_label"]

STAGES = ("running", "starting", "waiting")
"""Where a member in work stands, in the order in which displays list them."""


class Limits(Protocol):
    """The budget of a study, as far as a display knows it; `None` is no limit."""

    @property
    def max_trials(self) -> int | None: ...
    @property
    def max_epochs(self) -> int | None: ...
    @property
    def max_seconds(self) -> float | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """Plain `Limits`: trials, trained epochs over the study, and seconds over its sessions. Each defaults to none."""

    max_trials: int | None = None
    max_epochs: int | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """A member in work, or in the queue. `stage` is "running", "starting" (built, no epoch yet) or "waiting"."""

    key: MemberKey
    label: str
    stage: str
    purpose: Purpose
    epoch: int
    until: int
    metric: float | None
    curve: tuple[float, ...]
    seconds: float
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One look at a search. Frozen, so that a drawing thread needs no lock.

    `events` counts the events so far; `gauges` holds what the budget limits, with what is used of it; `finished` the
    trials that came to rest last, newest first; `trained` how they were trained; `ended` the sentence with which the
    session ended. `died` says what the trials failed of, where it ended and none has a score. `workers`
    are the processes that train, those that joined included.
    """

    name: str
    objective: Objective
    events: int
    trials: int
    counts: Mapping[State, int]
    failures: Mapping[Cause, int]
    trained: Trained
    active: tuple[Active, ...]
    best: Trial | None
    defaults: Values | None
    finished: tuple[Trial, ...]
    gauges: tuple[Gauge, ...]
    epochs: int
    seconds: float
    seconds_left: float | None
    returned: int
    ended: str | None
    died: tuple[str, ...] = ()
    workers: int = 1


def active_of(trial: Trial, key: MemberKey) -> Active:
    record = next(m for m in trial.members if m.key == key)
    return Active(
        key=key,
        label=member_label(trial, record),
        stage=_stage(trial, record),
        purpose=record.purpose,
        epoch=record.epoch,
        until=record.until,
        metric=record.curve[-1] if record.curve else None,
        curve=record.curve,
        seconds=record.seconds,
        values=trial.values,
    )


def _stage(trial: Trial, record: MemberRecord) -> str:
    if record.state is State.RUNNING:
        return "running"
    return "starting" if trial.engine and record.epoch == 0 else "waiting"


def member_label(trial: Trial, record: MemberRecord) -> str:
    """Write which member this is: "7", "7 repeat 2", "7 fold 3", "7 confirm 1"."""
    alike = [m for m in trial.members if m.purpose == record.purpose]
    seeds = list(dict.fromkeys(m.key.seed for m in alike))
    parts = [str(trial.number)]
    if record.purpose == "confirm":
        parts.append(f"confirm {seeds.index(record.key.seed) + 1}")
    elif len(seeds) > 1:
        parts.append(f"repeat {seeds.index(record.key.seed) + 1}")
    if len({m.key.fold for m in alike}) > 1:
        parts.append(f"fold {record.key.fold + 1}")
    return " ".join(parts)
