"""Studies are listed, made, opened and deleted; what cannot be a store is refused in words."""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from dialed.errors import InvalidInputError, MissingDependencyError, StoreError, StudyError
from dialed.events import SessionEnded, SessionStarted, TrialStarted
from dialed.store import Catalog, Checkpoints, open_catalog, worker_id
from dialed.testing.stores import TERMS, HandClock
from dialed.trial import MemberKey, Report


def test_a_new_study_is_listed(catalog: Catalog, clock: HandClock) -> None:
    store = catalog.create("mnist", TERMS, {"epochs": 4})
    clock.advance(5)
    start = TrialStarted(trial=0, values={}, until=1, epochs=1, seeds=(0,))
    store.append([start, Report(key=MemberKey(0, 0, 0), epoch=1, metrics={"val_loss": 0.25})])
    info = next(info for info in catalog.studies() if info.name == "mnist")
    assert (info.created, info.changed) == (1_000_000.0, 1_000_005.0)
    assert (info.trials, info.epochs, info.best_trial, info.best_score) == (1, 1, 0, 0.25)
    assert (info.objective, info.settings, info.state) == (TERMS.objective, {"epochs": 4}, "new")
    assert info == store.info
    catalog.delete("mnist")


def test_the_state_of_a_study_is_told(catalog: Catalog) -> None:
    store = catalog.create("a", TERMS, {})
    store.append([SessionStarted(worker="w", settings={})])
    assert store.info.state == "interrupted"
    store.claim(worker_id(), seconds=60)
    assert store.info.state == "running"
    with pytest.raises(StudyError, match="can be deleted once nobody drives it, but 'a' is running"):
        catalog.delete("a")
    store.append([SessionEnded(reason="done", finished=True, seconds=2.5)])
    with store._database.writing() as cursor:
        cursor.execute("UPDATE dialed_studies SET claim_worker = NULL")
    assert (store.info.state, store.info.seconds) == ("finished", 2.5)
    catalog.delete("a")


def test_a_study_is_opened_by_its_name(catalog: Catalog) -> None:
    catalog.create("digits", TERMS, {"a": [1]})
    again = catalog.open("digits")
    assert (again.name, again.terms, again.settings) == ("digits", TERMS, {"a": [1]})
    assert catalog.exists("digits")
    assert not catalog.exists("Digits")
    with pytest.raises(StudyError, match=r"Got 'digit', which is not there. Did you mean 'digits'\?"):
        catalog.open("digit")
    with pytest.raises(StudyError, match="There are 1 studies"):
        catalog.open("zzzzzz")
    with pytest.raises(StudyError, match="must be free, but there is a study 'digits'"):
        catalog.create("digits", TERMS, {})
    catalog.delete("digits")


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 201])
def test_a_name_must_be_printable(catalog: Catalog, name: str) -> None:
    with pytest.raises(InvalidInputError, match="The `name` of a study must be 1 to 200 printable characters"):
        catalog.create(name, TERMS, {})


def test_deleting_removes_events_and_checkpoints(catalog: Catalog) -> None:
    store, other = catalog.create("a", TERMS, {}), catalog.create("b", TERMS, {})
    for each in (store, other):
        each.append([TrialStarted(trial=0, values={}, until=1, epochs=1, seeds=(0,))])
        Checkpoints(each.artifacts).save(MemberKey(0, 0, 0), 1, "last", {"a": np.ones(3)}, {})
    catalog.delete("a")
    assert [info.name for info in catalog.studies()] == ["b"]
    assert not store.artifacts.exists()
    assert other.artifacts.exists()
    assert len(other.history()) == 1
    assert catalog.create("a", TERMS, {}).history() == []
    catalog.delete("a")
    catalog.delete("b")


def test_folders_of_studies_never_clash(catalog: Catalog) -> None:
    names = ["mnist", "MNIST", "m/nist", "m\\nist", "..", "m nist", "\u2603" * 150]
    folders = [catalog.create(name, TERMS, {}).artifacts for name in names]
    assert len({str(folder).lower() for folder in folders}) == len(names)
    assert {folder.parent for folder in folders} == {catalog.artifacts}
    assert folders[0].name == "mnist"
    for name in names:
        catalog.delete(name)


def test_the_default_store_is_in_the_current_folder(working_folder: Path) -> None:
    with open_catalog() as catalog:
        catalog.create("a", TERMS, {})
        assert catalog.artifacts == working_folder / "dialed.artifacts"
    assert {path.name for path in working_folder.iterdir()} == {"dialed.db"}


@pytest.mark.parametrize("form", ["{}/my.db", "sqlite:///{}/my.db"])
def test_a_store_is_named_by_a_path_or_a_url(tmp_path: Path, form: str) -> None:
    with open_catalog(form.format(tmp_path)) as catalog:
        assert catalog.place == str(tmp_path / "my.db")
        assert catalog.artifacts == tmp_path / "my.artifacts"


def test_a_database_in_memory_serves_all_threads_and_leaves_nothing(working_folder: Path) -> None:
    with open_catalog("sqlite:///:memory:") as catalog:
        store = catalog.create("a", TERMS, {})
        start = TrialStarted(trial=0, values={}, until=1, epochs=1, seeds=(0,))
        thread = threading.Thread(target=store.append, args=([start],))
        thread.start()
        thread.join()
        assert len(store.history()) == 1
        artifacts = catalog.artifacts
        Checkpoints(store.artifacts).save(MemberKey(0, 0, 0), 1, "last", {}, {})
    assert not artifacts.exists()
    assert list(working_folder.iterdir()) == []


@pytest.mark.parametrize("address", ["mysql://a@b/c", "oracle://x"])
def test_other_databases_are_refused(address: str) -> None:
    with pytest.raises(InvalidInputError, match="`store` must be an SQLite file or a PostgreSQL database"):
        open_catalog(address)


def test_a_malformed_url_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="`store` must be a path or a database URL"):
        open_catalog("://")


def test_durability_is_normal_or_full(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="`durability` must be 'normal' or 'full'. Got 'high'"):
        open_catalog(tmp_path / "a.db", durability="high")  # type: ignore[arg-type]
    for durability, level in (("normal", 1), ("full", 2)):
        with open_catalog(tmp_path / "a.db", durability=durability) as catalog, catalog._database.reading() as cursor:
            assert cursor.execute("PRAGMA synchronous").fetchone() == (level,)
            assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_postgresql_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dialed\[postgres\]'"):
        open_catalog("postgresql://user@localhost/x")


@pytest.mark.skipif(importlib.util.find_spec("psycopg") is None, reason="needs the driver psycopg")
def test_an_absent_postgresql_is_explained_without_the_password() -> None:
    with pytest.raises(
        StoreError, match=r"The store postgresql.*:\*\*\*@.* must answer, but PostgreSQL said"
    ) as caught:
        open_catalog("postgres://user:secret@127.0.0.1:9/x")
    assert "secret" not in str(caught.value)


FORKING = """
import os, sys
from dialed.events import TrialStarted
from dialed.store import open_catalog
from dialed.testing.stores import TERMS

def start(number):
    return TrialStarted(trial=number, values={}, until=1, epochs=1, seeds=(0,))

with open_catalog(sys.argv[1]) as catalog:
    store = catalog.create("a", TERMS, {})
    store.append([start(0)])
    child = os.fork()
    if child == 0:
        os._exit(store.append([start(1)]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    store.append([start(2)])
    assert len(store.history()) == 3
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_uses_its_own_connections(tmp_path: Path) -> None:
    """In a process of its own: the libraries that other tests have loaded must not be forked."""
    subprocess.run([sys.executable, "-c", FORKING, str(tmp_path / "a.db")], check=True, timeout=120)


def test_a_catalog_that_is_forgotten_closes_itself(tmp_path: Path) -> None:
    """Connections that are left open would warn when Python collects them."""
    open_catalog(tmp_path / "a.db").create("a", TERMS, {})
    gc.collect()
    assert not (tmp_path / "a.db-wal").exists()


def test_checkpoints_in_memory_last_as_long_as_their_store(working_folder: Path) -> None:
    """A store may outlive the catalog that made it."""
    store = open_catalog("sqlite:///:memory:").create("a", TERMS, {})
    checkpoints = Checkpoints(store.artifacts)
    ref = checkpoints.save(MemberKey(0, 0, 0), 1, "last", {}, {})
    gc.collect()
    assert checkpoints.exists(ref)
    del store
    gc.collect()
    assert not checkpoints.exists(ref)
