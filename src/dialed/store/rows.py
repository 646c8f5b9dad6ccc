"""Rows of the derived tables as values, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dialed.events import Noted, TrialCopied, TrialStarted
from dialed.store.codec import (
    decode_checkpoint,
    decode_json,
    decode_origin,
    decode_tags,
    decode_terms,
    encode_json,
    encode_origin,
)
from dialed.store.fold import MemberRow
from dialed.store.protocol import Leased
from dialed.store.workers import is_dead
from dialed.trial import (
    Aggregate,
    Cause,
    CheckpointRef,
    Member,
    MemberKey,
    MemberRecord,
    Objective,
    Origin,
    State,
    Trial,
    stretch_at,
)

__all__ = [
    "StudyInfo",
    "StudyState",
    "aggregate_values",
    "begun_values",
    "clean",
    "info_of",
    "leased_of",
    "member_of",
    "member_values",
    "mutable_values",
    "note_values",
    "trial_from",
    "visible",
]

Row: TypeAlias = Sequence[Any]
StudyState: TypeAlias = Literal["new", "running", "interrupted", "finished"]

_STATES = {str(state): state for state in State}
_CAUSES: dict[str | None, Cause | None] = {None: None, **{str(cause): cause for cause in Cause}}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyInfo:
    """A study at a glance: what a list of studies shows.

    `created` and `changed` are seconds since the epoch. `trials` counts those begun, `epochs` the trained ones.
    `cursor` is that of its last event. `seconds` is the time that its ended sessions took. `best_trial` and `best_score` are `None` while no trial has one.
    """

    name: str
    created: float
    changed: float
    state: StudyState
    trials: int
    epochs: int
    seconds: float
    best_trial: int | None
    best_score: float | None
    objective: Objective
    settings: Mapping[str, Any]
    cursor: int = 0


def info_of(row: Row, best: Row | None, now: float) -> StudyInfo:
    """Read a study from the columns `queries.STUDY`; `best` is the number and the score of its best trial."""
    claimed = row[8] is not None and row[9] >= now and not is_dead(row[8])
    states: dict[str, StudyState] = {"new": "new", "finished": "finished"}
    return StudyInfo(
        name=row[0],
        created=row[1],
        changed=row[2],
        objective=decode_terms(row[3]).objective,
        settings=decode_json(row[4]),
        state="running" if claimed else states.get(row[5], "interrupted"),
        trials=row[6],
        epochs=row[7],
        seconds=row[10],
        best_trial=None if best is None else best[0],
        best_score=None if best is None else best[1],
        cursor=row[12],
    )


def member_of(row: Row) -> MemberRow:
    """Read a member from the columns `queries.MEMBER`."""
    record = MemberRecord(
        key=MemberKey(row[0], row[1], row[2]),
        purpose=row[3],
        state=_STATES[row[4]],
        until=row[5],
        length=row[6],
        epoch=row[7],
        score=row[8],
        best_epoch=row[9],
        seconds=row[10],
        memory_bytes=row[11],
        attempts=row[12],
        cause=_CAUSES[row[13]],
        message=row[14],
        last=decode_checkpoint(row[15]),
        best=decode_checkpoint(row[16]),
        since=row[21],
    )
    return MemberRow(record=record, place=row[17], worker=row[18], lease_until=row[19], begun=bool(row[20]))


def mutable_values(row: MemberRow) -> dict[str, Any]:
    """Return the columns `queries.MUTABLE` of a member."""
    record = row.record
    return {
        "state": record.state.value,
        "until": record.until,
        "epoch": record.epoch,
        "score": _number(record.score),
        "best_epoch": record.best_epoch,
        "seconds": _number(record.seconds) or 0.0,
        "memory_bytes": record.memory_bytes,
        "attempts": record.attempts,
        "cause": record.cause and record.cause.value,
        "message": clean(record.message),
        "last_checkpoint": _address(record.last),
        "best_checkpoint": _address(record.best),
        "worker": row.worker,
        "lease_until": row.lease_until,
        "begun": row.begun,
    }


def member_values(row: MemberRow) -> dict[str, Any]:
    """Return all columns of a new member, but for its study."""
    record = row.record
    trial, seed, fold = record.key
    names = {"trial": trial, "seed": seed, "fold": fold, "place": row.place}
    fixed = {"purpose": record.purpose, "length": record.length, "since": record.since}
    return {**names, **fixed, **mutable_values(row)}


def aggregate_values(total: Aggregate) -> dict[str, Any]:
    """Return the columns of a trial that its members decide."""
    return {
        "state": total.state.value,
        "cause": total.cause and total.cause.value,
        "message": clean(total.message),
        "score": _number(total.score),
        "spread": _number(total.spread),
        "epochs": total.epochs,
        "seconds": _number(total.seconds) or 0.0,
    }


def begun_values(event: TrialStarted | TrialCopied) -> dict[str, Any]:
    """Return the columns of a trial that its first event decides."""
    if isinstance(event, TrialCopied):
        source, origin = "strategy", Origin(ancestors=event.ancestors, replaces=event.replaces)
    else:
        source, origin = event.source, None
    values = {"values_json": encode_json(event.values), "origin": encode_origin(origin)}
    return {**values, "source": source, "parameters": None, "latency": None, "engine": "", "note": "", "tags": "[]"}


def note_values(event: Noted) -> dict[str, Any]:
    """Return the columns of a trial that its latest note decides."""
    return {"note": clean(event.text), "tags": encode_json([clean(tag) for tag in event.tags])}


def trial_from(row: Row, members: Sequence[Row] = ()) -> Trial:
    """Read a trial from the columns `queries.TRIAL` and whether it has a lease; members from `queries.MEMBER`."""
    return Trial(
        number=row[0],
        values=decode_json(row[1]),
        state=visible(_STATES[row[2]], leased=bool(row[16])),
        cause=_CAUSES[row[3]],
        message=row[4],
        score=row[5],
        spread=row[6],
        epochs=row[7],
        seconds=row[8],
        parameters=row[9],
        source=row[10],
        engine=row[11],
        origin=decode_origin(row[12]),
        note=row[13],
        tags=decode_tags(row[14]),
        latency=row[15],
        members=tuple(member_of(member).record for member in members),
    )


def leased_of(row: Row) -> Leased:
    """Read a member to train from the columns `queries.MEMBER` and its trial's values."""
    record, values, origin = member_of(row).record, decode_json(row[22]), decode_origin(row[23])
    epoch = record.last.epoch if record.last else 0
    stretch = stretch_at(epoch, values, origin)
    member = Member(
        key=record.key,
        values=stretch.values,
        epoch=epoch,
        checkpoint=record.last,
        purpose=record.purpose,
        before=stretch.before,
        inherits=origin is not None,
    )
    return Leased(member=member, until=min(record.until, stretch.until or record.until))


def visible(state: State, *, leased: bool) -> State:
    """The state as people see it: running is what somebody trains now, begun or not."""
    if state in (State.WAITING, State.RUNNING):
        return State.RUNNING if leased else State.WAITING
    return state


def clean(text: str) -> str:
    """Return the text without what a database cannot hold: NUL, and halves of surrogate pairs."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def _number(value: float | None) -> float | None:
    """Return a plain float; none for NaN, which SQLite cannot hold."""
    return None if value is None or math.isnan(value) else float(value)


def _address(checkpoint: CheckpointRef | None) -> str | None:
    return None if checkpoint is None else encode_json(checkpoint)
