"""A folder of compiled programs holds whole entries, the most recent ones, for the machine they are for."""

from __future__ import annotations

import os
import threading

import pytest

from dialed.engine.fused import shelf as shelf_module
from dialed.engine.fused.shelf import Shelf


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path, 1000)


def entries(folder):
    return sorted(path for path in folder.iterdir() if path.suffix == ".program")


def test_what_was_put_is_got(shelf):
    shelf.put("key", b"program")
    assert shelf.get("key") == b"program"
    assert shelf.get("other") is None


def test_another_process_sees_it(shelf, tmp_path):
    shelf.put("key", b"program")
    assert Shelf(tmp_path, 1000).get("key") == b"program"


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"", lambda content: content + b"x"])
def test_a_damaged_entry_is_a_miss_and_goes(shelf, tmp_path, damage):
    shelf.put("key", b"program")
    (path,) = entries(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert shelf.get("key") is None
    assert entries(tmp_path) == []
    shelf.put("key", b"program")
    assert shelf.get("key") == b"program"


def test_what_was_not_used_for_longest_goes_first(shelf, tmp_path):
    for age, key in enumerate("dcba"):
        shelf.put(key, bytes(200))
        os.utime(shelf._entry(key), (1000 - 100 * age,) * 2)
    assert shelf.get("a") is not None, "the oldest, but used now"
    shelf.put("e", bytes(200))
    assert [key for key in "abcde" if shelf.get(key) is not None] == ["a", "d", "e"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000


def test_what_is_larger_than_the_folder_may_be_is_not_kept(shelf, tmp_path):
    shelf.put("key", bytes(1001))
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_left_is_removed(shelf, tmp_path):
    left, young = tmp_path / "a.unfinished", tmp_path / "b.unfinished"
    for path in (left, young):
        path.write_bytes(b"half")
    os.utime(left, (0, 0))
    shelf.put("key", b"program")
    assert not left.exists()
    assert young.exists()


def test_a_folder_that_is_gone_is_a_miss(tmp_path):
    shelf = Shelf(tmp_path / "gone", 1000)
    shelf.put("key", b"program")
    assert shelf.get("key") is None


def test_programs_of_another_processor_are_not_taken(shelf, monkeypatch):
    shelf.put("key", b"program")
    monkeypatch.setattr(shelf_module, "machine", lambda: "another")
    assert shelf.get("key") is None


def test_readers_never_see_half_an_entry(tmp_path):
    """Writers and readers of one key, at once."""
    programs = [bytes([i]) * 50_000 for i in range(4)]
    shelf = Shelf(tmp_path, 10**6)
    seen = set()

    def write(program):
        for _ in range(30):
            shelf.put("key", program)

    def read():
        for _ in range(200):
            seen.add(shelf.get("key"))

    threads = [threading.Thread(target=write, args=(program,)) for program in programs]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen <= {None, *programs}
    assert [path.suffix for path in tmp_path.iterdir()] == [".program"]
