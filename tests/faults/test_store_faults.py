"""Whatever happens to its processes, its disk and its clocks, a store loses nothing and counts nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialed.errors import LeaseLostError
from dialed.events import Returned, TrialStarted
from dialed.search.history import Terms
from dialed.store import Checkpoints, SqlStore, open_catalog
from dialed.testing.stores import HandClock
from dialed.trial import Objective, Outcome, Report, State

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and signals")

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=3)


def run(task: str, path: Path, *arguments: float, timeout: float = 300) -> Any:
    """Run a task of store_writer.py in a process of its own, and return what it printed."""
    command = [sys.executable, str(Path(__file__).with_name("store_writer.py")), task, str(path), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def start(trial: int) -> TrialStarted:
    return TrialStarted(trial=trial, values={"x": trial}, until=3, epochs=3, seeds=(0,))


@pytest.mark.parametrize(
    ("trials", "seed"), [(20, 1), pytest.param(400, 2, marks=pytest.mark.slow)], ids=["some kills", "many kills"]
)
def test_a_writer_that_is_killed_again_and_again_loses_nothing(tmp_path: Path, trials: int, seed: int) -> None:
    """No trial is lost, none is trained twice, each goes on from its checkpoint, and the rows equal the fold."""
    said = run("kill_often", tmp_path / "a.db", trials, seed)
    assert said["kills"] >= trials / 4
    with open_catalog(tmp_path / "a.db") as catalog:
        store = catalog.open("study")
        history = store.load_history()
        assert [(t.number, t.state, t.score, t.epochs) for t in history.trials] == [
            (n, State.COMPLETED, 1.0, 3) for n in range(trials)
        ]
        assert all(t.members[0].curve == (1.0, 3.0, 6.0) for t in history.trials)
        assert store.best_row() == store.trial_row(0)
        for trial in history.trials:
            row, member = store.trial_row(trial.number), trial.members[0]
            assert row and row.state is trial.state and row.members[0].last == member.last
            assert member.last and float(Checkpoints(store.artifacts).load(member.last)[0]["sum"]) == 6.0
        assert any(isinstance(r.event, Returned) for r in store.history())


@pytest.mark.parametrize("processes", [4, pytest.param(16, marks=pytest.mark.slow)])
def test_processes_never_get_the_same_member(tmp_path: Path, processes: int) -> None:
    with open_catalog(tmp_path / "a.db") as catalog:
        store = catalog.create("study", TERMS, {})
        store.append([start(n) for n in range(200)])
        got = run("drain", tmp_path / "a.db", processes)
        assert Counter(number for each in got for number in each) == Counter(range(200))
        assert {t.state for t in store.trial_rows()} == {State.COMPLETED}


@pytest.mark.parametrize(
    ("processes", "trials", "reports"),
    [(8, 3, 10), pytest.param(16, 20, 20, marks=pytest.mark.slow), pytest.param(64, 5, 20, marks=pytest.mark.slow)],
)
def test_many_processes_report_to_one_file(tmp_path: Path, processes: int, trials: int, reports: int) -> None:
    """Without an error, and without losing a report."""
    open_catalog(tmp_path / "a.db").close()
    run("report_all", tmp_path / "a.db", processes, trials, reports)
    with open_catalog(tmp_path / "a.db") as catalog:
        studies = catalog.studies()
        assert [info.epochs for info in studies] == [trials * reports] * processes
        assert [len(catalog.open(info.name).history()) for info in studies] == [trials * (1 + reports)] * processes


def test_many_processes_make_one_store(tmp_path: Path) -> None:
    """The file, its tables and its write-ahead log are made once, whoever comes first."""
    run("report_all", tmp_path / "new.db", 8, 1, 1)
    with open_catalog(tmp_path / "new.db") as catalog:
        assert len(catalog.studies()) == 8


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """The error says so; what was stored stays; with space again, the same store goes on."""
    found = run("fill", tmp_path / "a.db", 2.0)
    assert "StoreError" in found["said"]
    assert "space" in found["said"]
    assert "What was stored before is safe" in found["said"]
    assert found["stored"] > 20
    assert found["again"] == found["stored"] + 1
    assert "CheckpointError: A checkpoint needs 16.0 MB" in found["checkpoint"]
    assert found["left"] == []
    with open_catalog(tmp_path / "a.db") as catalog:
        assert len(catalog.open("study").load_history()) == found["again"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_read_only_store_says_so(open_folder: Path) -> None:
    said = run("write_as_nobody", open_folder / "a.db")
    assert "StoreError: The store" in said
    assert "read-only" in said or "permissions" in said


@pytest.mark.skipif(getattr(os, "geteuid", int)() != 0, reason="only root can become a user who may not enter a folder")
def test_a_folder_that_may_not_be_entered_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    said = run("write_as_nobody", tmp_path / "a.db")
    assert "StoreError: The folder of a store must be one that this user may enter" in said


def test_a_worker_that_was_too_slow_is_told(tmp_path: Path) -> None:
    with open_catalog(tmp_path / "a.db") as catalog:
        store = catalog.create("study", TERMS, {})
        store.append([start(0)])
        done: list[int] = []
        thread = threading.Thread(target=lambda: done.append(run("lose_lease", tmp_path / "a.db")))
        thread.start()
        while thread.is_alive() and not store.history(1):  # until its first report
            time.sleep(0.005)
        while thread.is_alive() and not store.lease("quick", limit=1, seconds=60):
            time.sleep(0.005)
        thread.join()
        reports = [r.event for r in store.history() if isinstance(r.event, Report)]
        assert done == [len(reports)]


@pytest.mark.parametrize("skew", [3600.0, -3600.0])
def test_a_skewed_clock_costs_time_and_nothing_else(tmp_path: Path, skew: float) -> None:
    """Two machines whose clocks are an hour apart take members from each other, but each outcome counts once."""
    clocks = HandClock(), HandClock()
    clocks[1].advance(skew)
    with (
        open_catalog(tmp_path / "a.db", clock=clocks[0]) as one,
        open_catalog(tmp_path / "a.db", clock=clocks[1]) as two,
    ):
        stores = [one.create("study", TERMS, {}), two.open("study")]
        stores[0].append([start(0), start(1)])
        counted = 0
        for turn in range(8):
            counted += _try_to_train(stores, turn % 2)
            for clock in clocks:
                clock.advance(1000)
        assert counted == 2
        history = stores[0].load_history()
        assert [t.state for t in history.trials] == [State.COMPLETED] * 2
        assert [r.event.key.trial for r in stores[0].history() if isinstance(r.event, Outcome)] == [0, 1]


def _try_to_train(stores: list[SqlStore], first: int) -> int:
    """Both lease what they can, one after the other, and then both report an end; return how many were heard."""
    heard = 0
    workers = ["one", "two"]
    leased = {n: stores[n].lease(workers[n], limit=1, seconds=60) for n in (first, 1 - first)}
    for n, leases in leased.items():
        for lease in leases:
            try:
                stores[n].append([Outcome(key=lease.member.key, state=State.COMPLETED, epoch=0)], worker=workers[n])
                heard += 1
            except LeaseLostError:
                continue
    return heard
