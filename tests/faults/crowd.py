"""A crowd on one study, for the fault tests: a driver and workers, each a fork that can be killed at any instant.

`python crowd.py SEEDS...` prints what became of each seed as one line of JSON. Forking from a process that has imported
everything makes a life in a millisecond, so that very many can end.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import dialed
from dialed.clock import SystemClock
from dialed.engine.movable import Part
from dialed.engine.protocol import Batch, OnReport
from dialed.errors import DialedError, StudyError
from dialed.events import Built, Saved, WorkerLeft
from dialed.executor import Deadline
from dialed.store import Checkpoints, open_catalog
from dialed.store import checkpoints as checkpoint_files
from dialed.store.sql import SqlStore
from dialed.study import joining
from dialed.study.joining import Joining
from dialed.trial import Member, Outcome, Report, State

TRIALS, EPOCHS, WORKERS, KILLS = 4, 4, 2, 6
SPACE = {"x": dialed.Float(0.0, 1.0)}
joining.LOOK_SECONDS = 0.03  # lives are short here


class Summing:
    """An engine whose state is a sum: after `n` epochs it is n * x, whatever happened on the way."""

    def __init__(self, folder: Path) -> None:
        self.checkpoints = Checkpoints(folder)

    @property
    def parts(self) -> Sequence[Part]:
        return ()

    def __call__(self, deadline: Deadline) -> Summing:
        return self

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        return [Batch(members=(member,), program="sum") for member in members]

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        for member in members:
            yield self._trained(member, until, on_report)

    def _trained(self, member: Member, until: int, on_report: OnReport) -> Outcome:
        total, last = 0.0, member.checkpoint
        if last is not None:
            arrays, _ = self.checkpoints.load(last)
            total = float(arrays["sum"])
        on_report(Built(trial=member.key.trial, values=member.values, engine="sum"))
        epoch, paused = member.epoch, False
        while epoch < until and not paused:
            time.sleep(0.002)
            epoch, total = epoch + 1, total + float(member.values["x"])  # type: ignore[arg-type]
            try:
                paused = on_report(Report(key=member.key, epoch=epoch, metrics={"objective": total}))
            finally:  # what was counted is written down, whatever interrupts it
                last = self.checkpoints.save(member.key, epoch, "last", {"sum": np.array(total)}, {"epoch": epoch})
                on_report(Saved(key=member.key, kind="last", checkpoint=last))
        return Outcome(key=member.key, state=State.PAUSED, epoch=epoch, last=last)


def drive(path: str, name: str) -> None:
    dialed.optimize(
        lambda hp: 0.0,  # never called here: the workers bring their own engine
        space=SPACE, name=name, store=path, strategy="random", max_trials=TRIALS, epochs=EPOCHS, seed=5, workers=0,
        verbose=0,
    )  # fmt: skip


def work(path: str, name: str) -> None:
    store = there(path, name)
    engine = Summing(store.artifacts)
    Joining(store=store, make_engine=engine, lanes=1, clock=SystemClock(), idle_seconds=30.0).work()


@cache
def there(path: str, name: str) -> SqlStore:
    """The study, opened once and inherited by every fork; raises while there is none."""
    return open_catalog(path).open(name)


def die_in_commit(chance: random.Random) -> None:
    """Let the process die in the middle of a transaction: rows are written, and not committed."""
    left, write = chance.randint(1, 12), SqlStore._write

    def deadly(self: SqlStore, cursor: Any, draft: Any) -> int:
        nonlocal left
        found = write(self, cursor, draft)
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    SqlStore._write = deadly  # type: ignore[method-assign]


def die_in_checkpoint(chance: random.Random) -> None:
    """Let the process die in the middle of a checkpoint's file."""
    left, plain = chance.randint(1, 6), checkpoint_files._write_file

    def deadly(path: Path, arrays: Any, meta: Any) -> tuple[int, str]:
        nonlocal left
        left -= 1
        if not left:
            path.write_bytes(b"half of a checkp")
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(path, arrays, meta)

    checkpoint_files._write_file = deadly


def fill_disk(chance: random.Random) -> None:
    """Let no file of the process grow beyond a few bytes: its checkpoints find no space."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


ENDS: Sequence[Callable[[random.Random], object] | None] = (None, die_in_commit, die_in_checkpoint, fill_disk)


def life(task: Callable[[str, str], None], path: str, name: str, end: Callable[[], object] | None) -> int:
    """Begin a life in a fork; its number."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            if end is not None:
                end()
            task(path, name)
            code = 0
        except DialedError:
            code = 2
        finally:
            os._exit(code)
    return pid


def disturbed(path: str, name: str, seed: int) -> Counter[str]:
    """Let a crowd search, and kill its lives at random until it is done; how they ended."""
    chance, fates = random.Random(seed), Counter[str]()
    lives: dict[int, str] = {life(drive, path, name, None): "driver"}
    begun = 0
    while True:
        if "driver" not in lives.values():
            lives[life(drive, path, name, None)] = "driver"
        while len(lives) < 1 + WORKERS and _is_there(path, name):
            end = chance.choice(ENDS) if begun < KILLS else None
            begun += 1
            lives[life(work, path, name, None if end is None else partial(end, chance))] = "worker"
        time.sleep(chance.uniform(0.01, 0.1))
        if fates["driver killed"] + fates["worker killed"] < KILLS:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(list(lives)), signal.SIGKILL)
        done = _reap(lives, fates)
        if done:
            return fates


def _is_there(path: str, name: str) -> bool:
    try:
        there(path, name)
    except StudyError:
        return False
    return True


def _reap(lives: dict[int, str], fates: Counter[str]) -> bool:
    """Count the lives that ended; whether the driver came to its own end."""
    done = False
    for pid in list(lives):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            kind = lives.pop(pid)
            fates[f"{kind} {'killed' if os.WIFSIGNALED(status) else 'ended'}"] += 1
            done = done or (kind == "driver" and os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0)
    if done:
        for pid in lives:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return done


def history(path: str, name: str) -> list[Any]:
    """All that must not depend on who died when: values, states, and every epoch's metrics, once each and in order."""
    study = dialed.load(name, path)
    return [
        (t.number, dict(t.values), str(t.state), t.score, [(r.epoch, dict(r.metrics)) for r in study.history(t)])
        for t in study.trials
    ]


def dismissed() -> None:
    """Tell a worker to go in the middle of a member, as clusters do; print what became of that."""
    from dialed.cli.worker import dismissable

    def work_until_told(path: str, name: str) -> None:
        with dismissable():
            work(path, name)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.db")
        with open_catalog(path) as catalog:
            driver = life(drive, path, "crowd", None)
            while not catalog.exists("crowd"):
                time.sleep(0.01)
            worker = life(work_until_told, path, "crowd", lambda: setattr(time, "sleep", _slowly))
            store = catalog.open("crowd")
            while (row := store.trial_row(0)) is None or row.members[0].last is None:
                time.sleep(0.01)
            os.kill(worker, signal.SIGTERM)  # in the long wait before the next epoch
            code = os.WEXITSTATUS(os.waitpid(worker, 0)[1])
            os.kill(driver, signal.SIGKILL)
            os.waitpid(driver, 0)
            [left] = [r.event.reason for r in store.history() if isinstance(r.event, WorkerLeft)]
            member = store.load_history().trial(0).members[0]
            with store._database.reading() as cursor:
                held = len(store._leases(cursor))
            last = None if member.last is None else member.last.epoch
            print(json.dumps({"code": code, "left": left, "held": held, "epoch": member.epoch, "checkpoint": last}))


def _slowly(seconds: float) -> None:
    """Stands for `time.sleep` where an epoch is to take long enough to be interrupted in."""
    threading.Event().wait(seconds * 1000)


def main(seeds: Sequence[int]) -> None:
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.db")
            open_catalog(path).close()
            fates = disturbed(path, "crowd", seed)
            print(json.dumps({"seed": seed, "fates": fates, "history": history(path, "crowd")}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["dismissed"]:
        dismissed()
    else:
        main([int(seed) for seed in sys.argv[1:]])
