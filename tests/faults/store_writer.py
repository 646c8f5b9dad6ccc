"""Children of a process that forks, for the fault tests of the store: each `python store_writer.py TASK ...`.

Forking from a process that has imported the store already makes a child in a millisecond, so that many can be killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from dialed.errors import DialedError, LeaseLostError
from dialed.events import Built, Saved, TrialStarted
from dialed.search.history import Terms
from dialed.store import Checkpoints, Leased, SqlStore, open_catalog, worker_id
from dialed.trial import MemberKey, Objective, Outcome, Report, State

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=3)


def start(trial: int, until: int = 3) -> TrialStarted:
    return TrialStarted(trial=trial, values={"x": trial}, until=until, epochs=until, seeds=(0,))


def train(store: SqlStore, lease: Leased, worker: str, acknowledge: int) -> None:
    """Go on from the member's checkpoint, which holds the sum of the epochs so far; save it after each epoch."""
    checkpoints, key = Checkpoints(store.artifacts), lease.member.key
    total = 0.0
    if lease.member.checkpoint is not None:
        arrays, meta = checkpoints.load(lease.member.checkpoint)
        total = float(arrays["sum"])
        assert meta["epoch"] == lease.member.epoch
    store.append([Built(trial=key.trial, values={"x": key.trial})], worker=worker)
    last = lease.member.checkpoint
    for epoch in range(lease.member.epoch + 1, lease.until + 1):
        total += epoch
        last = checkpoints.save(key, epoch, "last", {"sum": np.array(total)}, {"epoch": epoch})
        report = Report(key=key, epoch=epoch, metrics={"loss": total})
        cursor = store.append([report, Saved(key=key, kind="last", checkpoint=last)], worker=worker)
        os.write(acknowledge, f"{cursor}\n".encode())
    store.append([Outcome(key=key, state=State.PAUSED, epoch=lease.until, last=last)], worker=worker)


def work(path: Path, trials: int, acknowledge: int) -> None:
    """Train until `trials` trials are over."""
    with open_catalog(path) as catalog:
        store, worker = catalog.open("study"), worker_id()
        while True:
            leases = store.lease(worker, limit=2, seconds=60)
            if not leases:
                begun = store.info.trials
                if begun >= trials:
                    return
                leases = store.begin([start(begun)], worker=worker, limit=1, seconds=60)
            for lease in leases:
                train(store, lease, worker, acknowledge)


def kill_often(path: Path, trials: int, seed: int) -> None:
    """Kill writers at random instants until one gets to the end; print how many died."""
    rng = random.Random(seed)
    with open_catalog(path) as catalog:
        catalog.create("study", TERMS, {})
    kills = known = 0
    ended = False
    while not ended:
        reader, acknowledge = os.pipe()
        child = os.fork()
        if child == 0:
            work(path, trials, acknowledge)
            os._exit(0)
        os.close(acknowledge)
        # A life lasts a few epochs and a moment. One in eight is over before its first epoch: more in a row than a
        # member is tried again would be no fault of the store.
        text = listen(reader, 0 if rng.random() < 1 / 8 else rng.randint(1, 7))
        time.sleep(rng.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        text += listen(reader, 1_000_000)
        os.close(reader)
        ended = os.WIFEXITED(os.waitpid(child, 0)[1])
        kills += not ended
        known = max([known, *map(int, text.split())])
        with open_catalog(path) as catalog:  # whatever was said to be stored is there
            found = catalog.open("study").history(known - 1)
            assert known == 0 or found[0].cursor == known, "an acknowledged event is lost"
    print(json.dumps({"kills": kills}))


def listen(reader: int, lines: int) -> bytes:
    """Read so many lines, or as many as come before the writer is gone."""
    text = b""
    while text.count(b"\n") < lines and (more := os.read(reader, 64)):
        text += more
    return text


def drain(path: Path, processes: int) -> None:
    """Let many processes take members at once; print what each got."""
    in_children(processes, lambda: take_all(path))


def take_all(path: Path) -> list[int]:
    got = []
    with open_catalog(path) as catalog:
        store, worker = catalog.open("study"), worker_id()
        while leases := store.lease(worker, limit=3, seconds=60):
            got += [lease.member.key.trial for lease in leases]
            for lease in leases:
                store.append([Outcome(key=lease.member.key, state=State.COMPLETED, epoch=0)], worker=worker)
    return got


def report_all(path: Path, processes: int, trials: int, reports: int) -> None:
    """Let many processes start trials and report at once; print how many reports each made and the seconds it took."""
    in_children(processes, lambda: report_many(path, trials, reports))


def report_many(path: Path, trials: int, reports: int) -> list[float]:
    started = time.perf_counter()
    with open_catalog(path) as catalog:
        store, worker = catalog.create(worker_id(), TERMS, {}), worker_id()
        for trial in range(trials):
            store.begin([start(trial, reports)], worker=worker, limit=1, seconds=60)
            for epoch in range(1, reports + 1):
                report = Report(key=MemberKey(trial, 0, 0), epoch=epoch, metrics={"loss": 1 / epoch})
                store.append([report], worker=worker)
    return [time.perf_counter() - started]


def in_children(count: int, task: object) -> None:
    """Run the task in `count` forked processes at once, and print their results as one JSON list."""
    gate_reader, gate = os.pipe()
    readers = []
    for _ in range(count):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.read(gate_reader, 1)
            os.write(writer, json.dumps(task()).encode())  # type: ignore[operator]
            os._exit(0)
        os.close(writer)
        readers.append(os.fdopen(reader))
    os.write(gate, b"x" * count)
    results = [reader.read() for reader in readers]
    codes = [os.wait()[1] for _ in range(count)]
    assert not any(codes), codes
    print(json.dumps([json.loads(result) for result in results]))


def fill(path: Path, megabytes: float) -> None:
    """Write until no file may grow any more, then go on in a larger space; print what was said and what was stored."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    with open_catalog(path) as catalog:
        store, said, stored = catalog.create("study", TERMS, {}), "", 0
        checkpoints = Checkpoints(store.artifacts)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(megabytes * 1e6), hard))
        try:
            while True:
                stored = store.append([start(stored)])
        except DialedError as error:
            said = f"{type(error).__name__}: {error}"
        try:
            checkpoints.save(MemberKey(0, 0, 0), 1, "last", {"a": np.zeros(int(megabytes * 1e6))}, {})
        except DialedError as error:
            checkpoint_said = f"{type(error).__name__}: {error}"
        left = [file.name for file in store.artifacts.iterdir()]
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        again = store.append([start(stored)])
    print(json.dumps({"said": said, "stored": stored, "again": again, "checkpoint": checkpoint_said, "left": left}))


def write_as_nobody(path: Path) -> None:
    """Try to write what another user owns, with the rights of nobody; print what was said."""
    with open_catalog(path) as catalog:
        catalog.create("study", TERMS, {}).append([start(0)])
    path.chmod(0o444)
    path.parent.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        with open_catalog(path) as catalog:
            catalog.open("study").append([start(1)])
    except DialedError as error:
        print(json.dumps(f"{type(error).__name__}: {error}"))
    if os.getuid() == 0:
        os.seteuid(0)
    path.parent.chmod(0o755)


def lose_lease(path: Path) -> None:
    """Hold a lease that somebody else has taken over by now; print how many reports went through before it was told."""
    with open_catalog(path) as catalog:
        store, worker = catalog.open("study"), "slow"
        [lease] = store.lease(worker, limit=1, seconds=0.05)
        for epoch in range(1, 10_000):
            try:
                store.append([Report(key=lease.member.key, epoch=epoch, metrics={"loss": 1.0})], worker=worker)
            except LeaseLostError:
                print(json.dumps(epoch - 1))
                return
            time.sleep(0.02)


TASKS = {task.__name__: task for task in (kill_often, drain, report_all, fill, write_as_nobody, lose_lease)}

if __name__ == "__main__":
    name, file, *numbers = sys.argv[1:]
    TASKS[name](Path(file), *(float(n) if "." in n else int(n) for n in numbers))
