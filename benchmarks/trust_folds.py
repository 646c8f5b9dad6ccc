"""Races of folds, simulated: how often a candidate is given up wrongly, and how many folds are saved.

    python benchmarks/trust_folds.py

Scores are a candidate's worth, plus what a fold does to all, plus noise of standard deviation 1 on each fold; each
candidate is compared with the best so far, whose luck makes it look better than it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from dialed.study.fold_race import FIRST, behind_level

__all__ = ["Raced", "behind", "raced"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raced:
    """Over many studies: the part of those that lose their best candidate, of the candidates as good as the best so far
    that are given up, and of all folds that are trained."""

    best_lost: float
    equals_lost: float
    trained: float


def behind(gains: Array, *, folds: int) -> NDArray[np.bool_]:
    """Whether each candidate is given up; `gains` has shape `(candidates, folds so far)`."""
    count = gains.shape[1]
    error = gains.std(axis=1, ddof=1) * (1.0 / count + 1.0 / (folds - 1)) ** 0.5
    found: NDArray[np.bool_] = gains.mean(axis=1) > stdtrit(count - 1, behind_level(folds)) * error
    return found


def raced(rng: np.random.Generator, *, studies: int, candidates: int, folds: int, spread: float) -> Raced:
    """Race candidates whose worth has a standard deviation of `spread`."""
    worth = spread * rng.normal(size=(studies, candidates))
    scores = worth[..., None] + 2 * rng.normal(size=(studies, 1, folds)) + rng.normal(size=(*worth.shape, folds))
    best, best_worth, rows = scores[:, 0].copy(), worth[:, 0].copy(), np.arange(studies)
    lost = np.zeros(studies, dtype=bool)
    equals = equals_lost = 0
    trained = float(studies * folds)
    for place in range(1, candidates):
        alive, had = np.ones(studies, dtype=bool), np.full(studies, FIRST)
        for count in range(FIRST, folds):
            alive &= ~behind(best[:, :count] - scores[:, place, :count], folds=folds)
            had = np.where(alive, count + 1, had)
        trained += float(had.sum())
        lost |= (worth.argmax(axis=1) == place) & ~alive
        as_good = worth[:, place] >= best_worth
        equals, equals_lost = equals + int(as_good.sum()), equals_lost + int((as_good & ~alive).sum())
        better = rows[alive & (scores[:, place].mean(axis=1) > best.mean(axis=1))]
        best[better], best_worth[better] = scores[better, place], worth[better, place]
    return Raced(
        best_lost=float(lost.mean()),
        equals_lost=equals_lost / max(equals, 1),
        trained=trained / (studies * candidates * folds),
    )


def main() -> None:
    """Print a table."""
    print("folds  spread  best lost  as good, lost  folds trained")
    for folds in (5, 10):
        for spread in (0.0, 0.5, 1.0, 3.0):
            said = raced(np.random.default_rng(0), studies=2000, candidates=30, folds=folds, spread=spread)
            lost = "     -" if spread == 0 else f"{100 * said.best_lost:4.1f} %"
            shown = f"{100 * said.equals_lost:11.1f} %  {100 * said.trained:11.0f} %"
            print(f"{folds:5}  {spread:6}     {lost}  {shown}")


if __name__ == "__main__":
    main()
