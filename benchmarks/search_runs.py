"""Searches over recorded trainings, one after the other, and a file that remembers those of others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from search_tables import Task

from dialed.trial import Values

__all__ = ["Measured", "Run", "Search", "measure"]


@dataclass(slots=True)
class Measured:
    """The losses of a search, as it asks for them, and the CPU seconds that they took."""

    task: Task
    tried: list[Values] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    spent: float = 0.0

    def __call__(self, values: Values) -> float:
        start = time.process_time()
        loss = self.task.measure(values, len(self.tried))
        self.tried.append(dict(values))
        self.losses.append(loss)
        self.spent += time.process_time() - start
        return loss


Search: TypeAlias = Callable[[Task, Measured, int, int, int], None]
"""Tries configurations of a task: so many trials, by a seed, with so many at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of one search: all that the tables need of it.

    Attributes:
        truths: After each trial, the noise-free loss of the configuration that looks best so far.
        found: The least noise-free loss of all that were tried.
        seconds: CPU time of the strategy itself.
    """

    strategy: str
    task: str
    family: str
    seed: int
    truths: list[float]
    found: float
    seconds: float

    def regrets(self, task: Task, trials: int) -> NDArray[np.float64]:
        """The regret after each trial, shape `(trials,)`; what ended early stays where it was."""
        regrets = [task.regret(truth) for truth in np.nan_to_num(self.truths, nan=task.median)]
        return np.array((regrets + regrets[-1:] * trials)[:trials])


def measure(
    searches: Mapping[str, Search],
    problems: Sequence[Task],
    *,
    seeds: Sequence[int],
    trials: int,
    free: int = 1,
    cache: Path | None = None,
    remembered: Sequence[str] = (),
) -> list[Run]:
    """Each strategy on each task with each seed. The best that anybody finds becomes the task's best.

    Args:
        searches: By the name of the strategy.
        problems: The tasks.
        seeds: Everybody searches with each.
        trials: Of each search.
        free: Trials at a time. Defaults to 1.
        cache: A JSON file with the runs of `remembered` strategies, which are not repeated; it grows with each new one.
        remembered: Names.
    """
    known: dict[str, dict[str, object]] = json.loads(cache.read_text()) if cache and cache.exists() else {}
    runs: list[Run] = []
    for seed in seeds:
        for task in problems:
            for name, search in searches.items():
                key = f"{name} | {task.name} | seed {seed} | {trials} trials, {free} at a time"
                run = Run(**known[key]) if key in known else _searched(name, search, task, seed, trials, free)  # type: ignore[arg-type]
                runs.append(run)
                if cache and name in remembered and key not in known:
                    known[key] = asdict(run)
                    cache.write_text(json.dumps(known))
    for task in problems:
        task.best = min(task.best, *(run.found for run in runs if run.task == task.name))
    return runs


def _searched(name: str, search: Search, task: Task, seed: int, trials: int, free: int) -> Run:
    measured = Measured(task)
    start = time.process_time()
    search(task, measured, trials, seed, free)
    seconds = time.process_time() - start - measured.spent
    truths = task.truth(measured.tried)
    known = np.nan_to_num(np.array(measured.losses), nan=np.inf)
    looks_best = [int(np.argmin(known[: i + 1])) for i in range(len(known))]
    return Run(
        strategy=name,
        task=task.name,
        family=task.family,
        seed=seed,
        truths=[float(truths[i]) for i in looks_best],
        found=float(np.nanmin(truths)),
        seconds=seconds,
    )
