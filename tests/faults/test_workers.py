"""What becomes of workers that die, hang, lose their leases or are told to go, and of what they trained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import dialed
from dialed.engine.movable import Part
from dialed.engine.protocol import Batch, OnReport
from dialed.errors import StoreError
from dialed.events import TrialStarted
from dialed.executor import Deadline, Job, Worker
from dialed.search import Terms
from dialed.store import SqlStore, is_dead, open_catalog, sqlite
from dialed.trial import Cause, Member, Objective, Outcome, Report, State

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and signals")

TERMS = Terms(objective=Objective("loss", "min"), epochs=3)


class Stepping:
    """An engine that trains its members epoch by epoch, all together, and calls `between` before each."""

    def __init__(self, between: Any) -> None:
        self.between = between

    @property
    def parts(self) -> Sequence[Part]:
        return ()

    def __call__(self, deadline: Deadline) -> Stepping:
        return self

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        return [Batch(members=tuple(members), program="step")]

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        for epoch in range(1, until + 1):
            self.between(epoch)
            for member in members:
                on_report(Report(key=member.key, epoch=epoch, metrics={"loss": 1.0 / epoch}))
        for member in members:
            yield Outcome(key=member.key, state=State.PAUSED, epoch=until)


def study(path: Path, trials: int) -> SqlStore:
    store = open_catalog(str(path)).create("s", TERMS, {})
    store.append([TrialStarted(trial=n, values={"x": n}, until=3, epochs=3, seeds=(0,)) for n in range(trials)])
    return store


def test_a_worker_whose_lease_ended_is_refused_and_trains_its_other_members_on(tmp_path: Path) -> None:
    """Who took the member over counts; nothing is counted twice, and the rest is not held up."""
    store = study(tmp_path / "a.db", 3)

    def take_over(epoch: int) -> None:
        if epoch == 2:
            store.bury(slow.name)  # as when its lease ended: all it holds waits again ...
            [first] = store.lease("quick", limit=1, seconds=60)
            store.lease(slow.name, limit=2, seconds=60)  # ... and the other two come back to it
            store.append(
                [Report(key=first.member.key, epoch=e, metrics={"loss": 9.0 / e}) for e in (2, 3)], worker="quick"
            )
            store.append([Outcome(key=first.member.key, state=State.PAUSED, epoch=3)], worker="quick")

    slow = Worker(store, Stepping(take_over))
    slow.train(Job(worker=slow.name, leased=tuple(store.lease(slow.name, limit=3, seconds=60))))
    history = store.load_history()
    assert [(t.state, t.epochs) for t in history.trials] == [(State.COMPLETED, 3)] * 3
    assert history.trial(0).members[0].curve == (1.0, 4.5, 3.0)
    assert history.trial(1).members[0].curve == (1.0, 0.5, 1.0 / 3)
    assert history.epochs == 9


def test_writers_wait_for_a_store_that_another_program_keeps_locked(tmp_path: Path) -> None:
    store = study(tmp_path / "a.db", 1)
    locked = open_catalog(str(tmp_path / "a.db")).open("s")
    holding, free = threading.Event(), threading.Event()

    def hold() -> None:
        with locked._database.writing():
            holding.set()
            free.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(30)
    threading.Timer(0.2, free.set).start()
    worker = Worker(store, Stepping(lambda epoch: None))
    worker.train(Job(worker=worker.name, leased=tuple(store.lease(worker.name, limit=1, seconds=60))))
    thread.join()
    assert store.load_history().trial(0).state is State.COMPLETED


def test_a_store_that_stays_locked_is_told_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study(tmp_path / "a.db", 1)
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    store, locked = (open_catalog(str(tmp_path / "a.db")).open("s") for _ in range(2))
    with locked._database.writing(), pytest.raises(StoreError, match="must be free to write, but another program"):
        store.lease("w", limit=1, seconds=60)
    assert len(store.lease("w", limit=1, seconds=60)) == 1


def runaway(hp: Any) -> float:
    match hp.Int("x", 0, 3):
        case 1:
            print("about to go")
            sys.stdout.flush()
            os._exit(7)
        case 2:
            while True:
                time.sleep(0.01)
        case 3:
            for _ in range(32):
                print("x" * 2**20)
    return float(hp.Int("x", 0, 3))


def greedy(hp: Any) -> float:
    eaten = []
    while True:
        eaten.append(b"x" * 2**26)
        time.sleep(0.01)


@posix
@pytest.mark.slow
def test_trials_that_run_away_fail_with_their_cause_and_hold_nobody_up(tmp_path: Path) -> None:
    """One ends its process, one loops for ever, one prints very much."""
    found = dialed.optimize(
        runaway, strategy="grid", seed=0, store=str(tmp_path / "a.db"), workers=2, max_trial_time=40,
        max_consecutive_failures=20, verbose=0,
    )  # fmt: skip
    by_value = {t.values["x"]: t for t in found.trials}
    causes = {value: t.cause for value, t in by_value.items()}
    assert causes == {0: None, 1: Cause.KILLED, 2: Cause.TIME_LIMIT, 3: None}
    assert "longer than `max_trial_time`, 40 s" in by_value[2].message
    assert by_value[3].score == 3.0


@posix
@pytest.mark.slow
def test_a_trial_that_eats_all_memory_is_tried_once_more_and_has_failed(tmp_path: Path) -> None:
    store = str(tmp_path / "a.db")
    options = {"executor": "processes", "worker_memory": "1.5GB", "max_trials": 1, "store": store, "verbose": 0}
    found = dialed.optimize(greedy, **options)  # type: ignore[arg-type]
    assert [t.cause for t in found.trials] == [Cause.OUT_OF_MEMORY]
    assert found.trials[0].members[0].attempts == 2
    assert "more than `worker_memory`, 1.50 GB" in found.trials[0].message


def printing(hp: Any) -> float:
    for _ in range(1024):
        print("x" * 2**20)
    return hp.Float("x", 0.0, 1.0)


@posix
@pytest.mark.nightly
def test_a_trial_may_print_a_gigabyte(tmp_path: Path) -> None:
    store = str(tmp_path / "a.db")
    found = dialed.optimize(printing, max_trials=1, store=store, executor="processes", verbose=0)
    assert found.best_trial.score == 0.0


SEARCH = """
import sys, time
import dialed

def slow(hp):
    x = hp.Float("x", 0.0, 1.0)
    for step in range(1, 40):
        time.sleep(0.05)
        if hp.report(step, x + 1.0 / step):
            return None
    return x

if __name__ == "__main__":
    dialed.optimize(slow, space={"x": dialed.Float(0.0, 1.0)}, store=sys.argv[1], name="s", strategy="random",
                    max_trials=2, epochs=40, seed=1, workers=2, verbose=0)
"""


@posix
@pytest.mark.slow
def test_workers_of_a_driver_that_was_killed_give_back_what_they_had_and_end(tmp_path: Path) -> None:
    """Nobody has to wait for their leases, and no attempt is counted against their trials."""
    script, path = tmp_path / "search.py", str(tmp_path / "a.db")
    script.write_text(SEARCH)
    driver = subprocess.Popen([sys.executable, str(script), path])
    with open_catalog(path) as catalog:
        while not (catalog.exists("s") and catalog.open("s").info.epochs):
            assert driver.poll() is None
            time.sleep(0.05)
        store = catalog.open("s")
        held = {row[0] for row in leases(store)}
        driver.kill()
        driver.wait()
        while leases(store):
            time.sleep(0.05)
        assert {m.attempts for t in store.load_history().trials for m in t.members} == {0}
        while not all(is_dead(name) for name in held):
            time.sleep(0.05)
    assert held


def leases(store: SqlStore) -> list[Any]:
    with store._database.reading() as cursor:
        return store._leases(cursor)


@posix
def test_a_worker_that_is_told_to_go_gives_its_work_back_with_a_checkpoint() -> None:
    command = [sys.executable, str(Path(__file__).with_name("crowd.py")), "dismissed"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["code"] == 0
    assert found["left"] == "it was interrupted"
    assert found["held"] == 0
    assert found["checkpoint"] == found["epoch"] > 0
