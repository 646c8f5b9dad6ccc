"""The conformance suite finds what is wrong with a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from dialed.clock import Clock
from dialed.events import Event
from dialed.search.history import Terms
from dialed.store import Leased, SqlStore, Store, open_catalog
from dialed.testing.stores import STORE_CHECKS, MakeStore, check_store
from dialed.trial import Purpose


class Wrapped:
    """A store that does what another does, but for what a subclass gets wrong."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store

    def append(self, events: Sequence[Event], *, worker: str | None = None) -> int:
        return self.store.append(events, worker=worker)

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


class Deaf(Wrapped):
    """Takes events from anybody."""

    def append(self, events: Sequence[Event], *, worker: str | None = None) -> int:
        return self.store.append(events)


class Generous(Wrapped):
    """Never ends a lease."""

    def lease(self, worker: str, *, limit: int, seconds: float, purpose: Purpose | None = None) -> list[Leased]:
        return self.store.lease(worker, limit=limit, seconds=1e9, purpose=purpose)


class Greedy(Wrapped):
    """Ignores the limit."""

    def lease(self, worker: str, *, limit: int, seconds: float, purpose: Purpose | None = None) -> list[Leased]:
        return self.store.lease(worker, limit=99, seconds=seconds, purpose=purpose)


class Forgetful(Wrapped):
    """Starts the history over and over."""

    def history(self, after: int = 0) -> object:
        return self.store.history(0)


def maker(kind: Callable[[SqlStore], Store]) -> MakeStore:
    def make(terms: Terms, clock: Clock) -> Store:
        return kind(open_catalog("sqlite:///:memory:", clock=clock).create("study", terms, {}))

    return make


def test_a_good_store_passes() -> None:
    check_store(maker(Wrapped))


@pytest.mark.parametrize("kind", [Deaf, Generous, Greedy, Forgetful])
def test_a_store_with_a_fault_is_found(kind: Callable[[SqlStore], Store]) -> None:
    with pytest.raises(AssertionError, match="expected"):
        check_store(maker(kind))


def test_every_check_says_its_truth() -> None:
    assert all(check.__doc__ for check in STORE_CHECKS)
