"""Evenly spread points."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import NDArray

from dialed.errors import SpaceError
from dialed.search._candidates import Candidates, from_default, start_untried
from dialed.search._tried import recall, tried
from dialed.search.decisions import Decision
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import Values

__all__ = ["Sobol", "evenly"]

MOST_DIMENSIONS = 21_201
"""Direction numbers exist for so many (Joe and Kuo 2008)."""

BITS = 30
"""Resolution of a point; the sequence ends after `2**BITS` points."""

BLOCK = 64
"""Points computed at once; a power of two, which keeps the sequence balanced."""

REPEATS = 256
"""Points in a row that repeat earlier ones, after which what is left of a finite space is listed instead."""

OPEN_REPEATS = 10_000
"""The same where the space is infinite, and only a finite part of it can repeat."""


@dataclass(frozen=True, slots=True)
class Sobol:
    """Takes the points of a scrambled Sobol sequence: as unpredictable as `Random`, but without its gaps and clusters.

    Choose it for a first look at a space, in place of a grid over more than two or three hyperparameters. The k-th
    point depends on the space, the study's seed and k only, not on results. Points that give a configuration a second
    time are skipped, and a finite space is exhausted. When the space grows, its sequence begins anew.

    Args:
        scramble: Whether the sequence is randomised by the study's seed (Owen's scrambling, as a random linear matrix
            and a shift). Without it every study gets the same points, the first being the low end of every range.
            Defaults to True.
        default_first: Whether the default configuration goes first, as the baseline. Defaults to True.

    Example:
        >>> from dialed.space import Float, Hyperparameter, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter("rate", Float(0.0, 1.0))])
        >>> history = simulate(Sobol(scramble=False), space, lambda values: values["rate"], max_trials=5)
        >>> [trial.values["rate"] for trial in history.trials]
        [0.0, 0.5, 0.75, 0.25, 0.375]

    References:
        Sobol' 1967; Joe and Kuo 2008, "Constructing Sobol sequences with better two-dimensional projections";
        Matousek 1998, "On the L2-discrepancy for anchored boxes" (the scrambling).
    """

    _: KW_ONLY
    scramble: bool = True
    default_first: bool = True

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """The next points of the sequence that are untried."""
        seed = history.terms.seed
        candidates = recall(history, "sobol", space, self, lambda: Candidates(self._sequence(space, seed)))
        known = tried(space, history)
        reason = "its sequence has ended"
        if known.size is not None:
            reason = f"all {known.size} configurations of the space have been tried"
        return start_untried(candidates, known, history, free, reason=reason)

    def _sequence(self, space: Space, seed: int) -> Iterator[Values]:
        return from_default(space, evenly(space, seed, scramble=self.scramble), default_first=self.default_first)


def evenly(
    space: Space,
    seed: int,
    *,
    scramble: bool = True,
    moved: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
) -> Iterator[Values]:
    """Configurations all over the space, each once; of a finite space all, in the end.

    Args:
        space: Which they are of.
        seed: Randomises the sequence, with `scramble`.
        scramble: Whether it does. Defaults to True.
        moved: Moves each point, shape `(len(space),)`, before it is decoded. Defaults to none being moved.
    """
    points = _points(space, seed, scramble)
    return _distinct(space, points if moved is None else map(moved, points))


def _points(space: Space, seed: int, scramble: bool) -> Iterator[NDArray[np.float64]]:
    """The points of the sequence, each of shape `(len(space),)`."""
    if len(space) > MOST_DIMENSIONS:
        raise SpaceError(
            f"A space for Sobol must have at most {MOST_DIMENSIONS} hyperparameters. Got {len(space)}. "
            "Take the strategy 'random'."
        )
    return _blocks(len(space), seed, scramble)


def _blocks(dimensions: int, seed: int, scramble: bool) -> Iterator[NDArray[np.float64]]:
    from scipy.stats.qmc import Sobol as Engine

    if dimensions == 0:
        yield np.empty(0)
        return
    engine = Engine(dimensions, scramble=scramble, bits=BITS, seed=np.random.default_rng(seed))
    for _ in range(2**BITS // BLOCK):
        yield from engine.random(BLOCK)


def _distinct(space: Space, points: Iterator[NDArray[np.float64]]) -> Iterator[Values]:
    """The configurations at the points, each once, and then what the points left out of a finite space."""
    finite = space.size() is not None
    seen: set[Hashable] = set()
    repeats = 0
    for point in points:
        values = space.decode(point)
        key = space.key(values)
        repeats = repeats + 1 if key in seen else 0
        if key not in seen:
            seen.add(key)
            yield values
        elif repeats >= (REPEATS if finite else OPEN_REPEATS):
            break
    if finite:
        yield from (values for values in space.enumerate() if space.key(values) not in seen)
