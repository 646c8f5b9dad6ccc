"""A worker's name tells whether its process still lives."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from dialed.store import workers
from dialed.store.workers import Worker, is_dead, parse_worker, worker_id


def test_a_name_says_where_and_who() -> None:
    worker = parse_worker(worker_id())
    assert worker is not None
    assert worker.pid == os.getpid()
    assert worker.host
    assert worker.start


def test_names_are_never_the_same() -> None:
    assert len({worker_id() for _ in range(100)}) == 100


def test_this_process_lives() -> None:
    assert not is_dead(worker_id())


def test_an_ended_process_is_dead() -> None:
    code = "from dialed.store import worker_id; print(worker_id())"
    name = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert is_dead(name)


def test_a_process_that_nobody_waited_for_is_dead() -> None:
    """A child that ended stays in the process table until its parent looks."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        name = f"{workers._host()}:{child.pid}:-0"
        deadline = time.monotonic() + 60
        while not is_dead(name) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert is_dead(name)
    finally:
        child.wait()


def test_a_number_that_was_given_again_is_another_process() -> None:
    worker = parse_worker(worker_id())
    assert worker is not None
    assert is_dead(f"{worker.host}:{worker.pid}:12.0-ff")
    assert not is_dead(f"{worker.host}:{worker.pid}:-ff"), "a start that could not be read proves nothing"


def test_nobody_can_tell_about_other_machines_and_other_names() -> None:
    assert not is_dead("elsewhere:1:2-3")
    assert not is_dead("somebody")
    assert not is_dead("a:b:c")


def test_a_host_with_colons_is_parsed() -> None:
    assert parse_worker("a:b:12:34.5-ff") == Worker("a:b", 12, "34.5")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ps")
def test_without_proc_the_process_table_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS: `ps` knows when a process began, and `kill(pid, 0)` whether it is there."""
    monkeypatch.setattr(workers, "_start_on_linux", workers._start_by_ps)
    name = worker_id()
    assert not is_dead(name)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_dead(f"{workers._host()}:{ended.pid}:x-0")
