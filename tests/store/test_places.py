"""Checkpoints wherever they lie: in a folder, or at a URL of fsspec's. The same truths hold for all."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from dialed.errors import CheckpointError, InvalidInputError
from dialed.search import History, Terms
from dialed.store import Checkpoints, open_catalog, sweep
from dialed.store.places import TEMPORARY, Folder
from dialed.store.remote import RemoteFolder, artifacts_at
from dialed.testing.stores import HandClock
from dialed.trial import CheckpointRef, MemberKey, Objective

KEY = MemberKey(2, 7, 0)
TERMS = Terms(objective=Objective(name="val_loss", direction="min"))


@pytest.fixture(params=["folder", "memory", "file"])
def checkpoints(request: pytest.FixtureRequest, tmp_path: Path) -> Checkpoints:
    """The same checkpoints in each kind of place. `memory` is put in whole, `file` is written and moved."""
    places = {"folder": str(tmp_path / "c"), "memory": f"memory://{uuid4().hex}/c", "file": f"file://{tmp_path}/c"}
    return Checkpoints(artifacts_at(places[request.param]))


def damage(checkpoints: Checkpoints, ref: CheckpointRef, content: bytes) -> None:
    """Put something else where a checkpoint was."""

    def write(file: Any) -> str:
        file.write(content)
        return ref.path

    checkpoints.place.put(write)


def test_what_was_saved_comes_back_exactly(checkpoints: Checkpoints) -> None:
    """Arrays of any shape, those of accelerators too, and the meta."""
    import ml_dtypes

    arrays = {"a/kernel": np.arange(6.0).reshape(2, 3), "n": np.array(3), "half": np.ones(4, ml_dtypes.bfloat16)}
    ref = checkpoints.save(KEY, 3, "last", arrays, {"lr": 0.1})
    found, meta = checkpoints.load(ref)
    assert meta == {"lr": 0.1}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.asarray(array).dtype
    assert checkpoints.exists(ref)
    assert list(checkpoints.place.list()) == [ref.path]
    assert checkpoints.place.list()[ref.path].bytes == ref.bytes


@pytest.mark.parametrize("content", [b"", b"nothing like it"])
def test_a_file_that_was_changed_is_set_aside(checkpoints: Checkpoints, content: bytes) -> None:
    """Its hash tells."""
    ref = checkpoints.save(KEY, 3, "last", {"a": np.ones(3)}, {})
    damage(checkpoints, ref, content)
    with pytest.raises(CheckpointError, match=r"its SHA-256 is .* It was moved to .*corrupt"):
        checkpoints.load(ref)
    assert not checkpoints.exists(ref)
    with pytest.raises(CheckpointError, match="must be there, but it is missing"):
        checkpoints.load(ref)


@pytest.mark.parametrize("path", ["../secret.npz", "/etc/passwd", "a/b.npz", "", "corrupt/x"])
@pytest.mark.parametrize("method", ["load", "delete", "exists"])
def test_no_address_leads_out_of_the_place(checkpoints: Checkpoints, path: str, method: str) -> None:
    """An address from a store that somebody changed is refused before anything is touched."""
    ref = CheckpointRef(path=path, digest="0" * 64, bytes=1, epoch=1)
    with pytest.raises(CheckpointError, match="must have a name as Dialed gives it"):
        getattr(checkpoints, method)(ref)


def test_deleting_twice_is_no_error(checkpoints: Checkpoints) -> None:
    """Two processes may tidy at once."""
    ref = checkpoints.save(KEY, 3, "last", {"a": np.ones(3)}, {})
    checkpoints.delete(ref)
    checkpoints.delete(ref)
    assert not checkpoints.exists(ref)
    assert checkpoints.place.list() == {}


def test_what_cannot_be_written_leaves_no_file(checkpoints: Checkpoints) -> None:
    """Neither under its name nor under another."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        checkpoints.save(KEY, 3, "last", {"a": np.ones(3)}, {"meta": object()})
    assert checkpoints.place.list() == {}


def test_a_sweep_removes_what_nobody_names(checkpoints: Checkpoints) -> None:
    """Once it is old enough, finished or not; other files stay."""

    def leave(name: str) -> None:
        def write(file: Any) -> str:
            file.write(b"x")
            return name

        checkpoints.place.put(write)

    ref = checkpoints.save(KEY, 3, "last", {"a": np.ones(3)}, {})
    leave(f"half{TEMPORARY}")
    leave("notes.txt")
    assert sweep(checkpoints, History(TERMS)).files == 0
    later = max(file.written for file in checkpoints.place.list().values()) + 3601.0
    old = Checkpoints(checkpoints.folder, clock=HandClock(later))
    swept = sweep(old, History(TERMS))
    assert (swept.files, swept.bytes) == (2, ref.bytes + 1)
    assert list(checkpoints.place.list()) == ["notes.txt"]


def test_a_catalog_keeps_each_study_apart_and_deletes_with_it(tmp_path: Path) -> None:
    """At a URL as in a folder."""
    with open_catalog(tmp_path / "a.db", artifacts=f"file://{tmp_path}/there/") as catalog:
        refs = {}
        for name in ("one", "two"):
            store = catalog.create(name, TERMS, {})
            refs[name] = Checkpoints(store.artifacts).save(KEY, 1, "best", {"a": np.ones(1)}, {})
        assert (tmp_path / "there" / "one" / refs["one"].path).is_file()
        assert str(catalog.open("one").beside("t")[0].artifacts) == str(catalog.open("two").artifacts)
        catalog.delete("one")
        assert not (tmp_path / "there" / "one").exists()
        assert Checkpoints(catalog.open("two").artifacts).exists(refs["two"])
        catalog.create("never trained", TERMS, {})
        catalog.delete("never trained")


def test_another_process_reads_what_was_saved(tmp_path: Path) -> None:
    """The place travels as a value, and each process connects by itself."""
    checkpoints = Checkpoints(artifacts_at(f"file://{tmp_path}/c"))
    ref = checkpoints.save(KEY, 3, "last", {"a": np.arange(3)}, {})
    (tmp_path / "sent").write_bytes(pickle.dumps((checkpoints.folder, ref)))
    script = """
        import pickle, sys
        from dialed.store import Checkpoints
        folder, ref = pickle.load(open(sys.argv[1], "rb"))
        print(Checkpoints(folder).load(ref)[0]["a"].sum())
    """
    command = [sys.executable, "-c", dedent(script), str(tmp_path / "sent")]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "3"


def test_what_a_file_system_raises_says_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages for object stores have errors of their own; they become ours, and no half file stays."""
    from fsspec.implementations.memory import MemoryFileSystem

    class TheirsError(Exception):
        pass

    def refuse(*arguments: Any, **options: Any) -> None:
        raise TheirsError("no credentials")

    checkpoints = Checkpoints(artifacts_at(f"memory://{uuid4().hex}"))
    ref = checkpoints.save(KEY, 3, "last", {"a": np.ones(3)}, {})
    monkeypatch.setattr(MemoryFileSystem, "put_file", refuse)
    monkeypatch.setattr(MemoryFileSystem, "open", refuse)
    with pytest.raises(CheckpointError, match=r"must be writable. Got memory://.*TheirsError: no credentials"):
        checkpoints.save(KEY, 4, "last", {"a": np.ones(3)}, {})
    with pytest.raises(CheckpointError, match=r"must be readable, but it is not: .*TheirsError: no credentials"):
        checkpoints.load(ref)
    with pytest.raises(CheckpointError, match="A path needs a folder"):
        checkpoints.path(ref)


def test_a_move_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files are written under another name first."""
    from fsspec.implementations.local import LocalFileSystem

    def refuse(*arguments: Any, **options: Any) -> None:
        raise OSError("the line broke")

    monkeypatch.setattr(LocalFileSystem, "mv", refuse)
    checkpoints = Checkpoints(artifacts_at(f"file://{tmp_path}/c"))
    with pytest.raises(CheckpointError, match="the line broke"):
        checkpoints.save(KEY, 3, "last", {"a": np.ones(3)}, {})
    assert checkpoints.place.list() == {}


@pytest.mark.parametrize(
    ("url", "message"),
    [("nowhere://x", "Got 'nowhere://x', and it says: Protocol not known"), ("s3://bucket/x", "s3fs")],
)
def test_a_url_that_nothing_here_reaches_is_refused_at_once(url: str, message: str) -> None:
    """The message is fsspec's own: it names the package that is missing."""
    pytest.importorskip("fsspec")
    if url.startswith("s3") and __import__("importlib.util").util.find_spec("s3fs"):
        pytest.skip("s3fs is installed here, so nothing is missing")
    with pytest.raises(InvalidInputError, match=message):
        artifacts_at(url)


def test_without_fsspec_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else of the package is needed for folders."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InvalidInputError, match=r"need fsspec.*pip install 'dialed\[files\]'"):
        artifacts_at("memory://x")
    assert artifacts_at("runs/x") == Path("runs/x")


def test_names_of_remote_folders_are_put_together() -> None:
    """As those of paths."""
    folder = RemoteFolder(url="s3://b/a")
    assert str(folder / "study") == "s3://b/a/study"
    assert (folder / "study").with_name("other") == replace(folder, url="s3://b/a/other")


@pytest.mark.parametrize(
    "said", [{"mtime": 5.0}, {"LastModified": "1970-01-01T00:00:05+00:00"}, {"updated": "1970-01-01T00:00:05"}]
)
def test_listings_say_in_many_ways_when_a_file_was_written(said: dict[str, Any]) -> None:
    """In seconds, or as a date with or without a zone; one that says nothing never counts as old."""
    from dialed.store.remote import _written

    assert _written(said) == 5.0
    assert _written({"updated": "yesterday"}) == _written({}) == float("inf")


def test_a_folder_is_a_place_too(tmp_path: Path) -> None:
    """That is not there until the first file is."""
    assert Folder(tmp_path / "none").list() == {}
