"""A search whose candidates and folds are trained together, with everything around it as scikit-learn has it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sklearn
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, indexable

from dialed.sklearn.base import KerasEstimator, not_finite
from dialed.sklearn.cells import Cells, last_of
from dialed.sklearn.crowd import Place, Trained, reason_alone, train
from dialed.sklearn.predicting import Predictors
from dialed.sklearn.scoring import Judge, Row, fill_errors, tell_failures

__all__ = ["Stopwatch", "finish", "fit_together", "judge_for", "reason_against", "refit_best", "weights_in"]


def reason_against(search: Any, fit_params: Mapping[str, Any]) -> str:
    """Why scikit-learn itself must run a search; empty where candidates can be trained together."""
    last = last_of(search.estimator)
    if not isinstance(last, KerasEstimator):
        return "the estimator is no Keras model"
    if type(last).fit is not KerasEstimator.fit:
        return "the estimator has a `fit` of its own"
    if last.is_prebuilt:
        return "the model is built already"
    if sklearn.get_config()["enable_metadata_routing"]:
        return "metadata routing is enabled"
    if getattr(search, "_skl_callbacks", None):
        return "scikit-learn's callbacks follow each fit"
    wanted = (
        f"{search.estimator.steps[-1][0]}__sample_weight" if isinstance(search.estimator, Pipeline) else "sample_weight"
    )
    others = sorted(set(fit_params) - {wanted, "groups"})
    return f"`{others[0]}` is passed to `fit`" if others else ""


def fit_together(
    search: Any, candidates: Sequence[Mapping[str, Any]], X: Any, y: Any, params: Mapping[str, Any]
) -> None:
    """Fit `search`, one of scikit-learn's searches, for `candidates`."""
    X, y = indexable(X, y)
    routed = search._get_routed_params_for_fit(dict(params))
    cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
    splits = list(cv.split(X, y, **routed.splitter.split))
    search.n_splits_ = len(splits)
    judge, refit_metric = judge_for(search, X, y, splits, routed.scorer.score)
    if search.verbose > 0:
        count = len(candidates)
        print(f"Fitting {len(splits)} folds for each of {count} candidates, totalling {count * len(splits)} fits")
    rows = _rows(search.estimator, candidates, judge, weights_in(params))
    finish(search, candidates, rows, judge, refit_metric=refit_metric)
    if search.refit:
        refit_best(search, X, y, routed.estimator.fit)


def judge_for(search: Any, X: Any, y: Any, splits: Sequence[Any], score_params: Mapping[str, Any]) -> tuple[Judge, str]:
    """Who scores for `search`, and the name of the score that decides."""
    scorers, refit_metric = search._get_scorers()
    names = tuple(scorers._scorers) if hasattr(scorers, "_scorers") else None
    judge = Judge(
        scorer=scorers,
        names=names,
        X=X,
        y=y,
        splits=splits,
        score_params=score_params,
        error_score=search.error_score,
        return_train_score=search.return_train_score,
        verbose=search.verbose,
    )
    return judge, refit_metric


def finish(
    search: Any,
    candidates: Sequence[Mapping[str, Any]],
    rows: Sequence[Row],
    judge: Judge,
    *,
    refit_metric: str,
    more: Mapping[str, Sequence[Any]] | None = None,
) -> None:
    """Set the attributes that a search has before it refits.

    Args:
        rows: Candidate by candidate, split by split.
        more: Further columns of `cv_results_`. Defaults to none.
    """
    tell_failures(rows, search.error_score)
    fill_errors(rows, search.error_score)
    results = search._format_results(list(candidates), search.n_splits_, list(rows), dict(more or {}))
    first = rows[0]["test_scores"]
    search.multimetric_ = isinstance(first, dict)
    if callable(search.scoring) and search.multimetric_:
        search._check_refit_for_multimetric(first)
        refit_metric = search.refit
    if search.refit or not search.multimetric_:
        search.best_index_ = search._select_best_index(search.refit, refit_metric, results)
        if not callable(search.refit):
            search.best_score_ = results[f"mean_test_{refit_metric}"][search.best_index_]
        search.best_params_ = results["params"][search.best_index_]
    search.scorer_ = judge.scorer._scorers if judge.names is not None else judge.scorer
    search.cv_results_ = results


def refit_best(search: Any, X: Any, y: Any, fit_params: Mapping[str, Any]) -> None:
    """Fit the best candidate on all data."""
    best = clone(search.estimator).set_params(**clone(search.best_params_, safe=False))
    start = time.perf_counter()
    search.best_estimator_ = best.fit(X, y, **fit_params)
    search.refit_time_ = time.perf_counter() - start
    if hasattr(best, "feature_names_in_"):
        search.feature_names_in_ = best.feature_names_in_


class Stopwatch:
    """Shares out what building and compiling took, which many members have in common."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def over(self, trained: Iterator[Trained]) -> Iterator[Trained]:
        """`trained`, timed while it works."""
        start = time.perf_counter()
        for one in trained:
            self.seconds += time.perf_counter() - start - one.seconds
            yield one
            start = time.perf_counter()

    def share(self, rows: Sequence[Row]) -> None:
        """Add to each row's time its part of what was not training."""
        for row in rows:
            row["fit_time"] += max(self.seconds, 0.0) / len(rows)


def weights_in(params: Mapping[str, Any]) -> Any:
    """The sample weights among the parameters of `fit`."""
    return next((value for name, value in params.items() if name.endswith("sample_weight")), None)


def _rows(estimator: Any, candidates: Sequence[Mapping[str, Any]], judge: Judge, sample_weight: Any) -> list[Row]:
    """One row for each candidate and split: of all that can be trained together, then of the rest."""
    found: dict[tuple[int, int], Row] = {}
    places = list(_places(estimator, candidates, Cells(judge.X, judge.y, judge.splits, sample_weight), found, judge))
    predictors, stopwatch = Predictors(), Stopwatch()
    for trained in stopwatch.over(train(places)):
        place = trained.place
        params = candidates[place.candidate]
        if trained.ended_in_nan:
            row = judge.failed(place.fold, params, not_finite(float("nan")), trained.seconds)
        elif trained.arrays is None:
            row = _alone(_with(estimator, params), place.fold, params, judge, sample_weight)
        else:
            fitted = predictors.fitted(_with(estimator, params), trained)
            row = judge.row(fitted, place.fold, params, trained.seconds)
        found[place.candidate, place.fold] = row
    stopwatch.share([found[place.candidate, place.fold] for place in places])
    return [found[c, f] for c in range(len(candidates)) for f in range(len(judge.splits))]


def _places(
    estimator: Any,
    candidates: Sequence[Mapping[str, Any]],
    cells: Cells,
    found: dict[tuple[int, int], Row],
    judge: Judge,
) -> Iterator[Place]:
    """Where each candidate can be trained together with others; what cannot be prepared is trained alone at once."""
    for number, params in enumerate(candidates):
        for fold in range(len(cells.splits)):
            made = _with(estimator, params)
            last = last_of(made)
            try:
                _refuse(reason_alone(last))
                cell = cells.of(made, params, fold)
                last.take_notes(cell.estimator)
                yield Place(number, fold, last, cell, last.drawn_seed(), _of_last(estimator, params))
            except Exception:  # noqa: BLE001 - trained alone, it raises again where scikit-learn expects it
                found[number, fold] = _alone(_with(estimator, params), fold, params, judge, cells.sample_weight)


def _of_last(estimator: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """The last step's parameters, with the candidate's own over them."""
    prefix = f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""
    own = {name.removeprefix(prefix): value for name, value in params.items() if name.startswith(prefix)}
    return {**last_of(estimator).get_params(deep=False), **own}


class _Alone(Exception):
    """A candidate must be trained by itself."""


def _refuse(reason: str) -> None:
    if reason:
        raise _Alone(reason)


def _with(estimator: Any, params: Mapping[str, Any]) -> Any:
    return clone(estimator).set_params(**clone(dict(params), safe=False))


def _alone(estimator: Any, fold: int, params: Mapping[str, Any], judge: Judge, sample_weight: Any) -> Row:
    """Fit as scikit-learn would: for what an engine cannot train, and for the user's own errors."""
    rows = judge.splits[fold][0]
    given = {} if sample_weight is None else {_weight_name(estimator): _safe_indexing(sample_weight, rows)}
    start = time.perf_counter()
    try:
        estimator.fit(_safe_indexing(judge.X, rows), _safe_indexing(judge.y, rows), **given)
    except Exception as error:  # noqa: BLE001 - whatever it raises is what `error_score` is for
        return judge.failed(fold, params, error, time.perf_counter() - start)
    return judge.row(estimator, fold, params, time.perf_counter() - start)


def _weight_name(estimator: Any) -> str:
    return f"{estimator.steps[-1][0]}__sample_weight" if isinstance(estimator, Pipeline) else "sample_weight"
