"""The tables, their version, and the way from every earlier version to this one.

`events` is the record: rows are added, never changed. `studies`, `trials` and `members` are derived from it, in the
same transaction and by the same functions as `search.History`; their other columns (leases, claims) say who works on
what right now, which is not history. A member's curve is not in its row: it would be written anew with each report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    inspect,
    literal_column,
    select,
    text,
    update,
)

from dialed.errors import StoreError

__all__ = [
    "IS_OPEN",
    "MIGRATIONS",
    "SCHEMA_VERSION",
    "events",
    "members",
    "metadata",
    "prepare",
    "studies",
    "trials",
    "version",
]

metadata = MetaData()

version = Table("dialed_schema", metadata, Column("version", Integer, nullable=False))

studies = Table(
    "dialed_studies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("created", Double, nullable=False),
    Column("changed", Double, nullable=False),
    Column("terms", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("trials", Integer, nullable=False),
    Column("enqueued", Integer, nullable=False),
    Column("epochs", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("claim_worker", String(300)),
    Column("claim_since", Double),
    Column("claim_until", Double),
)


def _study() -> Column[int]:
    return Column("study", Integer, ForeignKey("dialed_studies.id", ondelete="CASCADE"), primary_key=True)


events = Table(
    "dialed_events",
    metadata,
    _study(),
    Column("cursor", BigInteger, primary_key=True, autoincrement=False),
    Column("time", Double, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("trial", Integer),
    Column("body", Text, nullable=False),
    Index("dialed_events_of_trial", "study", "trial"),
    sqlite_with_rowid=False,
)

trials = Table(
    "dialed_trials",
    metadata,
    _study(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("values_json", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cause", String(32)),
    Column("message", Text, nullable=False),
    Column("score", Double),
    Column("spread", Double),
    Column("epochs", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("parameters", BigInteger),
    Column("source", String(16), nullable=False),
    Column("engine", Text, nullable=False),
    Column("origin", Text),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("tags", Text, nullable=False, server_default=text("'[]'")),
    Column("latency", Double),
    Index("dialed_trials_by_score", "study", "score"),
    sqlite_with_rowid=False,
)

members = Table(
    "dialed_members",
    metadata,
    _study(),
    Column("trial", Integer, primary_key=True, autoincrement=False),
    Column("seed", BigInteger, primary_key=True, autoincrement=False),
    Column("fold", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("until", Integer, nullable=False),
    Column("length", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("score", Double),
    Column("best_epoch", Integer),
    Column("seconds", Double, nullable=False),
    Column("memory_bytes", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("cause", String(32)),
    Column("message", Text, nullable=False),
    Column("last_checkpoint", Text),
    Column("best_checkpoint", Text),
    Column("worker", String(300)),
    Column("lease_until", Double),
    Column("begun", Boolean(create_constraint=False), nullable=False),
    Column("since", Integer, nullable=False, server_default=text("0")),
    sqlite_with_rowid=False,
)

IS_OPEN = members.c.state.in_([literal_column("'waiting'"), literal_column("'running'")])
"""Also in the query that leases: a partial index is used only where the query says the same words."""

Index(
    "dialed_members_open",
    members.c.study,
    members.c.trial,
    members.c.place,
    sqlite_where=IS_OPEN,
    postgresql_where=IS_OPEN,
)
Index(
    "dialed_members_leased",
    members.c.study,
    members.c.worker,
    sqlite_where=members.c.worker.is_not(None),
    postgresql_where=members.c.worker.is_not(None),
)

Migration: TypeAlias = Callable[[Connection], None]


def _origins(connection: Connection) -> None:
    """A trial may go on from the state of another."""
    connection.execute(text("ALTER TABLE dialed_trials ADD COLUMN origin TEXT"))
    connection.execute(text("ALTER TABLE dialed_members ADD COLUMN since INTEGER NOT NULL DEFAULT 0"))


def _notes(connection: Connection) -> None:
    """People may write a note and tags on a trial."""
    connection.execute(text("ALTER TABLE dialed_trials ADD COLUMN note TEXT NOT NULL DEFAULT ''"))
    connection.execute(text("ALTER TABLE dialed_trials ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'"))


def _latencies(connection: Connection) -> None:
    """A trial's model is timed."""
    connection.execute(text("ALTER TABLE dialed_trials ADD COLUMN latency DOUBLE PRECISION"))


MIGRATIONS: tuple[Migration, ...] = (_origins, _notes, _latencies)
"""The first goes from version 1 to 2, and so on. Once released, a migration is never changed."""

SCHEMA_VERSION = 1 + len(MIGRATIONS)


def prepare(
    connection: Connection, place: str, *, alone: bool = False, migrations: Sequence[Migration] = MIGRATIONS
) -> None:
    """Make the tables, or bring them to this version, inside the caller's transaction.

    Args:
        connection: In a transaction that no other process can be in at the same time.
        place: Where the store is, for messages.
        alone: Whether the database must hold nothing else, as a file should. Defaults to False.
        migrations: The steps from version 1 on. Defaults to those of this version of Dialed.
    """
    names = inspect(connection).get_table_names()
    if version.name not in names:
        if alone and names:
            raise StoreError(
                f"A store must be made by Dialed, but {place} is an SQLite database of another program (its tables: "
                f"{', '.join(names[:5])}). Give another path. It was not changed."
            )
        metadata.create_all(connection)
        connection.execute(insert(version).values(version=1 + len(migrations)))
        return
    found = connection.execute(select(version.c.version)).scalar_one()
    if found > 1 + len(migrations):
        raise StoreError(
            f"The store {place} must be of schema version {1 + len(migrations)} or older, but it is of version {found}: "
            "a newer Dialed wrote it. Upgrade Dialed here (pip install -U dialed), or give another `store`. "
            "Nothing was changed."
        )
    for step in migrations[found - 1 :]:
        step(connection)
    if found < 1 + len(migrations):
        connection.execute(update(version).values(version=1 + len(migrations)))
