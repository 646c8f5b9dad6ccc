"""Leases last while their worker lives, however busy it is and whatever the store does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import pytest

from dialed.errors import StoreError
from dialed.store import Heartbeat


class Beaten:
    """A store that notes the renewals, and fails or dawdles as told."""

    def __init__(self, fail: Callable[[int], bool] = lambda _: False) -> None:
        self.beats: list[tuple[str, float]] = []
        self.enough = threading.Event()
        self._fail = fail

    def renew(self, worker: str, *, seconds: float) -> None:
        self.beats.append((worker, seconds))
        if self._fail(len(self.beats)):
            raise StoreError("locked")
        if len(self.beats) >= 3:
            self.enough.set()


def test_leases_are_renewed_again_and_again() -> None:
    store = Beaten()
    with Heartbeat(store, "a", seconds=0.03):  # type: ignore[arg-type]
        assert store.enough.wait(10)
    assert store.beats[:3] == [("a", 0.03)] * 3


def test_a_store_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    store = Beaten(fail=lambda beat: beat < 3)
    with caplog.at_level(logging.WARNING), Heartbeat(store, "a", seconds=0.03):  # type: ignore[arg-type]
        assert store.enough.wait(10)
    assert "The leases of a could not be renewed; trying again. locked" in caplog.text


def test_it_ends_with_the_block() -> None:
    before = threading.active_count()
    store = Beaten()
    with Heartbeat(store, "a", seconds=1000.0):  # type: ignore[arg-type]
        assert threading.active_count() == before + 1
        started = time.monotonic()
    assert time.monotonic() - started < 5
    assert threading.active_count() == before
    assert store.beats == []


def test_it_ends_with_an_error_too() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Heartbeat(Beaten(), "a", seconds=1.0):  # type: ignore[arg-type]
        _ = 1 / 0
    assert threading.active_count() == before
