"""Where an SQLite store may lie, and what its errors mean."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from dialed.errors import StoreError
from dialed.store import open_catalog, sqlite
from dialed.store.sqlite import explain, network_file_system

MOUNTS = r"""/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/me/local xfs rw 0 0
//pc/share /mnt/with\040space cifs rw 0 0
me@host:/x /mnt/ssh fuse.sshfs rw 0 0
overlay /data overlay rw 0 0
lustre@tcp:/fs /data lustre rw 0 0
strange line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/a.db", None),
        ("/home/me/a.db", "nfs4"),
        ("/home/me/local/a.db", None),
        ("/homeless/a.db", None),
        ("/mnt/with space/a.db", "cifs"),
        ("/mnt/ssh/deep/er/a.db", "fuse.sshfs"),
        ("/data/a.db", "lustre"),
    ],
)
def test_network_file_systems_are_found(path: str, kind: str | None) -> None:
    assert network_file_system(Path(path), MOUNTS) == kind


def test_this_machine_can_be_asked(tmp_path: Path) -> None:
    assert network_file_system(tmp_path) is None


def test_a_machine_without_a_mount_table_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", absent)
    assert network_file_system(Path("/anywhere")) is None


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "network_file_system", lambda _: "nfs4")
    with pytest.raises(StoreError, match=r"must lie on a local disk. Got .*a.db' on a network file system \(nfs4\)"):
        open_catalog(tmp_path / "a.db")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match="The folder of a store must exist. Got `store` = .*there is no folder .*runs'"
    ):
        open_catalog(tmp_path / "runs" / "a.db")


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="A store must be a file. Got the folder"):
        open_catalog(tmp_path)


@pytest.mark.parametrize(
    "content", [b"hello, world, this is not a database" * 40, b"SQLite format 3\0" + b"\xff" * 2000]
)
def test_another_kind_of_file_is_refused_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="A store must be an SQLite database, but .*notes.db is another kind of file"):
        open_catalog(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SQLITE_FULL", "needs space on its disk, but none is left"),
        ("SQLITE_IOERR_WRITE", "must take what is written, but it did not"),
        ("SQLITE_READONLY_DBMOVED", "must be writable, its folder too, but it is read-only"),
        ("SQLITE_BUSY_SNAPSHOT", "another program has kept it locked for 60 s"),
        ("SQLITE_NOTADB", "is another kind of file"),
        ("SQLITE_CORRUPT_INDEX", "must be an intact database, but it is damaged"),
        ("SQLITE_CANTOPEN", "must be a file that can be opened and written"),
        ("SQLITE_MISUSE", "must answer, but SQLite said: oh"),
    ],
)
def test_each_error_is_explained(name: str, words: str) -> None:
    error = sqlite3.OperationalError("oh")
    error.sqlite_errorname = name
    assert words in str(explain(error, "a.db"))


def test_a_store_that_stays_locked_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    path = tmp_path / "a.db"
    open_catalog(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="must be free to write, but another program has kept it locked"):
        open_catalog(path)
    other.close()
    open_catalog(path).close()
