"""How the next trial is chosen."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dialed.search.decisions import Decision
from dialed.search.history import History
from dialed.space import Space

__all__ = ["Strategy", "generator"]


class Strategy(Protocol):
    """Chooses what to train next: a pure function of the space, the history and the random generator.

    It may cache, if rebuilding the cache from the history gives the same decisions. It does no I/O and reads no clock.
    """

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """Return at most `free` decisions that need a place to train, and any number that do not.

        An empty list means "wait for what is running"; when nothing is running it ends the search, as `Finish` does.
        `rng` is seeded by the study's seed and the number of trials begun, so a resumed study decides as an
        undisturbed one would.
        """
        ...


def generator(history: History) -> np.random.Generator:
    """The random generator of the next decision: it follows from the study's seed and the number of trials begun."""
    return np.random.default_rng([history.terms.seed, len(history)])
