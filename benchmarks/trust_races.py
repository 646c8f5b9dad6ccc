"""Thousands of confirmations at once, simulated from their scores on.

What `dialed.study.confirm` and `judge` do to one study is done here to many by arrays; `tests/claims/test_trust.py` holds
the two together. The defaults are contestant 0. Seeds move all contestants alike; what is left over scatters so that the
difference of two trainings has a standard deviation of 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from dialed.study.confirm import BESIDES, LEAST_REPEATS, MOST_REPEATS, MOST_SEEDS, ROUND, SHARE
from dialed.study.judge import BEHIND, MISSES, SURELY, low_level

__all__ = ["NOISE", "Told", "fresh_scores", "left_for", "raced"]

Array = NDArray[np.float64]

NOISE = 0.5**0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What each study says at its end; arrays of shape `(studies,)`.

    `winner` is a contestant, `mean`, `low` and `high` are its gain over the defaults; `told` where it is another than
    these. `seeds` are those of the winner, `spent` the trainings of all.
    """

    winner: NDArray[np.int64]
    told: NDArray[np.bool_]
    mean: Array
    low: Array
    high: Array
    seeds: NDArray[np.int64]
    spent: Array

    @property
    def called_better(self) -> NDArray[np.bool_]:
        """Where the winner is called better than the defaults."""
        return self.told & (self.low > 0)

    def covers(self, truth: Array | float) -> NDArray[np.bool_]:
        """Where the interval holds the true gain of the winner."""
        return (self.low <= truth) & (truth <= self.high)


def fresh_scores(rng: np.random.Generator, means: Array) -> Array:
    """Scores under each of the fresh seeds there may be, shape `(studies, contestants, seeds)`, for these true means."""
    shape = (*means.shape, MOST_SEEDS)
    return means[..., None] + rng.normal(size=(len(means), 1, MOST_SEEDS)) + NOISE * rng.normal(size=shape)


def raced(fresh: Array, *, searched: int | None = None, budget: int | None = None) -> Told:
    """Race the contestants of each study.

    Args:
        fresh: What `fresh_scores` gives.
        searched: After a search of so many trainings that no budget in epochs or time limits.
        budget: With a budget in epochs or time for so many trainings in all, instead: `SHARE` of it is the race's.
    """
    return _Races(fresh, BESIDES * (searched or 0) if budget is None else left_for(budget)).run()


def left_for(budget: int) -> int:
    """How many trainings a search leaves to its confirmation, of so many in all."""
    return budget - round(budget - SHARE * budget)


class _Races:
    def __init__(self, fresh: Array, budget: float) -> None:
        self.studies, self.count, _ = fresh.shape
        self.budget = budget
        gains = fresh[:, :, None] - fresh[:, None]
        self.sums = np.cumsum(fresh, axis=-1)
        self.gains, self.squares = np.cumsum(gains, axis=-1), np.cumsum(gains**2, axis=-1)
        begun = int(np.clip(budget / self.count, LEAST_REPEATS, MOST_REPEATS))
        self.most = np.full(self.studies, begun)
        self.seeds = np.full((self.studies, self.count), begun)
        self.spent = np.full(self.studies, float(begun * self.count))
        self.rows, self.contestants = np.arange(self.studies)[:, None], np.arange(self.count)[None]

    def run(self) -> Told:
        racing = np.ones((self.studies, self.count), dtype=bool)
        alive = np.ones(self.studies, dtype=bool)
        while alive.any():
            first = self._first(racing)
            mean, error = self._ahead(first, np.broadcast_to(self.most[:, None], racing.shape))
            racing = np.where(alive[:, None], racing & self._stays(first, mean, error), racing)
            left = racing.sum(axis=1)
            room = (self.budget - self.spent) // np.maximum(left, 1)
            more = np.minimum(np.minimum(ROUND, MOST_SEEDS - self.most), room).astype(int)
            alive &= ~self._decided(first, racing, mean, error) & (more >= 1)
            self.most = np.where(alive, self.most + more, self.most)
            self.spent = np.where(alive, self.spent + more * left, self.spent)
            self.seeds = np.where(alive[:, None] & racing, self.most[:, None], self.seeds)
        return self._told()

    def _first(self, racing: NDArray[np.bool_]) -> NDArray[np.int64]:
        totals = self.sums[self.rows, self.contestants, self.most[:, None] - 1]
        found: NDArray[np.int64] = np.where(racing, totals, -np.inf).argmax(axis=1)
        return found

    def _ahead(self, first: NDArray[np.int64], seeds: NDArray[np.int64]) -> tuple[Array, Array]:
        """How far the first is ahead of each, over so many seeds, and the standard error of that."""
        at = (self.rows, first[:, None], self.contestants, seeds - 1)
        mean = self.gains[at] / seeds
        variance = np.maximum(self.squares[at] - seeds * mean**2, 0.0) / (seeds - 1)
        return mean, np.sqrt(variance / seeds)

    def _stays(self, first: NDArray[np.int64], mean: Array, error: Array) -> NDArray[np.bool_]:
        limit = stdtrit(self.most - 1, (1 + BEHIND) / 2)[:, None]
        kept: NDArray[np.bool_] = (mean - limit * error <= 0) | (self.contestants == 0)
        return kept | (self.contestants == first[:, None])

    def _decided(
        self, first: NDArray[np.int64], racing: NDArray[np.bool_], mean: Array, error: Array
    ) -> NDArray[np.bool_]:
        left, limit = racing.sum(axis=1), stdtrit(self.most - 1, SURELY)
        surely: NDArray[np.bool_] = (first != 0) & racing[:, 0] & (mean[:, 0] - limit * error[:, 0] > 0)
        return (left < 2) | ((left == 2) & surely)

    def _told(self) -> Told:
        winner = self._first(self.seeds == self.most[:, None])
        mean, error = (part[:, 0] for part in self._ahead(winner, self.seeds))
        freedom = self.seeds[:, 0] - 1
        below = stdtrit(freedom, low_level(self.count - 1))
        above = stdtrit(freedom, 1 - MISSES / 2)
        return Told(
            winner=winner,
            told=winner != 0,
            mean=mean,
            low=mean - below * error,
            high=mean + above * error,
            seeds=self.most,
            spent=self.spent,
        )
