"""Events as text, and back: a kind and a JSON body.

Python's JSON keeps what a hyperparameter needs kept: `True`, `1` and `1.0` stay apart, and floats come back bit for
bit (`repr`). NaN and the infinities are written as the words `NaN`, `Infinity` and `-Infinity`, as Python's `json`
does by default; a strict JSON reader refuses them, so the bodies are text columns, not JSON columns. Only ASCII is
written. What is read is checked field by field: text that Dialed did not write, or that a newer Dialed wrote, raises
`StoreError`, and nothing is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeAlias

import numpy as np

from dialed.errors import StoreError
from dialed.events import (
    BudgetSet,
    Built,
    Enqueued,
    Event,
    Measured,
    MembersAdded,
    Noted,
    PauseSet,
    Returned,
    Saved,
    SessionEnded,
    SessionStarted,
    SpaceSet,
    StopAsked,
    TrialContinued,
    TrialCopied,
    TrialStarted,
    TrialStopped,
    WarmStarted,
    WorkerJoined,
    WorkerLeft,
)
from dialed.objectives import Constraint
from dialed.search.history import Terms
from dialed.trial import (
    Ancestor,
    Cause,
    CheckpointRef,
    EarlierTrial,
    MemberKey,
    Objective,
    Origin,
    Outcome,
    Report,
    State,
)

__all__ = [
    "decode",
    "decode_checkpoint",
    "decode_json",
    "decode_origin",
    "decode_tags",
    "decode_terms",
    "encode",
    "encode_json",
    "encode_origin",
    "encode_terms",
]

_Reader: TypeAlias = Callable[[Any], Any]


def _plain(value: object) -> object:
    """What `json` cannot write by itself."""
    if isinstance(value, CheckpointRef):
        return [value.path, value.digest, value.bytes, value.epoch]
    if isinstance(value, Ancestor):
        return [value.trial, value.until, value.values]
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    if isinstance(value, Objective):
        return {"name": value.name, "direction": value.direction}
    if isinstance(value, Constraint):
        return {"name": value.name, "min": value.min, "max": value.max}
    raise StoreError(
        f"A store keeps bools, ints, floats, strings, None, lists and mappings of these. Got a {type(value).__name__}: "
        f"{value!r:.80}. Convert it before it is recorded."
    )


_write = json.JSONEncoder(separators=(",", ":"), default=_plain).encode


def _exactly(*types: type) -> _Reader:
    def read(value: Any) -> Any:
        if type(value) not in types:
            raise ValueError(f"{value!r:.60} is not of type {' or '.join(t.__name__ for t in types)}")
        return value

    return read


_integer = _exactly(int)
_text = _exactly(str)
_bool = _exactly(bool)
_mapping = _exactly(dict)
_value = _exactly(bool, int, float, str, type(None))


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"{value!r:.60} is not a number")
    return float(value)


def _optional(reader: _Reader) -> _Reader:
    return lambda value: None if value is None else reader(value)


def _one_of(*allowed: str) -> _Reader:
    def read(value: Any) -> Any:
        if value not in allowed:
            raise ValueError(f"{value!r:.60} is none of {', '.join(allowed)}")
        return value

    return read


def _each(reader: _Reader) -> _Reader:
    return lambda value: {_text(name): reader(item) for name, item in _mapping(value).items()}


def _integers(value: Any) -> tuple[int, ...]:
    return tuple(_integer(item) for item in _exactly(list)(value))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in _exactly(list)(value))


def _key(value: Any) -> MemberKey:
    return MemberKey(*_integers(value))


def _checkpoint(value: Any) -> CheckpointRef:
    path, digest, size, epoch = _exactly(list)(value)
    return CheckpointRef(path=_text(path), digest=_text(digest), bytes=_integer(size), epoch=_integer(epoch))


def _ancestors(value: Any) -> tuple[Ancestor, ...]:
    parts = [_exactly(list)(item) for item in _exactly(list)(value)]
    if not parts:
        raise ValueError("a copied trial needs an ancestor")
    return tuple(
        Ancestor(trial=_integer(trial), until=_integer(until), values=_each(_value)(values))
        for trial, until, values in parts
    )


def _objective(value: Any) -> Objective:
    name, direction = _mapping(value)["name"], value["direction"]
    return Objective(name=_text(name), direction=_one_of("min", "max")(direction))


def _list_of(reader: _Reader) -> _Reader:
    return lambda value: tuple(reader(item) for item in _exactly(list)(value))


def _constraint(value: Any) -> Constraint:
    ends = (_optional(_number)(_mapping(value).get(end)) for end in ("min", "max"))
    return Constraint(_text(value["name"]), *ends)


def _earlier(value: Any) -> EarlierTrial:
    values, loss = _exactly(list)(value)
    return EarlierTrial(_each(_value)(values), _number(loss))


_TRIAL = {"trial": _integer}
_MEMBERS = {"until": _integer, "seeds": _integers, "folds": _integers}
_READERS: dict[type, tuple[str, dict[str, _Reader]]] = {
    SessionStarted: ("session_started", {"worker": _text, "settings": _mapping}),
    SessionEnded: ("session_ended", {"reason": _text, "finished": _bool, "seconds": _number}),
    SpaceSet: ("space_set", {"space": _mapping}),
    Enqueued: ("enqueued", {"values": _each(_value)}),
    TrialStarted: (
        "trial_started",
        {
            **_TRIAL,
            "values": _each(_value),
            "epochs": _integer,
            **_MEMBERS,
            "source": _one_of("default", "enqueued", "strategy", "asked"),
        },
    ),
    MembersAdded: ("members_added", {**_TRIAL, **_MEMBERS, "purpose": _one_of("search", "confirm")}),
    TrialContinued: ("trial_continued", {**_TRIAL, "until": _integer}),
    TrialCopied: (
        "trial_copied",
        {**_TRIAL, "values": _each(_value), "replaces": _integer, "ancestors": _ancestors, "until": _integer},
    ),
    TrialStopped: ("trial_stopped", dict(_TRIAL)),
    WarmStarted: ("warm_started", {"source": _text, "trials": _list_of(_earlier)}),
    Built: (
        "built",
        {
            **_TRIAL,
            "values": _each(_value),
            "parameters": _optional(_integer),
            "engine": _text,
            "space": _optional(_mapping),
        },
    ),
    Measured: ("measured", {**_TRIAL, "latency": _number}),
    Report: (
        "report",
        {
            "key": _key,
            "epoch": _integer,
            "metrics": _each(_number),
            "seconds": _number,
            "memory_bytes": _optional(_integer),
            "final": _bool,
        },
    ),
    Saved: ("saved", {"key": _key, "kind": _one_of("last", "best"), "checkpoint": _checkpoint}),
    Outcome: (
        "outcome",
        {
            "key": _key,
            "state": State,
            "epoch": _integer,
            "cause": _optional(Cause),
            "message": _text,
            "last": _optional(_checkpoint),
            "best": _optional(_checkpoint),
            "worker": _text,
        },
    ),
    Returned: ("returned", {"key": _key, "cause": Cause, "message": _text}),
    Noted: ("noted", {**_TRIAL, "text": _text, "tags": _names}),
    StopAsked: ("stop_asked", dict(_TRIAL)),
    PauseSet: ("pause_set", {"paused": _bool}),
    BudgetSet: (
        "budget_set",
        {
            "max_trials": _optional(_integer),
            "max_epochs": _optional(_integer),
            "max_seconds": _optional(_number),
        },
    ),
    WorkerJoined: ("worker_joined", {"worker": _text, "lanes": _integer}),
    WorkerLeft: ("worker_left", {"worker": _text, "reason": _text}),
}
_TERMS: dict[str, _Reader] = {
    "objective": _objective,
    "epochs": _integer,
    "seeds": _integers,
    "folds": _integers,
    "seed": _integer,
    "max_trials": _optional(_integer),
    "max_epochs": _optional(_integer),
    "max_seconds": _optional(_number),
    "least_epochs": _integer,
    "changeable": _optional(_names),
    "others": _list_of(_objective),
    "constraints": _list_of(_constraint),
    "race_folds": _bool,
}
_KINDS = {cls: (kind, tuple(readers)) for cls, (kind, readers) in _READERS.items()}
_BY_KIND = {kind: (cls, readers) for cls, (kind, readers) in _READERS.items()}


def encode(event: Event) -> tuple[str, str]:
    """Return the event's kind and its JSON body."""
    kind, names = _KINDS[type(event)]
    return kind, _write({name: getattr(event, name) for name in names})


def decode(kind: str, body: str) -> Event:
    """Return the event that `encode` wrote. Raises `StoreError` for anything else."""
    if kind not in _BY_KIND:
        raise StoreError(
            f"An event in the store must be of a kind that this Dialed knows. Got `{kind}`: a newer Dialed wrote it. "
            "Upgrade Dialed on this machine to open the study."
        )
    cls, readers = _BY_KIND[kind]
    event: Event = _build(cls, readers, body, kind)
    return event


def encode_terms(terms: Terms) -> str:
    """Return a study's terms as JSON."""
    return _write({name: getattr(terms, name) for name in _TERMS})


def decode_terms(body: str) -> Terms:
    """Return the terms that `encode_terms` wrote."""
    terms: Terms = _build(Terms, _TERMS, body, "terms")
    return terms


def encode_json(value: object) -> str:
    """Return settings, values or a checkpoint's address as JSON."""
    return _write(value)


def decode_json(body: str) -> dict[str, Any]:
    """Return a JSON object. Raises `StoreError` for anything else."""
    try:
        value: dict[str, Any] = _mapping(json.loads(body))
    except ValueError as error:
        raise _damaged("object", body, error) from error
    return value


def decode_checkpoint(body: str | None) -> CheckpointRef | None:
    """Return a checkpoint's address from a derived row; `None` where there is none."""
    if body is None:
        return None
    try:
        return _checkpoint(json.loads(body))
    except ValueError as error:
        raise _damaged("checkpoint", body, error) from error


def decode_tags(body: str) -> tuple[str, ...]:
    """Return a trial's tags from its derived row."""
    if body == "[]":  # nearly always, and a look at 10,000 trials asks 10,000 times
        return ()
    try:
        return _names(json.loads(body))
    except ValueError as error:
        raise _damaged("list of tags", body, error) from error


def encode_origin(origin: Origin | None) -> str | None:
    """Return where a trial's state came from, for its derived row; `None` where it began from nothing."""
    return None if origin is None else _write({"replaces": origin.replaces, "ancestors": origin.ancestors})


def decode_origin(body: str | None) -> Origin | None:
    """Return the origin that `encode_origin` wrote."""
    if body is None:
        return None
    origin: Origin = _build(Origin, {"replaces": _integer, "ancestors": _ancestors}, body, "origin")
    return origin


def _build(cls: type, readers: Mapping[str, _Reader], body: str, kind: str) -> Any:
    try:
        found = _mapping(json.loads(body))
        unknown = found.keys() - readers.keys()
        if unknown:
            raise ValueError(f"the field {min(unknown)!r} is unknown to this version")
        missing = [f.name for f in fields(cls) if f.name not in found and f.default is MISSING]
        if missing:  # a field that has a default may be missing: it came with a later version
            raise ValueError(f"the field {missing[0]!r} is missing")
        return cls(**{name: readers[name](value) for name, value in found.items()})
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged(kind, body, error) from error


def _damaged(kind: str, body: str, error: Exception) -> StoreError:
    return StoreError(
        f"A `{kind}` in the store must be as Dialed writes it, but {error}. Got {body:.120}. A newer Dialed wrote it, "
        "or something else changed it: upgrade Dialed, or go back to a copy of the store."
    )
