"""What to take when nothing is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dialed.search._tried import tried
from dialed.search.decisions import Decision
from dialed.search.grid import Grid
from dialed.search.history import History
from dialed.search.sobol import Sobol
from dialed.space import Space

__all__ = ["Auto"]


@dataclass(frozen=True, slots=True)
class Auto:
    """Chooses for you: every combination where the study's `max_trials` allows for all of them, else `Sobol`.

    The rule looks at the space and the budget only, so it never depends on luck. Neither of the two learns from
    results yet. **The rule will change** as strategies that do are added; name a strategy where a study must be
    repeated with a later version of Dialed.

    Example:
        >>> from dialed.space import Choice, Hyperparameter, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter("units", Choice([32, 64, 128]))])
        >>> history = simulate(Auto(), space, lambda values: values["units"], max_trials=10)
        >>> [trial.values["units"] for trial in history.trials]
        [32, 64, 128]
    """

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """What `Grid` or `Sobol` would do."""
        size, most = tried(space, history).size, history.terms.max_trials
        chosen = Grid() if size is not None and most is not None and size <= most else Sobol()
        return chosen.decide(space, history, rng, free)
