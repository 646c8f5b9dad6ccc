"""What every view asks of the scores: which are there, how good each is, and which part of their range to draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from dialed.search.history import History
from dialed.study.confirm import confirmation_of
from dialed.trial import Objective, Trial

__all__ = ["Number", "Role", "finite", "limits_of", "quality_of", "role_of", "scores_of", "winner_of"]

Number: TypeAlias = float | None
"""A number that may be missing; never NaN or infinite."""

Role: TypeAlias = Literal["winner", "defaults", "other"]

FENCE = 3.0
"""Scores so many quartile ranges beyond the worse quartile are drawn at the edge (Tukey's outer fence): one diverged
training would otherwise press all others into a line."""


def finite(value: float | None) -> Number:
    """`value` as a float; `None` where it is missing, NaN or infinite."""
    return None if value is None or not math.isfinite(value) else float(value)


def scores_of(trials: Sequence[Trial]) -> tuple[Number, ...]:
    """The score of each trial."""
    return tuple(finite(trial.score) for trial in trials)


def winner_of(history: History) -> int | None:
    """The number of the trial to use: the confirmed winner, the best of the search otherwise."""
    confirmed = confirmation_of(history)
    if confirmed is not None:
        return confirmed.winner
    return None if history.best_trial is None else history.best_trial.number


def role_of(number: int, history: History, winner: int | None) -> Role:
    """What to call a trial in a picture."""
    if number == winner:
        return "winner"
    return "defaults" if history.baseline is not None and number == history.baseline.number else "other"


def quality_of(scores: Sequence[Number], objective: Objective) -> tuple[Number, ...]:
    """The share of scores that each is better than, from 0 (the worst) to 1 (the best); ties share a place.

    Colours follow it: a rank is not impressed by outliers, nor by the scale of the metric.
    """
    known = np.array([objective.loss(score) for score in scores if score is not None])
    if not len(known):
        return (None,) * len(scores)
    values, counts = np.unique(known, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    share = 1.0 - middle / (len(known) - 1) if len(known) > 1 else np.ones(1)
    at = dict(zip(values.tolist(), share.tolist(), strict=True))
    return tuple(None if score is None else at[objective.loss(score)] for score in scores)


def limits_of(scores: Sequence[Number], objective: Objective) -> tuple[float, float] | None:
    """The range to draw, from low to high: the best score, to the worst that is not far out; `None` without scores."""
    losses = np.array([objective.loss(score) for score in scores if score is not None])
    if not len(losses):
        return None
    low, high = np.quantile(losses, [0.25, 0.75])
    worst = losses.max() if high == low else losses[losses <= high + FENCE * (high - low)].max()
    ends = sorted((objective.loss(float(losses.min())), objective.loss(float(worst))))
    return ends[0], ends[1]
