"""Connections and transactions: the same few calls over SQLite and PostgreSQL.

Statements are compiled by SQLAlchemy once and then run on the driver's own cursor: that is ten times cheaper than
running them through SQLAlchemy, and a trial costs a dozen of them.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import PoolProxiedConnection, StaticPool
from sqlalchemy.sql.elements import CompilerElement

from dialed.errors import InvalidInputError, MissingDependencyError, StoreError
from dialed.store import sqlite
from dialed.store.patience import PATIENCE_SECONDS, Away, patiently
from dialed.store.sqlite import Durability

__all__ = ["Database", "parse_address"]

T = TypeVar("T")

_MIGRATION_LOCK: Final = 0x6469616C6564  # "dialed": PostgreSQL's advisory lock while tables are made


def parse_address(address: str | None) -> URL:
    """Return the database's URL: of ./dialed.db for `None`, of the file for a path, as it is for a URL."""
    if address is None:
        address = "dialed.db"
    if "://" not in address:
        return URL.create("sqlite", database=address)
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise InvalidInputError(f"`store` must be a path or a database URL. Got {address!r}: {error}.") from error
    backend = url.get_backend_name()
    if backend == "postgres":  # an old name that many tools still print
        backend, url = "postgresql", url.set(drivername="postgresql")
    if backend not in ("sqlite", "postgresql"):
        raise InvalidInputError(
            f"`store` must be an SQLite file or a PostgreSQL database. Got {url.render_as_string()!r}. Give a path such as "
            "'runs/my.db', 'sqlite:///runs/my.db' or 'postgresql://user@host/database'."
        )
    return url.set(drivername="postgresql+psycopg") if backend == "postgresql" else url.set(drivername="sqlite")


class Database:
    """One database: its address, its connections, and its two kinds of transaction.

    Args:
        url: As `parse_address` returns it.
        durability: "full" makes SQLite wait for the disk at each commit.
    """

    def __init__(self, url: URL, *, durability: Durability = "normal") -> None:
        self.url = url
        self.in_memory = url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.place = str(self.path) if self.path else url.render_as_string(hide_password=True)
        if self.path is not None:
            sqlite.check_place(self.path)
        self.engine = self._make_engine(durability)
        self._error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        self._pid = os.getpid()
        self._turn = threading.RLock()
        self.patience_seconds = PATIENCE_SECONDS
        self._kept: list[PoolProxiedConnection] = []  # SQLite's one connection for writing, once there is one
        weakref.finalize(self, _close, self.engine, self._kept)

    @property
    def path(self) -> Path | None:
        """The SQLite file; `None` in memory and for PostgreSQL."""
        if not self.is_sqlite or self.in_memory:
            return None
        return Path(os.path.abspath(self.url.database or ""))

    @property
    def address(self) -> str:
        """The URL by which any process on this machine opens it, from whatever folder. It holds the password."""
        url = self.url if self.path is None else self.url.set(database=str(self.path))
        return url.render_as_string(hide_password=False)

    def _make_engine(self, durability: Durability) -> Engine:
        try:
            if not self.is_sqlite:
                return create_engine(self.url, pool_pre_ping=False, pool_reset_on_return=None, max_overflow=32)
            shared: dict[str, Any] = {"poolclass": StaticPool} if self.in_memory else {"max_overflow": 64}
            engine = create_engine(
                "sqlite://" if self.in_memory else URL.create("sqlite", database=str(self.path)),
                paramstyle="named",
                pool_reset_on_return=None,
                connect_args={"check_same_thread": False},
                **shared,
            )
        except (ImportError, NoSuchModuleError) as error:
            raise MissingDependencyError(
                "A PostgreSQL store needs the package psycopg. Install it: pip install 'dialed[postgres]'."
            ) from error
        event.listen(engine, "connect", lambda connection, _: sqlite.configure(connection, durability))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def compile(self, statement: CompilerElement) -> str:
        """Return the statement in this database's words."""
        return str(statement.compile(dialect=self.engine.dialect))

    def explain(self, error: Exception) -> StoreError:
        """Say in words what the database's error means."""
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        if self.is_sqlite:
            return sqlite.explain(cause, self.place)
        said = (str(cause).strip() or type(cause).__name__).splitlines()[0]
        return (Away if _is_away(cause) else StoreError)(
            f"The store {self.place} must answer, but PostgreSQL said: {said}. Check the address, the server and the "
            "rights of the user. What was stored before is safe."
        )

    def patiently(self, attempt: Callable[[], T]) -> T:
        """What `attempt` returns; where the server is away, it is waited for and the attempt made again."""
        return attempt() if self.is_sqlite else patiently(attempt, self.patience_seconds)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A transaction for the tables themselves, one process at a time."""
        try:
            with self.engine.begin() as connection:
                if not self.is_sqlite:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
                yield connection
        except (DBAPIError, self._error) as error:
            raise self.explain(error) from error

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """A transaction that writes: the driver's cursor; committed at the end, undone by any exception.

        On SQLite it holds the file's only right to write from its first statement on (`BEGIN IMMEDIATE`), so what it
        reads stays true until it commits. Threads of this process queue here rather than at the file's lock, and share
        one connection, which is kept: taking it from the pool each time would cost as much as a small transaction.
        """
        if not self.is_sqlite:
            with self._borrowed() as connection, self._transaction(connection, "") as cursor:
                yield cursor
            return
        self._after_fork()
        with self._turn:
            if not self._kept:
                self._kept.append(self._connect())
            with self._transaction(self._kept[0], "BEGIN IMMEDIATE") as cursor:
                yield cursor

    @contextmanager
    def reading(self, *, once: bool = False) -> Iterator[Any]:
        """A transaction that reads one state of the store, while others may write.

        Args:
            once: Whether it is a single statement, which sees one state by itself: a search asks for news five times a
                trial, and to begin and end a transaction takes as long as the question. Defaults to False.
        """
        if self.in_memory:  # one connection for all threads
            with self.writing() as cursor:
                yield cursor
            return
        self._after_fork()
        begin = "BEGIN" if self.is_sqlite else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
        with self._borrowed() as connection, self._transaction(connection, "" if once else begin) as cursor:
            yield cursor

    def now(self) -> float:
        """The time by PostgreSQL's own clock, in seconds since the epoch."""
        with self.reading(once=True) as cursor:
            row = cursor.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
        return float(row[0])

    def _after_fork(self) -> None:
        """A forked child must not use its parent's connections, nor wait for its threads."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._turn = threading.RLock()
            if not self.in_memory:
                self._kept.clear()
                self.engine.dispose(close=False)

    def _connect(self) -> PoolProxiedConnection:
        try:
            return self.engine.raw_connection()
        except (DBAPIError, self._error) as error:
            raise self.explain(error) from error

    @contextmanager
    def _borrowed(self) -> Iterator[PoolProxiedConnection]:
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _transaction(self, connection: PoolProxiedConnection, begin: str) -> Iterator[Any]:
        try:
            cursor = connection.driver_connection.cursor()  # type: ignore[union-attr]
            try:
                if begin:
                    cursor.execute(begin)
                yield cursor
                connection.commit()
            except BaseException:
                self._undo(connection)
                raise
            finally:
                cursor.close()
        except self._error as error:
            raise self.explain(error) from error

    def _undo(self, connection: PoolProxiedConnection) -> None:
        """Roll back; a connection that cannot even do that is thrown away."""
        try:
            connection.rollback()
            if getattr(connection.driver_connection, "closed", False):  # a rollback of what is gone says nothing
                connection.invalidate()
        except self._error:
            connection.invalidate()
            if connection in self._kept:
                self._kept.clear()

    def close(self) -> None:
        """Close all connections. Whoever goes on opens new ones."""
        _close(self.engine, self._kept)


def _is_away(error: Exception) -> bool:
    """Whether PostgreSQL went away, or is about to come back, so that another try may do."""
    state = getattr(error, "sqlstate", None)
    lost = type(error).__name__ in ("OperationalError", "InterfaceError") and state is None
    return lost or str(state).startswith(("08", "57P"))


def _close(engine: Engine, kept: list[PoolProxiedConnection]) -> None:
    """Also called when a database is forgotten: an open connection would warn when Python collects it."""
    while kept:
        kept.pop().close()
    engine.dispose()
