"""A study on PostgreSQL whose server is stopped, crashes and comes back while it is written."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dialed.errors import StoreError, StudyError
from dialed.events import TrialStarted
from dialed.search.history import Terms
from dialed.store import Catalog, SqlStore, open_catalog, worker_id
from dialed.store.patience import Away
from dialed.testing.postgres import PostgresServer
from dialed.trial import Objective, Outcome, Report, State

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=3)


@pytest.fixture
def catalog(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Catalog]:
    """The studies of a server of our own, which a test may restart."""
    with open_catalog(postgres_server.url, artifacts=tmp_path) as catalog:
        with catalog._database.writing() as cursor:
            cursor.execute("DELETE FROM dialed_studies")
        yield catalog


def start(trial: int) -> TrialStarted:
    return TrialStarted(trial=trial, values={"x": trial}, until=3, epochs=3, seeds=(0,))


def train(store: SqlStore, worker: str, trials: range) -> None:
    """Begin and train each trial, three epochs each."""
    for number in trials:
        with store_lock:
            [lease] = store.begin([start(store.info.trials)], worker=worker, limit=1, seconds=60)
        for epoch in range(1, 4):
            store.append([Report(key=lease.member.key, epoch=epoch, metrics={"loss": 1.0 / epoch})], worker=worker)
        store.append([Outcome(key=lease.member.key, state=State.PAUSED, epoch=3)], worker=worker)
        done.append(number)


store_lock, done = threading.Lock(), list[int]()


@pytest.mark.slow
@pytest.mark.parametrize("crash", [False, True], ids=["restarted", "crashed"])
def test_writers_outlive_their_server(catalog: Catalog, postgres_server: PostgresServer, crash: bool) -> None:
    """No trial is lost and nothing is counted twice, also where nobody knows whether a commit came through."""
    store = catalog.create("study", TERMS, {})
    done.clear()
    writers = [threading.Thread(target=train, args=(store, worker_id(), range(10 * n, 10 * n + 10))) for n in range(3)]
    for writer in writers:
        writer.start()
    for after in (3, 12):
        while len(done) < after:
            time.sleep(0.005)
        postgres_server.stop(crash=crash)
        postgres_server.start()
    for writer in writers:
        writer.join()
    history = store.load_history()
    assert [(t.number, t.state, t.epochs) for t in history.trials] == [(n, State.COMPLETED, 3) for n in range(30)]
    reports = [(r.event.key, r.event.epoch) for r in store.history() if isinstance(r.event, Report)]
    assert len(reports) == len(set(reports)) == 90
    assert [store.trial_row(n).epochs for n in range(30)] == [3] * 30  # type: ignore[union-attr]


def test_a_server_that_does_not_come_back_is_an_error_in_words(
    catalog: Catalog, postgres_server: PostgresServer
) -> None:
    store = catalog.create("study", TERMS, {})
    store._database.patience_seconds = 0.3
    postgres_server.stop()
    try:
        with pytest.raises(StoreError, match="must answer, but PostgreSQL said"):
            store.append([start(0)])
    finally:
        postgres_server.start()
    assert store.append([start(0)]) == 1


def test_what_is_no_fault_of_the_server_is_not_tried_again(catalog: Catalog) -> None:
    store = catalog.create("study", TERMS, {})
    store.append([start(0)])
    began = time.monotonic()
    with pytest.raises(StoreError, match="A trial can be started once only"):
        store.append([start(0)])
    assert time.monotonic() - began < store._database.patience_seconds / 2


def test_a_catalog_waits_for_its_server(catalog: Catalog, postgres_server: PostgresServer) -> None:
    """Studies are made, found, listed and deleted while it restarts."""
    catalog.create("before", TERMS, {})
    for act in (
        lambda: catalog.create("meanwhile", TERMS, {}).name,
        lambda: [info.name for info in catalog.studies()],
        lambda: catalog.exists("meanwhile"),
        lambda: catalog.delete("before"),
    ):
        postgres_server.stop()
        back = threading.Timer(0.3, postgres_server.start)
        back.start()
        act()
        back.join()
    assert [info.name for info in catalog.studies()] == ["meanwhile"]


def test_a_study_that_was_made_as_the_server_went_is_not_taken_for_another(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next attempt finds it, and knows it; a study of another is still in the way."""
    writing, left = catalog._database.writing, [1]

    @contextmanager
    def lost() -> Iterator[Any]:
        with writing() as cursor:
            yield cursor
        if left.pop() if left else 0:
            raise Away("it committed, and nobody was told")

    monkeypatch.setattr(catalog._database, "writing", lost)
    assert catalog.create("study", TERMS, {"a": 1}).settings == {"a": 1}
    left.append(1)
    with pytest.raises(StudyError, match="must be free"):
        catalog.create("study", TERMS, {"a": 1})
