"""A store of any released schema opens, and one of a newer schema is refused untouched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, text

from dialed.errors import StoreError
from dialed.store import open_catalog
from dialed.store.database import Database, parse_address
from dialed.store.schema import MIGRATIONS, SCHEMA_VERSION, members, metadata, prepare
from dialed.testing.stores import _ALL_KINDS, _COMINGS, _COPIES, _TIMES, _WISHES
from dialed.trial import MemberKey, State

SAMPLES = Path(__file__).parent / "samples"


def version_of(path: Path) -> int:
    database = Database(parse_address(str(path)))
    with database.reading() as cursor:
        (found,) = cursor.execute("SELECT version FROM dialed_schema").fetchone()
    database.close()
    return int(found)


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.db")), ids=lambda path: path.stem)
def test_every_released_schema_opens_for_ever(sample: Path, tmp_path: Path) -> None:
    """The samples were written by released versions and are never written again."""
    copy = tmp_path / "a.db"
    shutil.copy(sample, copy)
    with open_catalog(copy) as catalog:
        store = catalog.open("every kind of event")
        copies = (*_ALL_KINDS, *_COPIES)
        written = {"schema_1": _ALL_KINDS, "schema_2": copies, "schema_3": (*copies, *_WISHES)}
        known = written.get(sample.stem, (*copies, *_WISHES, *_COMINGS, *_TIMES))
        assert [record.event for record in store.history()] == list(known)
        assert store.load_history().trial(0).members[0].score == 0.25
        row = store.trial_row(0)
        assert row and row.latency == (0.00025 if sample.stem == "schema_4" else None)
        assert row and (row.parameters, len(row.members)) == (2**40, 6)
        [lease] = store.lease("w", limit=1, seconds=60)
        assert lease.member.key == MemberKey(0, 0, 1)
    assert version_of(copy) == SCHEMA_VERSION


def test_there_is_a_sample_of_each_schema() -> None:
    assert {path.stem for path in SAMPLES.glob("*.db")} >= {f"schema_{n}" for n in range(1, SCHEMA_VERSION + 1)}


def test_a_newer_schema_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    open_catalog(path).close()
    database = Database(parse_address(str(path)))
    with database.writing() as cursor:
        cursor.execute(f"UPDATE dialed_schema SET version = {SCHEMA_VERSION + 1}")
    database.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=rf"is of version {SCHEMA_VERSION + 1}: a newer Dialed wrote it. Upgrade"):
        open_catalog(path)
    assert path.read_bytes() == before


def test_migrations_run_once_and_in_order(tmp_path: Path) -> None:
    done: list[str] = []

    def second(connection: Connection) -> None:
        done.append("1 to 2")
        connection.execute(text("ALTER TABLE dialed_studies ADD COLUMN note TEXT"))

    def third(connection: Connection) -> None:
        done.append("2 to 3")
        connection.execute(text("UPDATE dialed_studies SET note = 'new'"))

    path = tmp_path / "a.db"
    open_catalog(path).close()
    for _ in range(2):
        database = Database(parse_address(str(path)))
        with database.migrating() as connection:
            prepare(connection, database.place, migrations=(*MIGRATIONS, second, third))
        database.close()
    assert done == ["1 to 2", "2 to 3"]
    assert version_of(path) == SCHEMA_VERSION + 2


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE dialed_studies ADD COLUMN note TEXT"))
        raise ZeroDivisionError

    path = tmp_path / "a.db"
    open_catalog(path).close()
    database = Database(parse_address(str(path)))
    with pytest.raises(ZeroDivisionError), database.migrating() as connection:
        prepare(connection, database.place, migrations=(*MIGRATIONS, broken))
    with database.reading() as cursor:
        columns = [row[1] for row in cursor.execute("PRAGMA table_info(dialed_studies)").fetchall()]
    database.close()
    assert "note" not in columns
    assert version_of(path) == SCHEMA_VERSION


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE studies (study_id INTEGER)")
    connection.close()
    with pytest.raises(StoreError, match="is an SQLite database of another program"):
        open_catalog(path)


def test_the_tables_are_valid_on_postgresql() -> None:
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateTable

    words = " ".join(str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables)
    assert "DOUBLE PRECISION" in words
    assert "WITHOUT ROWID" not in words
    assert isinstance(members.c.place, Column)
    assert isinstance(members.c.place.type, Integer)


def test_states_fit_their_columns() -> None:
    assert max(map(len, State)) <= 16
