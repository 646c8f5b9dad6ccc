"""Rungs: who was trained how far, who went on, and whether a short training foretells a long one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from dialed.analysis.views.scores import Number, finite, limits_of, winner_of
from dialed.search.history import History
from dialed.trial import MemberRecord, Objective, State, Trial

__all__ = ["Climb", "CorrelationView", "Rung", "RungsView", "correlation_view", "rungs_view"]

LEAST_PAIRS = 4
"""A rank correlation of fewer trials has no interval."""

FACTOR = 3
"""Between the epochs that are compared where a study has no rungs of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One rung: how many trials have `arrived`, `went_on` from it, `ended` there, or `rest` there for now.

    `failed` counts those that failed on the way to it.
    """

    epoch: int
    arrived: int
    went_on: int
    ended: int
    rest: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """One trial: its value of the objective on each rung that it reached, the lowest first."""

    trial: int
    state: str
    values: tuple[Number, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RungsView:
    """The rungs, the lowest first, and how each trial climbed them."""

    objective: Objective
    rungs: tuple[Rung, ...]
    climbs: tuple[Climb, ...]
    limits: tuple[float, float] | None
    winner: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationView:
    """Spearman's rank correlation of the objective between epochs, with its 95 % interval.

    Entry [i][j] compares the trials that reached both `epochs[i]` and `epochs[j]`; `None` for fewer than four of
    them. On a rung only the best go on, and among the best ranks agree less: what stands here is on the low side.

    References:
        Bonett and Wright 2000, "Sample size requirements for estimating Pearson, Kendall and Spearman correlations".
    """

    objective: Objective
    epochs: tuple[int, ...]
    coefficients: tuple[tuple[Number, ...], ...]
    lows: tuple[tuple[Number, ...], ...]
    highs: tuple[tuple[Number, ...], ...]
    counts: tuple[tuple[int, ...], ...]


def rungs_view(history: History) -> RungsView:
    """The rungs of a study: the epochs at which some trial was halted or ended."""
    epochs = _rungs(history.trials)
    climbs = tuple(_climb(trial, epochs) for trial in history.trials)
    values = [value for climb in climbs for value in climb.values]
    return RungsView(
        objective=history.objective,
        rungs=tuple(_rung(place, epochs, history.trials, climbs) for place in range(len(epochs))),
        climbs=climbs,
        limits=limits_of(values, history.objective),
        winner=winner_of(history),
    )


def correlation_view(history: History) -> CorrelationView:
    """Whether early epochs foretell late ones: between the rungs, or between 1, 3, 9, ... epochs where there is one."""
    epochs = _rungs(history.trials)
    if len(epochs) < 2:
        epochs = _milestones(max(epochs, default=history.terms.epochs))
    columns = [[value_at(trial, epoch) for trial in history.trials] for epoch in epochs]
    table = [[_correlation(first, second) for second in columns] for first in columns]
    return CorrelationView(
        objective=history.objective,
        epochs=tuple(epochs),
        coefficients=tuple(tuple(cell[0] for cell in row) for row in table),
        lows=tuple(tuple(cell[1] for cell in row) for row in table),
        highs=tuple(tuple(cell[2] for cell in row) for row in table),
        counts=tuple(tuple(cell[3] for cell in row) for row in table),
    )


def value_at(trial: Trial, epoch: int) -> Number:
    """The objective after `epoch` epochs, the mean over the members; `None` where one has not come so far.

    A member whose training ended early by itself keeps its last value.
    """
    members = _searched(trial)
    values = [_value_at(member, epoch) for member in members if _arrived(member, epoch)]
    return finite(fmean(values)) if members and len(values) == len(members) else None


def _rungs(trials: Sequence[Trial]) -> list[int]:
    return sorted({_asked(trial) for trial in trials if any(m.epoch for m in _searched(trial))})


def _milestones(epochs: int) -> list[int]:
    found = [epochs]
    while found[-1] > 1:
        found.append(-(-found[-1] // FACTOR))
    return found[::-1]


def _climb(trial: Trial, epochs: Sequence[int]) -> Climb:
    reached = [epoch for epoch in epochs if epoch <= _asked(trial)]
    values = [value_at(trial, epoch) for epoch in reached]
    while values and values[-1] is None:
        values.pop()
    return Climb(trial=trial.number, state=str(trial.state), values=tuple(values))


def _rung(place: int, epochs: Sequence[int], trials: Sequence[Trial], climbs: Sequence[Climb]) -> Rung:
    epoch = epochs[place]
    here = [t for t, climb in zip(trials, climbs, strict=True) if len(climb.values) > place]
    staying = [t for t in here if _asked(t) <= epoch]
    fallen = [
        t
        for t, climb in zip(trials, climbs, strict=True)
        if t.state is State.FAILED and len(climb.values) == place and _asked(t) >= epoch
    ]
    return Rung(
        epoch=epoch,
        arrived=len(here),
        went_on=len(here) - len(staying),
        ended=sum(t.state.finished for t in staying),
        rest=sum(not t.state.finished for t in staying),
        failed=len(fallen),
    )


def _searched(trial: Trial) -> list[MemberRecord]:
    return [member for member in trial.members if member.purpose == "search"]


def _asked(trial: Trial) -> int:
    """To how many epochs its members were sent so far, or came by themselves."""
    return max((min(max(m.until, m.epoch), m.length) for m in _searched(trial)), default=0)


def _arrived(member: MemberRecord, epoch: int) -> bool:
    return member.state is State.COMPLETED or member.epoch >= epoch


def _value_at(member: MemberRecord, epoch: int) -> float:
    return next((value for value in reversed(member.curve[:epoch]) if math.isfinite(value)), math.nan)


def _correlation(first: Sequence[Number], second: Sequence[Number]) -> tuple[Number, Number, Number, int]:
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if len(pairs) < LEAST_PAIRS:
        return None, None, None, len(pairs)
    ranks = [_ranks(np.array(column)) for column in zip(*pairs, strict=True)]
    if any(np.ptp(row) == 0 for row in ranks):
        return None, None, None, len(pairs)
    rho = float(np.clip(np.corrcoef(ranks[0], ranks[1])[0, 1], -1.0, 1.0))
    if abs(rho) > 1 - 1e-12:
        return round(rho), round(rho), round(rho), len(pairs)
    half = 1.959964 * math.sqrt((1 + rho**2 / 2) / (len(pairs) - 3))
    return rho, math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half), len(pairs)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[places])
