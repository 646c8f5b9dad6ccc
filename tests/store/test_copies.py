"""Copies in a store: only of states at rest, leased with the values that hold where they are."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from dialed.errors import StoreError
from dialed.events import Built, Event, MembersAdded, TrialCopied, TrialStarted
from dialed.search.history import Terms
from dialed.store import SqlStore, open_catalog
from dialed.trial import Ancestor, CheckpointRef, MemberKey, Objective, Outcome, Report, State

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=4)


@pytest.fixture
def store() -> Iterator[SqlStore]:
    with open_catalog("sqlite:///:memory:") as catalog:
        yield catalog.create(secrets.token_hex(4), TERMS, {})


def ref(epoch: int, name: str = "source") -> CheckpointRef:
    return CheckpointRef(path=f"{name}{epoch}", digest="", bytes=1, epoch=epoch)


def rested(number: int, *, last: CheckpointRef | None) -> list[Event]:
    key = MemberKey(number, 0, 0)
    begun = TrialStarted(trial=number, values={"rate": 0.1 * number}, until=2, epochs=4, seeds=(0,))
    report = Report(key=key, epoch=2, metrics={"loss": 0.5})
    return [begun, report, Outcome(key=key, state=State.PAUSED, epoch=2, last=last)]


def copy(**changes: Any) -> TrialCopied:
    ancestor = Ancestor(trial=1, until=2, values={"rate": 0.1})
    settings = {"trial": 2, "values": {"rate": 0.3}, "replaces": 0, "ancestors": (ancestor,), "until": 4}
    return TrialCopied(**{**settings, **changes})


def test_a_copy_is_leased_from_the_checkpoint_of_its_source_with_its_own_values(store: SqlStore) -> None:
    store.append([*rested(0, last=ref(2, "other")), *rested(1, last=ref(2)), copy()])
    [leased] = store.lease("w", limit=5, seconds=60)
    member = leased.member
    assert (member.key, member.values, member.before) == (MemberKey(2, 0, 0), {"rate": 0.3}, {"rate": 0.1})
    assert (member.epoch, member.checkpoint, member.inherits, leased.until) == (2, ref(2), True, 4)


def test_once_it_has_a_checkpoint_of_its_own_it_goes_on_as_any_other(store: SqlStore) -> None:
    key = MemberKey(2, 0, 0)
    paused = [
        Report(key=key, epoch=3, metrics={"loss": 0.4}),
        Outcome(key=key, state=State.PAUSED, epoch=3, last=ref(3)),
    ]
    store.append([*rested(0, last=None), *rested(1, last=ref(2)), copy(), *paused])
    [leased] = store.lease("w", limit=5, seconds=60)
    assert (leased.member.epoch, leased.member.before, leased.member.inherits) == (3, None, True)


def test_a_confirmation_is_leased_stretch_by_stretch(store: SqlStore) -> None:
    store.append([*rested(0, last=None), *rested(1, last=ref(2)), copy()])
    store.append([MembersAdded(trial=2, until=4, seeds=(7,))])
    key = MemberKey(2, 7, 0)
    [first] = store.lease("w", limit=5, seconds=60, purpose="confirm")
    assert (first.member.values, first.member.before, first.until) == ({"rate": 0.1}, None, 2)
    store.append([Built(trial=2, values={"rate": 0.1}, parameters=7)], worker="w")
    report = Report(key=key, epoch=2, metrics={"loss": 0.1})
    store.append([report, Outcome(key=key, state=State.PAUSED, epoch=2, last=ref(2, "own"))], worker="w")
    [second] = store.lease("w", limit=5, seconds=60, purpose="confirm")
    assert (second.member.values, second.member.before, second.until) == ({"rate": 0.3}, {"rate": 0.1}, 4)
    row = store.trial_row(2)
    assert row is not None
    assert (row.values, row.parameters) == ({"rate": 0.3}, 7)
    assert row.origin == store.load_history().trial(2).origin


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (None, "was to be copied after 2 epochs; it has 2 epochs and no checkpoint"),
        (ref(1), "was to be copied after 2 epochs; it has 2 epochs and a checkpoint of 1"),
    ],
)
def test_what_has_no_checkpoint_where_it_rests_cannot_be_copied(
    store: SqlStore, last: CheckpointRef | None, message: str
) -> None:
    store.append([*rested(0, last=None), *rested(1, last=last)])
    with pytest.raises(StoreError, match=message):
        store.append([copy()])
    assert len(store.load_history()) == 2


def test_a_number_is_copied_to_once_only(store: SqlStore) -> None:
    store.append([*rested(0, last=None), *rested(1, last=ref(2)), copy()])
    with pytest.raises(StoreError, match="can be started once only. Got trial 2 a second time"):
        store.append([copy()])


def test_a_copy_of_nothing_is_refused_when_it_is_read() -> None:
    from dialed.store.codec import decode

    body = '{"trial":1,"values":{},"replaces":0,"ancestors":[],"until":2}'
    with pytest.raises(StoreError, match="a copied trial needs an ancestor"):
        decode("trial_copied", body)
