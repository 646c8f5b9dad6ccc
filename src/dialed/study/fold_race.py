"""Races of folds: a bad candidate stops after a few folds, and the others get theirs one by one.

A candidate is compared with the best trial that has all its folds, in pairs on the folds that both have. It is given up
where it is clearly worse, by Student's t with the variance corrected for overlapping training sets. The level is such that
a candidate as good as the best so far is given up in less than `WRONG` of the cases, though it is looked at after each
fold, and though the best so far owes something to luck (`tests/claims/test_fold_race.py`).

References:
    Maron and Moore 1994, "Hoeffding races". Nadeau and Bengio 2003, "Inference for the generalization error".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dialed.errors import InvalidInputError
from dialed.events import Event, MembersAdded, TrialStopped
from dialed.search import PopulationBased, Strategy
from dialed.search.history import History
from dialed.search.terms import Terms
from dialed.trial import MemberRecord, State, Trial, best_first

__all__ = ["FIRST", "WRONG", "behind_level", "check_race", "falls_behind", "first_folds", "race_folds"]

FIRST = 3
"""A candidate begins with so many folds: two differences tell next to nothing."""

WRONG = 0.05

LEAST_LOOKS = 5
"""The level is that of so many looks at least: with few folds it must make up for the luck of the best so far."""


def first_folds(terms: Terms) -> tuple[int, ...]:
    """The folds that a candidate begins with; all, where folds are not raced."""
    return terms.folds[: max(1, min(FIRST, len(terms.folds) - 1))] if terms.race_folds else terms.folds


def check_race(terms: Terms, strategy: Strategy) -> None:
    """Raise `InvalidInputError` where folds are to be raced and cannot be."""
    if not terms.race_folds:
        return
    if len(terms.folds) <= FIRST:
        raise InvalidInputError(
            f"`race_folds` must have more than {FIRST} folds to race, because every trial begins with {FIRST}. Got "
            f"{len(terms.folds)}. Pass `cv={FIRST + 2}` or more, or leave `race_folds` out."
        )
    if isinstance(strategy, PopulationBased):
        raise InvalidInputError(
            "`race_folds` must not meet a `strategy` that copies the state of trainings, because a copy has the folds of "
            f"what it was copied from. Got {type(strategy).__name__}. Leave one of them out."
        )


def behind_level(folds: int) -> float:
    """The one-sided confidence at which a candidate is given up after one look, of those that `folds` folds allow."""
    return 1.0 - WRONG / max(folds - FIRST, LEAST_LOOKS)


def falls_behind(gains: NDArray[np.float64], *, folds: int) -> bool:
    """Whether a candidate is clearly worse.

    Args:
        gains: How much better the best so far is than the candidate, for each seed and fold that both have; shape
            `(seeds, folds so far)`.
        folds: How many folds there are in all.
    """
    from scipy.special import stdtrit

    if gains.shape[1] < 2:
        return False
    error = float(gains.std(ddof=1)) * (1.0 / gains.size + 1.0 / (folds - 1)) ** 0.5
    return bool(gains.mean() > stdtrit(gains.size - 1, behind_level(folds)) * error)


def race_folds(history: History) -> list[Event]:
    """The next folds of the candidates that are still in play, and the end of those that are not."""
    if not history.terms.race_folds:
        return []
    whole = [t for t in history.trials if t.state is State.COMPLETED and history.terms.is_whole(t)]
    best = next(iter(best_first(whole, history.objective)), None)
    waiting = [t for t in history.trials if t.state is State.COMPLETED and not history.terms.is_whole(t)]
    if best is not None:
        return [event for trial in waiting for event in _next(history, trial, best)]
    if not waiting or any(len(_missing(history.terms, t)) == 0 for t in history.busy):
        return []  # the first one with all its folds is on its way
    first = best_first(waiting, history.objective)[0]
    return [_added(first, _missing(history.terms, first))]


def _next(history: History, trial: Trial, best: Trial) -> list[Event]:
    missing = _missing(history.terms, trial)
    if falls_behind(_gains(history, trial, best), folds=len(history.terms.folds)):
        return [_added(trial, missing), TrialStopped(trial=trial.number)]
    return [_added(trial, missing[:1])]


def _missing(terms: Terms, trial: Trial) -> tuple[int, ...]:
    begun = {member.key.fold for member in _searched(trial)}
    return tuple(fold for fold in terms.folds if fold not in begun)


def _added(trial: Trial, folds: Sequence[int]) -> MembersAdded:
    members = _searched(trial)
    return MembersAdded(
        trial=trial.number,
        until=max(member.length for member in members),
        seeds=tuple(dict.fromkeys(member.key.seed for member in members)),
        folds=tuple(folds),
        purpose="search",
    )


def _gains(history: History, trial: Trial, best: Trial) -> NDArray[np.float64]:
    ours, theirs = ({(m.key.seed, m.key.fold): m.score for m in _searched(t)} for t in (trial, best))
    seeds = dict.fromkeys(seed for seed, _ in ours)
    folds = dict.fromkeys(fold for _, fold in ours)
    loss = history.objective.loss
    return np.array([[loss(ours[s, f] or 0.0) - loss(theirs[s, f] or 0.0) for f in folds] for s in seeds])


def _searched(trial: Trial) -> list[MemberRecord]:
    return [member for member in trial.members if member.purpose == "search"]
