"""Independent draws."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import KW_ONLY, dataclass

import numpy as np

from dialed.search._candidates import starts
from dialed.search._draws import drawn, nothing_left
from dialed.search._tried import tried
from dialed.search.decisions import Decision, Finish
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import Values

__all__ = ["Random"]


@dataclass(frozen=True, slots=True)
class Random:
    """Draws each hyperparameter uniformly on its own scale, and nothing twice.

    Choose it as the reference for other strategies, or with very many workers. `Sobol` covers the same space more
    evenly. A finite space is exhausted: the search ends when everything has been tried.

    Args:
        default_first: Whether the default configuration goes first, as the baseline. Defaults to True.

    Example:
        >>> from dialed.space import Hyperparameter, Int, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter("units", Int(1, 4))])
        >>> history = simulate(Random(), space, lambda values: values["units"])
        >>> sorted(trial.values["units"] for trial in history.trials)
        [1, 2, 3, 4]

    References:
        Bergstra and Bengio 2012, "Random search for hyper-parameter optimization".
    """

    _: KW_ONLY
    default_first: bool = True

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """Draws that differ from all that was tried, and from each other."""
        if free < 1:
            return []
        known = tried(space, history)
        chosen: dict[Hashable, Values] = {}
        if self.default_first and known.default_key not in known:
            chosen[known.default_key] = space.default_values()
        while len(chosen) < free and (keyed := drawn(known, chosen, history, rng)):
            key, values = keyed
            chosen[key] = values
        return starts(chosen.values(), history) or [Finish(reason=nothing_left(known))]
