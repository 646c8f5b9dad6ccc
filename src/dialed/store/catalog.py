"""The studies of one database: list, make, open and delete them."""

from __future__ import annotations

import difflib
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dialed.clock import Clock, SystemClock
from dialed.errors import InvalidInputError, StudyError
from dialed.search.history import Terms
from dialed.store.codec import decode_terms, encode_json, encode_terms
from dialed.store.database import Database, parse_address
from dialed.store.folders import artifact_folder
from dialed.store.patience import patient
from dialed.store.queries import Queries
from dialed.store.remote import RemoteFolder, artifacts_at
from dialed.store.rows import StudyInfo, info_of
from dialed.store.schema import prepare
from dialed.store.server_clock import ServerClock
from dialed.store.sql import SqlStore
from dialed.store.sqlite import Durability

__all__ = ["Catalog", "open_catalog"]

_LONGEST_NAME = 200


def open_catalog(
    url: str | Path | None = None,
    *,
    clock: Clock | None = None,
    durability: Durability = "normal",
    artifacts: str | Path | None = None,
) -> Catalog:
    """Open the database of studies at `url`, and make it if it is not there.

    Args:
        url: A path ("runs/my.db"), or a URL ("sqlite:///runs/my.db", "postgresql://user@host/database").
            "sqlite:///:memory:" keeps nothing. Defaults to the file dialed.db in the current folder.
        clock: Gives the times that are recorded and those of leases. Defaults to the machine's; on PostgreSQL, whose
            machines may differ, that means the server's.
        durability: "normal" survives any death of the process; "full" also a power cut, and is slower on SQLite.
        artifacts: The folder for checkpoints, or a URL for fsspec ("s3://bucket/dialed", "file:///shared/dialed"; needs
            `pip install 'dialed[files]'`). Defaults to a folder beside the database ("runs/my.artifacts" for "runs/my.db"), to ./dialed.artifacts for PostgreSQL, and to a temporary one for a database in memory.

    Raises:
        StoreError: When it cannot be opened, is not Dialed's, or was written by a newer Dialed.
        InvalidInputError: When `url` or `durability` cannot mean anything.

    Example:
        >>> from dialed.store import open_catalog
        >>> with open_catalog("sqlite:///:memory:") as catalog:
        ...     catalog.studies()
        []
    """
    if durability not in ("normal", "full"):
        raise InvalidInputError(f"`durability` must be 'normal' or 'full'. Got {durability!r}.")
    folder = None if artifacts is None else artifacts_at(artifacts)
    database = Database(parse_address(None if url is None else str(url)), durability=durability)
    try:
        with database.migrating() as connection:
            prepare(connection, database.place, alone=database.is_sqlite)
    except BaseException:
        database.close()
        raise
    return Catalog(database, _clock_of(database, clock or SystemClock()), artifacts=folder)


def _clock_of(database: Database, clock: Clock) -> Clock:
    """The machine's clock, unless there may be several machines. One that was made for the purpose is kept."""
    return clock if database.is_sqlite or not isinstance(clock, SystemClock) else ServerClock(database.now, clock)


class Catalog:
    """The studies of one database. Made by `open_catalog`; close it, or use it in a `with` statement."""

    def __init__(self, database: Database, clock: Clock, *, artifacts: Path | RemoteFolder | None = None) -> None:
        self._database = database
        self._clock = clock
        self._queries = Queries(database.compile)
        self._artifacts = artifacts
        self._temporary: weakref.finalize[Any, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def place(self) -> str:
        """Where the studies are, for people: a path or a URL without its password."""
        return self._database.place

    @property
    def artifacts(self) -> Path | RemoteFolder:
        """The folder of the checkpoints of all studies. It is made with the first checkpoint."""
        if self._artifacts is None:
            self._artifacts = self._choose_artifacts()
        return self._artifacts

    def _choose_artifacts(self) -> Path:
        if self._database.in_memory:
            folder = tempfile.mkdtemp(prefix="dialed-")
            # Not with the catalog: a store may outlive it.
            self._temporary = weakref.finalize(self._database, shutil.rmtree, folder, ignore_errors=True)
            return Path(folder)
        path = self._database.path
        return Path("dialed.artifacts").absolute() if path is None else path.with_name(path.stem + ".artifacts")

    @patient
    def studies(self) -> list[StudyInfo]:
        """Return all studies at a glance, the oldest first."""
        now = self._clock.now()
        with self._database.reading() as cursor:
            rows = cursor.execute(self._queries.studies).fetchall()
            found = [info_of(row, self._best(cursor, row), now) for row in rows]
        judged = {row[0] for row in rows if decode_terms(row[3]).judges}
        return [self.open(info.name).info if info.name in judged else info for info in found]

    def _best(self, cursor: Any, row: Any) -> Any:
        statement = self._queries.best_trial[decode_terms(row[3]).objective.direction]
        best = cursor.execute(statement, {"at_study": row[11]}).fetchone()
        return best and (best[0], best[5])

    def exists(self, name: str) -> bool:
        """Whether there is a study of that name."""
        return self._find(name) is not None

    def create(self, name: str, terms: Terms, settings: Mapping[str, Any]) -> SqlStore:
        """Make a new study.

        Raises:
            StudyError: When the name is taken, also by another process just now.
            InvalidInputError: When it cannot be a name.
        """
        _check_name(name)
        now = self._clock.now()
        row = dict.fromkeys(("cursor", "trials", "enqueued", "epochs"), 0) | dict.fromkeys(
            ("claim_worker", "claim_since", "claim_until")
        )
        row |= {"name": name, "created": now, "changed": now, "state": "new", "seconds": 0.0}
        row |= {"terms": encode_terms(terms), "settings": encode_json(settings)}
        tried = False

        def attempt() -> None:
            nonlocal tried
            again, tried = tried, True
            with self._database.writing() as cursor:
                known = cursor.execute(self._queries.study_named, {"at_name": name}).fetchone()
                if known is None:
                    cursor.execute(self._queries.add_study, row)
                elif not (again and _is_made_of(known, row)):  # where the server went as it committed, it may be ours
                    raise StudyError(
                        f"The `name` of a new study must be free, but there is a study {name!r} in {self.place}. Open that "
                        "one, give another name, or delete it."
                    )

        self._database.patiently(attempt)
        return self.open(name)

    def open(self, name: str) -> SqlStore:
        """Return the store of a study.

        Raises:
            StudyError: When there is none of that name.
        """
        row = self._find(name)
        if row is None:
            raise self._unknown(name)
        return SqlStore(
            self._database,
            self._queries,
            self._clock,
            study=row[11],
            name=name,
            terms=row[3],
            settings=row[4],
            artifacts=self.artifacts / artifact_folder(name),
        )

    def delete(self, name: str) -> None:
        """Delete a study, with all its events and checkpoints.

        Raises:
            StudyError: When there is none of that name, or a process drives it right now.
        """
        store = self.open(name)
        if store.info.state == "running":
            raise StudyError(f"A study can be deleted once nobody drives it, but {name!r} is running. Stop it first.")
        row = self._find(name)

        def attempt() -> None:
            with self._database.writing() as cursor:
                cursor.execute(self._queries.delete_study, {"at_study": row[11]})

        self._database.patiently(attempt)
        if not store.artifacts.exists():
            return
        if isinstance(store.artifacts, Path):
            shutil.rmtree(store.artifacts)
        else:
            store.artifacts.remove()

    def close(self) -> None:
        """Close all connections. A database in memory is gone then, with its checkpoints."""
        self._database.close()
        if self._temporary is not None:
            self._temporary()

    @patient
    def _find(self, name: str) -> Any:
        with self._database.reading() as cursor:
            return cursor.execute(self._queries.study_named, {"at_name": name}).fetchone()

    @patient
    def _unknown(self, name: str) -> StudyError:
        with self._database.reading() as cursor:
            names = [row[0] for row in cursor.execute(self._queries.study_names).fetchall()]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        offer = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"There are {len(names)} studies."
        return StudyError(
            f"The `name` must be of a study in {self.place}. Got {name!r}, which is not there. {offer} "
            "`dialed studies` lists them."
        )


def _is_made_of(found: Any, row: Mapping[str, Any]) -> bool:
    """Whether a study is the one that an attempt before would have made: at the same instant, of the same text."""
    return (found[1], found[3], found[4]) == (row["created"], row["terms"], row["settings"])


def _check_name(name: str) -> None:
    if not (0 < len(name) <= _LONGEST_NAME and name.isprintable() and name == name.strip()):
        raise InvalidInputError(
            f"The `name` of a study must be 1 to {_LONGEST_NAME} printable characters without spaces around them. "
            f"Got {name!r}. Give another name."
        )
