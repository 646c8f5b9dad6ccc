"""What to take when nothing is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dialed.search._descent import Descent
from dialed.search._tried import tried
from dialed.search.decisions import Decision, Start
from dialed.search.grid import Grid
from dialed.search.history import History
from dialed.search.sobol import Sobol
from dialed.space import Space

__all__ = ["Auto"]

START = 8
"""Trials before it looks at results. In simulations on tables of recorded trainings, 5 to 20 did about equally well."""

POINTS = 5
"""At most how many values of a number are tried at a time."""


@dataclass(frozen=True, slots=True)
class Auto:
    """Chooses for you.

    - Where the study's `max_trials` allows for every combination, it tries all of them (`Grid`).
    - Else it begins with the defaults and an even picture of the space (`Sobol`), 8 trials in all; goes on from the
      best of them by changing one hyperparameter at a time (`OneAtATime`); and takes further points of the first
      sequence where places would stay free, and when no change improves anything. When one of them turns out better,
      it goes on from there.

    **The rule will change** as better strategies are added; name a strategy where a study must be repeated with a
    later version of Dialed.

    Example:
        >>> from dialed.space import Choice, Hyperparameter, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter("units", Choice([32, 64, 128]))])
        >>> history = simulate(Auto(), space, lambda values: values["units"], max_trials=10)
        >>> [trial.values["units"] for trial in history.trials]
        [32, 64, 128]
    """

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """What `Grid`, `Sobol` or `OneAtATime` would do."""
        size, most = tried(space, history).size, history.terms.max_trials
        if size is not None and most is not None and size <= most:
            return Grid().decide(space, history, rng, free)
        if len(history) < START:
            return Sobol().decide(space, history, rng, min(free, START - len(history)))
        descent = Descent(space, history, space.names, points=POINTS, start=history.trials[:START])
        steps = [decision for decision in descent.decide(free) if isinstance(decision, Start)]
        return [*steps, *_others(space, history, rng, free, steps)]


def _others(space: Space, history: History, rng: np.random.Generator, free: int, steps: list[Start]) -> list[Decision]:
    """Points of the sequence for the places that are left; its `Finish` only where there is nothing else."""
    if len(steps) >= free:
        return []
    taken = {space.key(step.values) for step in steps}
    points = Sobol().decide(space, history, rng, free)
    if steps:
        points = [point for point in points if isinstance(point, Start) and space.key(point.values) not in taken]
    return points[: free - len(steps)]
