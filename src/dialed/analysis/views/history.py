"""How a search went: the score of each trial, and the best so far."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from dialed.analysis.views.scores import Number, finite, limits_of, scores_of, winner_of
from dialed.search.history import History
from dialed.trial import Objective

__all__ = ["HistoryView", "history_view"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """One entry a trial in each column, in the order in which they were begun.

    Attributes:
        objective: What is improved.
        numbers: The trials.
        scores: Of each; `None` where it has none.
        spreads: Of each, over its repeats and folds; `None` where there is only one.
        best: The best score so far.
        epochs: The trained epochs so far.
        states: "completed", "failed", ...
        causes: Why it failed; empty where it did not.
        winner: The trial to use.
        baseline: The trial of the defaults.
        limits: The range of scores to draw.
    """

    objective: Objective
    numbers: tuple[int, ...]
    scores: tuple[Number, ...]
    spreads: tuple[Number, ...]
    best: tuple[Number, ...]
    epochs: tuple[int, ...]
    states: tuple[str, ...]
    causes: tuple[str, ...]
    winner: int | None
    baseline: int | None
    limits: tuple[float, float] | None


def history_view(history: History) -> HistoryView:
    """The course of the search."""
    trials, scores = history.trials, scores_of(history.trials)
    return HistoryView(
        objective=history.objective,
        numbers=tuple(trial.number for trial in trials),
        scores=scores,
        spreads=tuple(finite(trial.spread) for trial in trials),
        best=_best_so_far(scores, history.objective),
        epochs=tuple(accumulate(trial.epochs for trial in trials)),
        states=tuple(str(trial.state) for trial in trials),
        causes=tuple("" if trial.cause is None else str(trial.cause) for trial in trials),
        winner=winner_of(history),
        baseline=None if history.baseline is None else history.baseline.number,
        limits=limits_of(scores, history.objective),
    )


def _best_so_far(scores: tuple[Number, ...], objective: Objective) -> tuple[Number, ...]:
    best: Number = None
    row = []
    for score in scores:
        if score is not None and objective.better(score, best):
            best = score
        row.append(best)
    return tuple(row)
