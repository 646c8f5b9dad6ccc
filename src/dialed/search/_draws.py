"""Draws from a space that repeat nothing."""

from __future__ import annotations

from collections.abc import Container, Hashable
from typing import TypeAlias

import numpy as np

from dialed.search._candidates import Candidates
from dialed.search._tried import Tried, recall
from dialed.search.history import History
from dialed.trial import Values

__all__ = ["drawn", "nothing_left"]

DRAWS = 64
"""Failed draws after which a space counts as nearly exhausted. With a tenth of it left, one place in 850 gets there."""

OPEN_DRAWS = 10_000
"""The same where the space is infinite, and only a finite part of it can repeat."""

LISTED = 4096
"""Of a nearly exhausted space, so many untried configurations are listed to choose from."""

Keyed: TypeAlias = tuple[Hashable, Values]


def drawn(known: Tried, chosen: Container[Hashable], history: History, rng: np.random.Generator) -> Keyed | None:
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


def nothing_left(known: Tried) -> str:
    """Why a search ends where `drawn` finds nothing."""
    if known.size is None:
        return f"{OPEN_DRAWS} draws in a row gave nothing new"
    return f"all {known.size} configurations of the space have been tried"
