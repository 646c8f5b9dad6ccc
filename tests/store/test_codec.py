"""Events survive the way to text and back, and text that Dialed did not write is refused."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.errors import StoreError
from dialed.events import Built, Enqueued, SessionStarted, TrialStarted, TrialStopped, WarmStarted
from dialed.objectives import Constraint
from dialed.search.history import Terms
from dialed.store.codec import (
    _READERS,
    _TERMS,
    decode,
    decode_checkpoint,
    decode_json,
    decode_terms,
    encode,
    encode_json,
    encode_terms,
)
from dialed.testing.stores import TERMS
from dialed.trial import CheckpointRef, EarlierTrial, MemberKey, Objective, Outcome, Report, State

values = st.dictionaries(
    st.text(), st.one_of(st.booleans(), st.integers(), st.floats(), st.text(), st.none()), max_size=8
)


def same(a: Any, b: Any) -> bool:
    """Equal, of the same type, and NaN for NaN."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and (a == b or repr(a) == repr(b) == "nan")


@given(values)
def test_values_come_back_as_they_were(given_values: dict[str, Any]) -> None:
    event = decode(*encode(Enqueued(values=given_values)))
    assert isinstance(event, Enqueued)
    assert same(dict(event.values), given_values)


@given(st.dictionaries(st.text(), st.floats()), st.floats(allow_nan=False), st.integers(0, 2**62))
def test_metrics_come_back_bit_for_bit(metrics: dict[str, float], seconds: float, epoch: int) -> None:
    report = Report(key=MemberKey(1, 2, 3), epoch=epoch, metrics=metrics, seconds=seconds)
    found = decode(*encode(report))
    assert isinstance(found, Report)
    assert same(dict(found.metrics), metrics)
    assert (found.key, found.epoch, found.seconds) == (report.key, epoch, seconds)


@pytest.mark.parametrize("kind", _READERS, ids=lambda kind: kind.__name__)
def test_every_field_of_every_event_is_kept(kind: type) -> None:
    """A field that is added to an event must be added here too, or it would be lost."""
    assert set(_READERS[kind][1]) == {field.name for field in fields(kind)}


def test_every_field_of_the_terms_is_kept() -> None:
    assert set(_TERMS) == {field.name for field in fields(Terms)}


def test_terms_come_back() -> None:
    terms = Terms(objective=Objective(name="a", direction="max"), epochs=3, seeds=(1, 2), folds=(0, 1), max_trials=7)
    assert decode_terms(encode_terms(terms)) == terms


def test_goals_come_back_and_old_terms_have_none() -> None:
    terms = Terms(
        objective=Objective("a", "max"),
        others=(Objective("b", "min"),),
        constraints=(Constraint("c", min=0.5), Constraint("parameters", max=9.0)),
    )
    assert decode_terms(encode_terms(terms)) == terms
    old = decode_terms('{"objective": {"name": "a", "direction": "max"}}')
    assert (old.others, old.constraints) == ((), ())


def test_a_warm_start_comes_back_with_its_trials() -> None:
    event = WarmStarted(source="old (loss)", trials=(EarlierTrial({"x": 1, "y": None}, 0.25),))
    assert decode(*encode(event)) == event


def test_numpy_numbers_become_pythons() -> None:
    event = Built(trial=1, values={"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(True), "d": np.array(2.0)})
    found = decode(*encode(event))
    assert isinstance(found, Built)
    assert same(dict(found.values), {"a": 0.5, "b": 3, "c": True, "d": 2.0})


def test_only_ascii_is_written() -> None:
    assert encode(Enqueued(values={"\u2603\ud800": "\0"}))[1].isascii()


def test_a_value_that_cannot_be_kept_is_named() -> None:
    with pytest.raises(StoreError, match=r"A store keeps bools, ints.* Got a object"):
        encode(Enqueued(values={"a": object()}))  # type: ignore[dict-item]


def test_an_unknown_kind_asks_for_an_upgrade() -> None:
    with pytest.raises(StoreError, match=r"Got `trial_merged`: a newer Dialed wrote it. Upgrade Dialed"):
        decode("trial_merged", "{}")


def test_a_field_with_a_default_may_be_missing() -> None:
    """So that a field can be added to an event without changing what is stored."""
    report = decode("report", '{"key":[0,0,0],"epoch":1,"metrics":{}}')
    assert report == Report(key=MemberKey(0, 0, 0), epoch=1, metrics={})


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("trial_stopped", '{"trial":1,"why":"x"}', "'why' is unknown to this version"),
        ("trial_stopped", "{}", "'trial' is missing"),
        ("trial_stopped", '{"trial":1.0}', "is not of type int"),
        ("trial_stopped", '{"trial":true}', "is not of type int"),
        ("trial_stopped", "[1]", "is not of type dict"),
        ("trial_stopped", '{"trial":', "Expecting value"),
        ("report", '{"key":[1,2],"epoch":1,"metrics":{}}', "missing 1 required"),
        ("report", '{"key":[1,2,3],"epoch":1,"metrics":{"a":"b"}}', "is not a number"),
        ("enqueued", '{"values":{"a":[1]}}', "is not of type bool or int"),
        ("outcome", '{"key":[1,2,3],"epoch":1,"state":"lost"}', "not a valid State"),
        ("saved", '{"key":[1,2,3],"kind":"worst","checkpoint":["a","b",1,1]}', "none of last, best"),
        ("saved", '{"key":[1,2,3],"kind":"last","checkpoint":["a","b",1]}', "not enough values"),
        ("returned", '{"key":[1,2,3],"cause":"boredom"}', "not a valid Cause"),
    ],
)
def test_damaged_text_is_refused(kind: str, body: str, reason: str) -> None:
    with pytest.raises(StoreError, match=f"A `{kind}` in the store must be as Dialed writes it, but .*{reason}"):
        decode(kind, body)


@pytest.mark.parametrize("body", ["[]", "{", "null"])
def test_damaged_settings_are_refused(body: str) -> None:
    with pytest.raises(StoreError, match="must be as Dialed writes it"):
        decode_json(body)


def test_terms_need_an_objective() -> None:
    with pytest.raises(StoreError, match="A `terms` in the store must be as Dialed writes it"):
        decode_terms('{"objective":{"name":"a"}}')


def test_a_checkpoint_address_comes_back() -> None:
    ref = CheckpointRef(path="a", digest="b", bytes=3, epoch=4)
    assert decode_checkpoint(encode_json(ref)) == ref
    assert decode_checkpoint(None) is None
    with pytest.raises(StoreError, match="A `checkpoint` in the store"):
        decode_checkpoint("[1]")


def test_states_and_infinities_are_written_as_words() -> None:
    body = encode(Outcome(key=MemberKey(0, 0, 0), state=State.PAUSED, epoch=1))[1]
    assert '"state":"paused"' in body
    assert encode(Enqueued(values={"a": -math.inf}))[1] == '{"values":{"a":-Infinity}}'


def test_mappings_of_any_make_are_kept() -> None:
    from types import MappingProxyType

    event = SessionStarted(worker="w", settings=MappingProxyType({"a": MappingProxyType({"b": 1})}))
    assert decode(*encode(event)) == SessionStarted(worker="w", settings={"a": {"b": 1}})


def test_other_events_come_back() -> None:
    for event in (TrialStopped(trial=3), TrialStarted(trial=0, values={}, until=1, epochs=2, seeds=(1,), folds=(0, 1))):
        assert decode(*encode(event)) == event
    assert decode_terms(encode_terms(TERMS)) == TERMS
