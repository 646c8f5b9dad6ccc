"""Which trials say something about several goals: those that have a value of each, after trainings of like length."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dialed.search.front import losses_of
from dialed.search.history import History
from dialed.search.model.evidence import Evidence
from dialed.trial import State, Trial

__all__ = ["comparable"]

ENOUGH = 8
"""Trials that have come to a rung, from which it is modelled instead of the one below.

References: Falkner, Klein and Hutter 2018, "BOHB" (the highest rung with enough trials).
"""


def comparable(evidence: Evidence, history: History) -> Evidence:
    """The same without what cannot be compared; nothing is left out of a study with one goal.

    A trial without a finite value of each objective counts as failed. Where trials rest on several rungs, only those
    count that have come to the highest rung that has enough of them.
    """
    terms = history.terms
    if not terms.kept:
        return evidence
    trials = [history.trial(number) for number in evidence.numbers]
    far = _far_enough([_reached(trial) for trial in trials])
    whole: NDArray[np.bool_] = np.ones(len(trials), dtype=bool)
    if terms.others:
        whole = np.asarray(np.isfinite(losses_of(trials, terms)).all(axis=1))
    kept = whole & far
    return replace(
        evidence,
        scored=evidence.scored[kept],
        losses=evidence.losses[kept],
        failed=np.vstack([evidence.failed, evidence.scored[~whole]]),
        numbers=tuple(number for number, stays in zip(evidence.numbers, kept, strict=True) if stays),
    )


def _reached(trial: Trial) -> float:
    """Its epochs; without end where its training is over."""
    if trial.state is State.COMPLETED:
        return np.inf
    return min(member.epoch for member in trial.members if member.purpose == "search")


def _far_enough(reached: list[float]) -> NDArray[np.bool_]:
    """Who has come as far as the `ENOUGH`-th of all, the furthest first; everybody where they are fewer."""
    if len(reached) < ENOUGH:
        return np.ones(len(reached), dtype=bool)
    return np.array(reached) >= sorted(reached, reverse=True)[ENOUGH - 1]
