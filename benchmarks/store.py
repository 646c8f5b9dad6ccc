"""What it costs to remember and to decide, beside Optuna in the same run: `python benchmarks/store.py`.

CPU seconds, not those of the clock, so that a busy machine changes little; but for reports a second of many processes.
Rows can be chosen: `python benchmarks/store.py loop virtual`.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dialed
from dialed.clock import SystemClock
from dialed.events import Event, TrialStarted
from dialed.search import ASHA, Auto, Random, Strategy, Terms
from dialed.space import Float, Hyperparameter, Int, Space
from dialed.store import SqlStore, open_catalog
from dialed.testing import Crew, VirtualTime
from dialed.trial import MemberKey, Objective, Outcome, Report, State, Values

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=20)
SPACE = Space(
    [
        Hyperparameter("rate", Float(1e-4, 1.0, sampling="log")),
        Hyperparameter("drop", Float(0.0, 0.9)),
        Hyperparameter("layers", Int(1, 6)),
    ]
)
Row = tuple[str, str, str]


class Processor(SystemClock):
    """Seconds of this process's CPU: a busy machine does not make them longer."""

    def monotonic(self) -> float:
        return time.process_time()


def timed(do: Callable[[], object]) -> float:
    """CPU seconds."""
    began = time.process_time()
    do()
    return time.process_time() - began


def memory() -> float:
    """The most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def loop(folder: Path) -> Iterator[Row]:
    """The whole loop: decide, store, evaluate a function that costs nothing, store."""

    def function(hp: dialed.HyperParameters) -> float:
        return float(hp.Float("x", 0.0, 1.0) + hp.Float("y", 0.0, 1.0))

    def search(trials: int) -> None:
        store, name = str(folder / "loop.db"), f"of {trials}"
        dialed.optimize(function, strategy="random", max_trials=trials, seed=1, store=store, name=name, verbose=0)

    search(50)
    ours = timed(lambda: search(1000)) / 1000
    yield "decide and store a trial, Random, SQLite", f"{1e3 * ours:.2f} ms", optuna_loop(folder)


def optuna_loop(folder: Path) -> str:
    """The same by Optuna, with fewer trials: it takes longer."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=1)
    study = optuna.create_study(storage=f"sqlite:///{folder / 'optuna.db'}", sampler=sampler)

    def function(trial: optuna.Trial) -> float:
        return trial.suggest_float("x", 0.0, 1.0) + trial.suggest_float("y", 0.0, 1.0)

    study.optimize(function, n_trials=5)
    return f"{1e3 * timed(lambda: study.optimize(function, n_trials=50)) / 50:.1f} ms"


def started(number: int) -> TrialStarted:
    values = {"rate": 1e-3, "drop": number % 97 / 100, "layers": 1 + number % 6}
    return TrialStarted(trial=number, values=values, until=20, epochs=20, seeds=(0,))


def writers(folder: Path, *, processes: int = 64, lanes: int = 8) -> Iterator[Row]:
    """Many processes on one file, each with the lanes of a program: 20 reports a trial, a transaction an epoch."""
    path = folder / "writers.db"
    with open_catalog(path) as catalog:
        catalog.create("study", TERMS, {}).append([started(n) for n in range(processes * lanes)])
    began, children = time.monotonic(), [os.fork() for _ in range(processes) if os.getpid() == PARENT]
    if os.getpid() != PARENT:
        report(path, lanes)
        os._exit(0)
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    took = time.monotonic() - began
    reports = processes * lanes * 20
    yield f"{processes} processes on one SQLite file", f"{reports / took:,.0f} reports/s, {failed} errors", ""


def report(path: Path, lanes: int) -> None:
    """What one process writes."""
    with open_catalog(path) as catalog:
        store, worker = catalog.open("study"), f"elsewhere:{os.getpid()}:x"
        keys = [leased.member.key for leased in store.lease(worker, limit=lanes, seconds=600)]
        for epoch in range(1, 21):
            reports = [Report(key=key, epoch=epoch, metrics={"loss": 1.0 / epoch, "val": 0.5}) for key in keys]
            store.append(reports, worker=worker)
        store.append([Outcome(key=key, state=State.PAUSED, epoch=20) for key in keys], worker=worker)


def large(folder: Path, *, trials: int = 100_000) -> Iterator[Row]:
    """A study of many trials: opened, asked for its best, and read whole."""
    path = folder / "large.db"
    with open_catalog(path) as catalog:
        store = catalog.create("study", TERMS, {})
        for first in range(0, trials, 2000):
            store.append([event for n in range(first, first + 2000) for event in whole(n)])
    found: list[SqlStore] = []
    catalog = open_catalog(path)
    yield f"open a study of {trials:,} trials", f"{timed(lambda: found.append(catalog.open('study'))):.3f} s", ""
    yield "its best trial", f"{1e3 * timed(found[0].best_row):.1f} ms", ""
    before = memory()
    yield "its whole history", f"{timed(found[0].load_history):.1f} s, {memory() - before:.0f} MB", ""
    catalog.close()


def whole(number: int) -> list[Event]:
    """All that happens to a trial of one report."""
    key = MemberKey(number, 0, 0)
    told = Report(key=key, epoch=20, metrics={"loss": (number * 7919 % 100_003) / 1e5})
    return [started(number), told, Outcome(key=key, state=State.PAUSED, epoch=20)]


def virtual(folder: Path) -> Iterator[Row]:
    """Ten thousand workers and a million reports."""
    terms = Terms(objective=TERMS.objective, epochs=20, max_trials=50_000)
    crew = Crew(workers=10_000, stragglers=0.05, jitter=0.2, deaths_per_hour=1.0)
    search = VirtualTime(Random(), SPACE, curve, crew=crew, terms=terms, seconds=lambda values: 10.0)
    before = memory()
    took = timed(search.run)
    run = search.run()
    yield (
        f"virtual time: 10,000 workers, {run.reports:,} reports",
        f"{took:.0f} s, {memory() - before:.0f} MB for {len(run.history):,} trials",
        "",
    )


def busy(folder: Path) -> Iterator[Row]:
    """How busy a strategy keeps a thousand workers, when decisions take the time that they take here."""
    for strategy in (ASHA(), Auto()):
        yield f"utilisation of 1,000 workers, {type(strategy).__name__}", utilisation(strategy), ""


def utilisation(strategy: Strategy, *, minutes: float = 30.0) -> str:
    """An epoch takes half a minute, as the smallest training worth a cluster does."""
    terms = Terms(objective=TERMS.objective, epochs=20, max_seconds=60 * minutes)
    crew = Crew(workers=1000, stragglers=0.05, jitter=0.2)
    search = VirtualTime(strategy, SPACE, curve, crew=crew, terms=terms, seconds=lambda values: 30.0, timer=Processor())
    run = search.run(until=60 * minutes)
    return f"{100 * run.utilisation:.1f} % over {minutes:.0f} minutes, {len(run.history):,} trials"


def curve(values: Values) -> list[float]:
    """A surrogate of a training."""
    floor = abs(int(values["layers"] or 1) - 3) / 10 + abs(float(values["drop"] or 0.0) - 0.3)
    return [floor + (1.0 + float(values["rate"] or 0.0)) / (epoch + 1) for epoch in range(20)]


PARENT = os.getpid()
ROWS = {row.__name__: row for row in (loop, writers, large, virtual, busy)}


def main() -> None:
    """Print a row after the other, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which rows; all by default")
    chosen = parser.parse_args().rows or list(ROWS)
    print("| What | Dialed | Optuna |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            for what, ours, theirs in ROWS[name](Path(folder)):
                print(f"| {what} | {ours} | {theirs} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
