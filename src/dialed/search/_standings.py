"""Who stands where on the rungs, kept up to date as a history grows."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise, takewhile
from math import inf, isfinite

from dialed.search._rungs import given_up, loss_at, rests_below
from dialed.search.history import History
from dialed.trial import Objective, Trial

__all__ = ["Rung", "Standings"]


class Rung:
    """The trials on one rung, ranked by their loss there, the earlier one first on ties."""

    def __init__(self, epochs: int, above: int) -> None:
        self.epochs = epochs
        self.above = above
        self._losses: dict[int, float] = {}  # infinite where a trial cannot go on, or failed
        self._ranked: list[tuple[float, int]] = []
        self._resting: list[tuple[float, int]] = []  # those of them that wait to be trained on

    def __len__(self) -> int:
        """How many have come to this rung, those included that failed on their way."""
        return len(self._losses)

    def best_resting(self, quota: int, worth: Mapping[int, float] | None = None) -> Iterator[int]:
        """Of the best `quota` trials, those that wait to be trained on, the best first.

        Args:
            quota: How many count as the best.
            worth: Ranks them, the smallest first, instead of their losses.
        """
        if worth is None:
            last = self._ranked[min(quota, len(self._ranked)) - 1] if quota and self._ranked else (-inf, 0)
            return (number for _, number in takewhile(lambda entry: entry <= last, self._resting))
        ranked = sorted((worth.get(number, inf), number) for _, number in self._ranked)
        resting = {number for _, number in self._resting}
        left = quota - (len(self._ranked) - len(resting))  # a rank that changes promotes nobody twice over
        return islice((number for _, number in ranked[:quota] if number in resting), max(left, 0))

    def place(self, trial: Trial, objective: Objective) -> None:
        """Note what became of a trial, in place of what was known of it."""
        number = trial.number
        old = self._losses.pop(number, inf)
        if isfinite(old):
            _remove(self._ranked, (old, number))
            _remove(self._resting, (old, number))
        loss = loss_at(trial, self.epochs, objective)
        if loss is None:
            return
        self._losses[number] = inf if given_up(trial, self.above) else loss
        if isfinite(self._losses[number]):
            insort(self._ranked, (loss, number))
            if rests_below(trial, self.above):
                insort(self._resting, (loss, number))


def _remove(ranked: list[tuple[float, int]], entry: tuple[float, int]) -> None:
    """Take `entry` out of a sorted list, if it is there."""
    place = bisect_left(ranked, entry)
    if ranked[place : place + 1] == [entry]:
        del ranked[place]


class Standings:
    """All rungs but the last. It looks only at trials that have changed since the last time."""

    def __init__(self, ladder: Sequence[int]) -> None:
        self.rungs = [Rung(epochs, above) for epochs, above in pairwise(ladder)]
        self._seen = 0

    def read(self, history: History) -> Sequence[Rung]:
        """The rungs as they are now, the highest first."""
        for trial in history.changed_after(self._seen):
            for rung in self.rungs:
                rung.place(trial, history.objective)
        self._seen = history.version
        return self.rungs[::-1]
