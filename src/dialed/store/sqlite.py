"""All that is particular to SQLite: where its file may lie, how it is opened, and what its errors mean."""

# ruff: noqa: SIM905 - kinds of file systems are read as words

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Literal

from dialed.errors import StoreError

__all__ = ["Durability", "check_place", "configure", "explain", "network_file_system"]

Durability = Literal["normal", "full"]

BUSY_SECONDS = 60.0
"""How long a process waits for its turn to write. 64 busy writers wait about a second at most."""

_NETWORK = frozenset(
    "nfs nfs4 cifs smb smb2 smb3 smbfs ncpfs afs ceph lustre gpfs beegfs panfs glusterfs orangefs pvfs2 davfs ocfs2 gfs2 "
    "fuse.sshfs fuse.glusterfs fuse.ceph fuse.s3fs fuse.gcsfuse fuse.rclone fuse.davfs2 fuse.cifs fuse.smbnetfs".split()
)


def network_file_system(path: Path, mounts: str | None = None) -> str | None:
    """Return the kind of network file system that `path` lies on; `None` when it is local or cannot be told.

    Args:
        path: A file or folder, which need not exist.
        mounts: The mount table, as in /proc/mounts. Defaults to this machine's.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:  # not Linux: unknown means allowed
            return None
    where = Path(os.path.realpath(path))
    best, kind = -1, None
    for line in mounts.splitlines():
        parts = line.split()
        point = parts[1].replace("\\040", " ") if len(parts) > 2 else ""
        if point and where.is_relative_to(point) and len(point) >= best:  # of two mounts, the later hides the earlier
            best, kind = len(point), parts[2]
    return kind if kind in _NETWORK else None


def check_place(path: Path) -> None:
    """Refuse a file that cannot be there, or that SQLite could not keep safe there."""
    folder = path.parent
    try:
        is_there = folder.is_dir()
    except OSError as error:
        raise StoreError(
            f"The folder of a store must be one that this user may enter. Got `store` = {str(path)!r}: {error}. Mend its "
            "permissions, or give another path."
        ) from error
    if not is_there:
        raise StoreError(
            f"The folder of a store must exist. Got `store` = {str(path)!r}, but there is no folder {str(folder)!r}. "
            "Make it, or give another path."
        )
    if path.is_dir():
        raise StoreError(
            f"A store must be a file. Got the folder {str(path)!r}. Give a path such as {path / 'dialed.db'}."
        )
    kind = network_file_system(path)
    if kind is not None:
        raise StoreError(
            f"An SQLite store must lie on a local disk. Got {str(path)!r} on a network file system ({kind}), where file "
            "locks cannot be trusted and a study could be damaged. Put it on a local disk, or use PostgreSQL: "
            "store='postgresql://user@host/database'."
        )


def configure(connection: sqlite3.Connection, durability: Durability) -> None:
    """Set up a fresh connection: write-ahead log, patience, foreign keys; transactions are begun by hand."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: 16 MB; hot pages are copied back less often
    _use_wal(connection)
    connection.execute(f"PRAGMA synchronous = {durability.upper()}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite does not wait for other processes here, so this does."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if not _is(error, "SQLITE_BUSY", "SQLITE_LOCKED") or time.monotonic() > until:
                raise
            time.sleep(0.01)


def explain(error: Exception, place: str) -> StoreError:
    """Say in words what an error of SQLite means for the store at `place`, and what to do."""
    saved = "What was stored before is safe."
    if _is(error, "SQLITE_FULL"):
        text = f"The store {place} needs space on its disk, but none is left. Free some and start again. {saved}"
    elif _is(error, "SQLITE_IOERR"):
        text = (
            f"The disk of the store {place} must take what is written, but it did not ({error}): it is full, over a quota, "
            f"or failing. Free some space and start again. {saved}"
        )
    elif _is(error, "SQLITE_READONLY"):
        text = (
            f"The store {place} must be writable, its folder too, but it is read-only. Change that, or copy it. {saved}"
        )
    elif _is(error, "SQLITE_BUSY", "SQLITE_LOCKED"):
        text = (
            f"The store {place} must be free to write, but another program has kept it locked for {BUSY_SECONDS:.0f} s. "
            f"Close that program (a database browser with an open edit?) and start again. {saved}"
        )
    elif _is(error, "SQLITE_NOTADB"):
        text = f"A store must be an SQLite database, but {place} is another kind of file. Give another path. It was not changed."
    elif _is(error, "SQLITE_CORRUPT"):
        text = f"The store {place} must be an intact database, but it is damaged ({error}). Go back to a copy of it."
    elif _is(error, "SQLITE_CANTOPEN"):
        text = (
            f"The store {place} must be a file that can be opened and written, but it cannot be. Check its permissions."
        )
    else:
        text = f"The store {place} must answer, but SQLite said: {error}. {saved}"
    return StoreError(text)


def _is(error: Exception, *names: str) -> bool:
    found = getattr(error, "sqlite_errorname", "")
    return any(found == name or found.startswith(name + "_") for name in names)
