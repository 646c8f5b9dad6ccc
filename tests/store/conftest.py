"""Stores to try things on: in memory, in a file, and in PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dialed.clock import Clock
from dialed.search.history import Terms
from dialed.store import Catalog, SqlStore, open_catalog
from dialed.testing.stores import TERMS, HandClock


@pytest.fixture
def clock() -> HandClock:
    """A clock that the test moves."""
    return HandClock()


@pytest.fixture(params=["memory", "file", "postgresql"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> Iterator[Catalog]:
    """An open catalog in each kind of database."""
    urls = {"memory": "sqlite:///:memory:", "file": str(tmp_path / "a.db")}
    url = urls.get(request.param) or request.getfixturevalue("postgres")
    with open_catalog(url, clock=clock, artifacts=tmp_path / "artifacts") as catalog:
        with catalog._database.writing() as cursor:
            cursor.execute("DELETE FROM dialed_studies")  # a database for tests alone
        yield catalog


@pytest.fixture
def make_store(catalog: Catalog) -> Callable[[Terms, Clock], SqlStore]:
    """Makes stores of new studies in the catalog's database, with a clock of their own."""

    def make(terms: Terms, clock: Clock) -> SqlStore:
        store = catalog.create(secrets.token_hex(8), terms, {})
        store._clock = clock
        return store

    return make


@pytest.fixture
def store(make_store: Callable[[Terms, Clock], SqlStore], clock: HandClock) -> SqlStore:
    """The store of a new study."""
    return make_store(TERMS, clock)
