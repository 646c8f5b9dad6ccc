"""The trials of a finished study, scored as candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import clone

from dialed.errors import StudyError
from dialed.sklearn.cells import Cell, last_of
from dialed.sklearn.crowd import Place, Trained
from dialed.sklearn.predicting import Predictors
from dialed.sklearn.scoring import Judge, Row
from dialed.study import Tuner
from dialed.trial import MemberRecord, State, Trial

__all__ = ["rows_of", "scored_trials"]


def scored_trials(tuner: Tuner, folds: int) -> list[Trial]:
    """The trials that failed, or were trained in every fold, in their order.

    Raises:
        StudyError: There is none.
    """
    trials = [t for t in tuner.study.trials if t.state is State.FAILED or _is_trained(t, folds)]
    if all(trial.state is State.FAILED for trial in trials):
        raise StudyError(
            "No candidate was trained in all folds before the search ended. Give it more of a budget, or see the failures "
            "with `study_.summary()`."
        )
    return trials


def rows_of(
    tuner: Tuner,
    trials: Sequence[Trial],
    candidates: Sequence[Mapping[str, Any]],
    estimator: Any,
    cells: Sequence[Cell],
    judge: Judge,
) -> list[Row]:
    """One row for each trial and fold, scored from the weights at the end of its training."""
    predictors, rows = Predictors(), []
    for number, (trial, params) in enumerate(zip(trials, candidates, strict=True)):
        for fold, cell in enumerate(cells):
            member = next((m for m in trial.members if m.key.fold == fold), None)
            if trial.state is State.FAILED or member is None:
                error = RuntimeError(trial.message)
                rows.append(judge.failed(fold, params, error, member.seconds if member else 0.0))
                continue
            made = clone(estimator).set_params(**clone(dict(params), safe=False))
            trained = _trained(tuner, member, Place(number, fold, last_of(made), cell, member.key.seed, {}))
            rows.append(judge.row(predictors.fitted(made, trained), fold, params, member.seconds))
    return rows


def _is_trained(trial: Trial, folds: int) -> bool:
    return sum(member.last is not None for member in trial.members) >= folds


def _trained(tuner: Tuner, member: MemberRecord, place: Place) -> Trained:
    assert member.last is not None  # `_is_trained`
    arrays, meta = tuner.results.checkpoints.load(member.last)
    return Trained(place=place, arrays=arrays, meta=meta, history={}, seconds=member.seconds)
