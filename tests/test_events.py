"""Events: frozen values that compare by what they hold."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import get_args

import pytest

import dialed.events
from dialed.events import Event, TrialStarted


def test_every_event_is_a_frozen_slotted_dataclass_with_keywords_only() -> None:
    for kind in get_args(Event):
        assert is_dataclass(kind)
        assert kind.__dataclass_params__.frozen, kind  # type: ignore[attr-defined]
        assert not hasattr(kind, "__dict__") or "__slots__" in vars(kind), kind
        assert all(field.kw_only for field in fields(kind)), kind


def test_the_public_names_are_the_events_that_are_defined_here() -> None:
    here = {kind.__name__ for kind in get_args(Event) if kind.__module__ == "dialed.events"}
    assert {*here, "Event"} == set(dialed.events.__all__)
    assert dialed.events.__all__ == sorted(dialed.events.__all__)


def test_equal_content_is_an_equal_event() -> None:
    one, other = (TrialStarted(trial=0, values={"x": 1}, until=1, epochs=1, seeds=(0,)) for _ in range(2))
    assert one == other
    assert one.source == "strategy"
    assert one.folds == (0,)
    with pytest.raises(FrozenInstanceError):
        one.until = 2  # type: ignore[misc]
