"""What fresh seeds say of the finalists: intervals, paired differences, and the probability of being the best.

Finalists are compared in pairs, under the seeds that both have finished; where a race stopped one early, it has fewer. With
folds, the trainings of one seed share most of their samples, so their differences vary less than those of fresh data
would: the variance of their mean is enlarged by the part of the data that is held out.

The winner is the best of several under the very seeds that judge it, which flatters it. So the lower ends of its gain and
of its leads are moved down until they hold for the best of so many (`low_level`); with a single finalist beside the
defaults nothing is moved.

References:
    Nadeau and Bengio 2003, "Inference for the generalization error" (overlapping training sets).
    Šidák 1967, "Rectangular confidence regions for the means of multivariate normal distributions".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dialed.trial import Objective

__all__ = [
    "Confirmation",
    "Finalist",
    "Interval",
    "Scores",
    "clearly_first",
    "in_play",
    "interval",
    "low_level",
    "verdict",
]

Array = NDArray[np.float64]

Scores: TypeAlias = Mapping[int, Mapping[int, Array]]
"""For each finalist by its trial's number, and each seed: the scores of its folds, shape `(folds,)`."""

MISSES = 0.05
"""The part of the intervals that may miss the truth."""

BEHIND = 0.8
"""Whoever is worse than the first by this interval leaves the race: one in ten times by bad luck alone, which costs little
where it is as good as the first."""

SURELY = 0.9995
"""A race ends early only where the one-sided confidence that the first beats the defaults is this high: looking often
would otherwise make false alarms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its 95 % confidence interval (Student's t)."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """One trial as fresh seeds judge it. `scores` has one value for each seed, the mean over its folds."""

    trial: int
    scores: tuple[float, ...]
    mean: float
    low: float
    high: float
    probability_best: float

    @property
    def repeats(self) -> int:
        """How many fresh seeds it was trained under."""
        return len(self.scores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What fresh seeds say.

    `winner` is the finalist with the best mean among those that stayed in the race to its end. `gain` is its paired gain
    over the defaults, positive when it is better whatever the direction of the objective; `None` when the defaults won,
    or were not among the finalists. `lead` is the same over the runner-up.
    """

    finalists: tuple[Finalist, ...]
    winner: int
    gain: Interval | None
    sentence: str
    lead: Interval | None = None


def interval(
    values: Sequence[float] | Array, *, overlap: float = 0.0, level: float = 1 - MISSES, low: float | None = None
) -> Interval:
    """The mean of `values` (at least 2) with Student's interval.

    Args:
        values: Scores, or paired differences.
        overlap: The size of a test fold, as a part of its training set, where training sets overlap. Defaults to 0:
            the values are independent.
        level: The confidence. Defaults to 0.95.
        low: The one-sided confidence of the lower end. Defaults to that of the upper one.
    """
    from scipy.special import stdtrit

    data = np.asarray(values, dtype=float)
    error = float(data.std(ddof=1)) * (1.0 / len(data) + overlap) ** 0.5
    ends = (1.0 + level) / 2.0 if low is None else low, (1.0 + level) / 2.0
    below, above = (float(end) * error for end in stdtrit(len(data) - 1, ends))
    mean = float(data.mean())
    return Interval(mean=mean, low=mean - below, high=mean + above)


def low_level(rivals: int) -> float:
    """The one-sided confidence of the lower end of a gain, for the best of so many finalists besides the defaults.

    Where all are as good as the defaults, one of the finalists looks best in n of n + 1 studies, and only then a gain is
    told. So that no more than `MISSES` of the gains that are told miss, the best of n may exceed its limit in that part of
    n / (n + 1) studies; Šidák's formula shares this among the n, and is a little too careful, since they share the
    defaults. For one finalist it is the usual 97.5 %.

    Example:
        >>> round(low_level(1), 4), round(low_level(2), 4)
        (0.975, 0.9832)
    """
    count = max(rivals, 1)
    return float((1.0 - MISSES * count / (count + 1)) ** (1.0 / count))


def verdict(scores: Scores, *, objective: Objective, baseline: int | None) -> Confirmation | None:
    """What `scores` say; `None` while fewer than two finalists share two seeds.

    Args:
        scores: Of finalists that have not failed.
        objective: Which way is better.
        baseline: The trial of the defaults, if there is one.
    """
    most = max((len(row) for row in scores.values()), default=0)
    racing = [number for number, row in scores.items() if len(row) == most]
    if len(scores) < 2 or len(racing) < 1 or most < 2:
        return None
    by_mean = sorted(racing, key=lambda number: objective.loss(_mean(scores[number])))
    winner, rivals = by_mean[0], len(scores) - (baseline in scores)
    low = low_level(rivals)
    ahead = {n: _interval(scores, objective, winner, n, low=low) for n in scores if n != winner}
    if any(found is None for found in ahead.values()):
        return None
    known = {number: found for number, found in ahead.items() if found is not None}
    chances = _chances(scores, objective, winner)
    judged = tuple(_judge(number, row, chances[number]) for number, row in scores.items())
    runner_up = min(known, key=lambda n: (n not in racing, objective.loss(_mean(scores[n]))))
    gain = None if baseline is None or baseline == winner else known.get(baseline)
    return Confirmation(
        finalists=judged,
        winner=winner,
        gain=gain,
        lead=known[runner_up],
        sentence=_sentence(winner, most, gain, known, baseline),
    )


def in_play(scores: Scores, *, objective: Objective, baseline: int | None) -> list[int]:
    """Who is trained under more seeds: the first, the defaults, and whoever is not clearly worse than the first.

    Who has fewer seeds than the first was sent away before, and stays away.
    """
    most = max((len(row) for row in scores.values()), default=0)
    racing = [number for number, row in scores.items() if len(row) == most]
    if most < 2 or len(racing) < 2:
        return racing
    first = min(racing, key=lambda number: objective.loss(_mean(scores[number])))
    stays = []
    for number in racing:
        behind = None if number == first else _interval(scores, objective, first, number, level=BEHIND)
        if behind is None or number == baseline or behind.low <= 0:
            stays.append(number)
    return stays


def clearly_first(scores: Scores, *, objective: Objective, baseline: int | None) -> bool:
    """Whether one is left beside the defaults, and beats them beyond any doubt: more seeds would tell nothing new."""
    left = in_play(scores, objective=objective, baseline=baseline)
    first = min(left, key=lambda number: objective.loss(_mean(scores[number])), default=None)
    if len(left) != 2 or baseline not in left or first is None or first == baseline:
        return len(left) < 2
    gain = _interval(scores, objective, first, baseline, level=2 * SURELY - 1)
    return gain is not None and gain.low > 0


def _mean(row: Mapping[int, Array]) -> float:
    return float(np.mean([folds.mean() for folds in row.values()]))


def _pairs(scores: Scores, objective: Objective, better: int, worse: int) -> Array:
    """How much better the first is than the second, for each seed and fold that both have; shape `(seeds, folds)`."""
    shared = [seed for seed in scores[better] if seed in scores[worse]]
    sign = 1.0 if objective.direction == "max" else -1.0
    gains = [sign * (scores[better][seed] - scores[worse][seed]) for seed in shared]
    return np.array(gains) if gains else np.zeros((0, 1))


def _interval(
    scores: Scores,
    objective: Objective,
    better: int,
    worse: int,
    *,
    level: float = 1 - MISSES,
    low: float | None = None,
) -> Interval | None:
    gains = _pairs(scores, objective, better, worse)
    if len(gains) < 2:
        return None
    return interval(gains.ravel(), overlap=_overlap(gains.shape[1]), level=level, low=low)


def _overlap(folds: int) -> float:
    """A test fold as a part of its training set."""
    return 1.0 / (folds - 1) if folds > 1 else 0.0


def _judge(number: int, row: Mapping[int, Array], chance: float) -> Finalist:
    means = np.array([folds.mean() for folds in row.values()])
    every = np.array(list(row.values()))
    of = interval(every.ravel(), overlap=_overlap(every.shape[1]))
    return Finalist(
        trial=number,
        scores=tuple(float(mean) for mean in means),
        mean=of.mean,
        low=of.low,
        high=of.high,
        probability_best=chance,
    )


def _chances(scores: Scores, objective: Objective, winner: int, draws: int = 20_000) -> dict[int, float]:
    """The probability of each finalist's being the best.

    The posterior of each paired difference to the winner under a flat prior is Student's t around its mean; what a seed
    does to all finalists drops out. Drawn with a fixed generator, so that the same scores give the same figure.
    """
    rng = np.random.default_rng(0)
    drawn = np.zeros((draws, len(scores)))
    for place, number in enumerate(scores):
        if number != winner:
            gains = _pairs(scores, objective, winner, number)
            flat = gains.ravel()
            error = flat.std(ddof=1) * (1.0 / len(flat) + _overlap(gains.shape[1])) ** 0.5
            drawn[:, place] = -flat.mean() + error * rng.standard_t(len(flat) - 1, size=draws)
    best = np.bincount(drawn.argmax(axis=1), minlength=len(scores)) / draws
    return {number: float(chance) for number, chance in zip(scores, best, strict=True)}


def _sentence(
    winner: int, seeds: int, gain: Interval | None, ahead: Mapping[int, Interval], baseline: int | None
) -> str:
    if gain is None:
        return f"Under {seeds} fresh seeds, nothing that was tried beat the defaults (trial {winner})."
    verdict = (
        f"better than the defaults by {gain.mean:.4g} (95 % interval {gain.low:.4g} to {gain.high:.4g})"
        if gain.low > 0
        else f"not distinguishable from the defaults (gain {gain.mean:.4g}, 95 % interval {gain.low:.4g} "
        f"to {gain.high:.4g}): nothing that was tried is shown to be better"
    )
    text = f"Under {seeds} fresh paired seeds, trial {winner} is {verdict}."
    close = [str(number) for number, lead in ahead.items() if number != baseline and lead.low <= 0]
    if close:
        text += f" It is not distinguishable from trial {' and '.join(close)}."
    return text
