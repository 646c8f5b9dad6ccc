"""Independent draws."""

from __future__ import annotations

from collections.abc import Container, Hashable
from dataclasses import KW_ONLY, dataclass
from typing import TypeAlias

import numpy as np

from dialed.search._candidates import Candidates, starts
from dialed.search._tried import Tried, recall, tried
from dialed.search.decisions import Decision, Finish
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import Values

__all__ = ["Random"]

DRAWS = 64
"""Failed draws after which a space counts as nearly exhausted. With a tenth of it left, one place in 850 gets there."""

OPEN_DRAWS = 10_000
"""The same where the space is infinite, and only a finite part of it can repeat."""

LISTED = 4096
"""Of a nearly exhausted space, so many untried configurations are listed to choose from."""

Keyed: TypeAlias = tuple[Hashable, Values]


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
        while len(chosen) < free and (drawn := _drawn(known, chosen, history, rng)):
            key, values = drawn
            chosen[key] = values
        return starts(chosen.values(), history) or [Finish(reason=_reason(known))]


def _drawn(known: Tried, chosen: Container[Hashable], history: History, rng: np.random.Generator) -> Keyed | None:
    """A new configuration from the space's own distribution, with its key; `None` when nothing is left."""
    for _ in range(OPEN_DRAWS if known.size is None else DRAWS):
        values = known.space.sample(rng)
        key = known.space.key(values)
        if key not in known and key not in chosen:
            return key, values
    return None if known.size is None else _listed(known, chosen, history, rng)


def _listed(known: Tried, chosen: Container[Hashable], history: History, rng: np.random.Generator) -> Keyed | None:
    """One of what is left of a finite space, all alike; `None` when nothing is."""
    space = known.space
    everything = recall(history, "random", space, None, lambda: Candidates(space.enumerate()))
    left = [keyed for keyed in everything.untried(known, LISTED).items() if keyed[0] not in chosen]
    return left[int(rng.integers(len(left)))] if left else None


def _reason(known: Tried) -> str:
    if known.size is None:
        return f"{OPEN_DRAWS} draws in a row gave nothing new"
    return f"all {known.size} configurations of the space have been tried"
