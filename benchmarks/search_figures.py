"""What a search is held to besides regret: many trials at a time, failures, divergence, small spaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from search_problems import FOUR, GRID, clipped, diverging, edge, grid
from search_runs import Search, measure
from search_tables import Task

from dialed.search.protocol import Strategy
from dialed.testing.simulate import simulate
from dialed.trial import Values

__all__ = ["batches", "divergence", "extra_trials", "failures", "repeats"]

NEAR, MOST = 0.02, 40
"""A loss of a twenty-seventh of what a median configuration of the bowl has, and the trials that are given to get there."""

Make = Callable[[], Strategy]


def batches(
    search: Search, problems: Sequence[Task], *, seeds: Sequence[int], trials: int, sizes: Sequence[int] = (8, 32)
) -> dict[int, NDArray[np.float64]]:
    """Mean regret after each trial, shape `(trials,)`, by how many run at a time; one at a time first."""
    curves = {}
    runs = {free: measure({"": search}, problems, seeds=seeds, trials=trials, free=free) for free in (1, *sizes)}
    by_name = {task.name: task for task in problems}  # after all of them: each may have found a better best
    for free, of_size in runs.items():
        curves[free] = np.mean([run.regrets(by_name[run.task], trials) for run in of_size], axis=0)
    return curves


def extra_trials(single: NDArray[np.float64], several: NDArray[np.float64], after: int) -> float:
    """The share of trials that `several` takes beyond `after` to get where `single` is then; inf if it never does."""
    reached = np.flatnonzero(several <= single[after - 1])
    return float(reached[0] + 1) / after - 1.0 if len(reached) else float("inf")


def failures(make: Make, seeds: Sequence[int]) -> float:
    """The share of failed trials in the second half of 60, where half of the space fails and the best is at its edge."""
    histories = [simulate(make(), FOUR, edge, max_trials=60, seed=seed) for seed in seeds]
    return float(np.mean([trial.score is None for history in histories for trial in history.trials[30:]]))


def repeats(make: Make, seeds: Sequence[int]) -> int:
    """Trials of 96 that repeat another, or are missing, in a space of 96 configurations."""
    histories = [simulate(make(), GRID, grid, max_trials=120, seed=seed) for seed in seeds]
    return sum(96 - len({GRID.key(t.values) for t in h.trials}) + len(h) - 96 for h in histories)


def divergence(make: Make, seeds: Sequence[int]) -> tuple[float, float]:
    """The mean number of trials until the loss is below `NEAR`, where losses diverge and where they are clipped."""
    diverged, known = ([_needed(make(), objective, seed) for seed in seeds] for objective in (diverging, clipped))
    return float(np.mean(diverged)), float(np.mean(known))


def _needed(strategy: Strategy, objective: Callable[[Values], float], seed: int) -> int:
    """The number of the first trial that is near; one more than all where none is."""
    history = simulate(strategy, FOUR, objective, max_trials=MOST, seed=seed)
    near = [trial.number + 1 for trial in history.trials if trial.score is not None and trial.score < NEAR]
    return min(near, default=MOST + 1)
