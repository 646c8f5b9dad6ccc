"""`TunedSearchCV`: Dialed's strategies behind scikit-learn's interface."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import indexable

from dialed.engine.building import values_without_compiling
from dialed.engine.seeding import seeded
from dialed.errors import DataError, InvalidInputError
from dialed.sklearn.cells import Cell, Cells
from dialed.sklearn.compiling import quiet
from dialed.sklearn.crowd import joined
from dialed.sklearn.space import TunedModel, TunedSpace
from dialed.sklearn.targets import form_of
from dialed.sklearn.together import finish, judge_for, reason_against, refit_best, weights_in
from dialed.sklearn.trials import rows_of, scored_trials
from dialed.study import Study, Tuner
from dialed.trial import Objective

__all__ = ["TunedSearchCV"]


class TunedSearchCV(BaseSearchCV):  # type: ignore[misc]
    """Searches with Dialed's strategies, and shows the results as scikit-learn's searches do.

    To choose: instead of `RandomizedSearchCV` where candidates are many or training is long. Strategies learn from
    results, and stop bad candidates after few epochs. A killed search goes on under the same `name`. What is searched
    are parameters of the Keras estimator; `GridSearchCV` varies earlier steps of a pipeline too.

    While it searches, a candidate is judged after each epoch by what Keras measures on the other part of the split
    (`objective`). In the end each is scored by `scoring`, and the best of those that were trained to the end is refitted.

    Args:
        estimator: A `KerasClassifier` or `KerasRegressor`, or a `Pipeline` that ends with one.
        space: By the name of a parameter, `dialed.Int`, `dialed.Float`, `dialed.Choice`, `dialed.Boolean`, or a list.
        strategy: A name, or an object of `dialed.strategies`. Defaults to "auto".
        max_trials: The most candidates. Defaults to no limit.
        max_epochs: The most trained epochs over all candidates and folds. Defaults to no limit.
        max_time: The longest time, in seconds or as "10m". Defaults to no limit.
        objective: What strategies improve: a metric such as "val_loss". Defaults to "val_accuracy" where the model
            measures accuracy and `scoring` is accuracy, else to "val_loss".
        scoring: As for `GridSearchCV`, and so are `n_jobs`, `refit`, `cv`, `verbose`, `pre_dispatch`, `error_score` and
            `return_train_score`.
        random_state: A whole number makes the search repeatable. Defaults to None.
        name: The study's name. Defaults to a new one made of the date and time.
        store: Where the study is kept, as for `dialed.Tuner`. Defaults to `./dialed.db`.
        resume: Whether to go on with a study of that name. Defaults to True.

    Attributes:
        study_: The study: curves, failures, importance. `cv_results_` has columns `epochs`, `state` and `trial` more.
    """

    def __init__(
        self,
        estimator: Any,
        space: Mapping[str, Any],
        *,
        strategy: Any = "auto",
        max_trials: int | None = None,
        max_epochs: int | None = None,
        max_time: float | str | None = None,
        objective: str | Objective | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        error_score: Any = math.nan,
        return_train_score: bool = False,
        random_state: int | None = None,
        name: str | None = None,
        store: str | None = None,
        resume: bool = True,
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.space = space
        self.strategy = strategy
        self.max_trials = max_trials
        self.max_epochs = max_epochs
        self.max_time = max_time
        self.objective = objective
        self.random_state = random_state
        self.name = name
        self.store = store
        self.resume = resume

    study_: Study

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Search, score all candidates that were trained, and refit the best one.

        Args:
            X: Inputs, (samples, ...).
            y: Targets, (samples,) or (samples, outputs).
            **params: `sample_weight` for the estimator; `groups` for the splits.

        Returns:
            The search itself.

        Raises:
            InvalidInputError: The estimator or the space cannot be searched here.
        """
        _refuse(reason_against(self, params))
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(dict(params))
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **routed.splitter.split))
        self.n_splits_ = len(splits)
        judge, refit_metric = judge_for(self, X, y, splits, routed.scorer.score)
        cells = _cells(self.estimator, Cells(X, y, splits, weights_in(params), judged=True))
        space = TunedSpace(self.space, _prefix(self.estimator))
        tuner = self._search(cells, space)
        self.study_ = tuner.study
        trials = scored_trials(tuner, len(splits))
        candidates = [space.params(trial.values) for trial in trials]
        rows = rows_of(tuner, trials, candidates, self.estimator, cells, judge)
        more: dict[str, list[Any]] = {
            "epochs": [max(m.epoch for m in trial.members) for trial in trials],
            "state": [str(trial.state) for trial in trials],
            "trial": [trial.number for trial in trials],
        }
        finish(self, candidates, rows, judge, refit_metric=refit_metric, more=more)
        if self.refit:
            refit_best(self, X, y, routed.estimator.fit)
        return self

    def _search(self, cells: Sequence[Cell], space: TunedSpace) -> Tuner:
        """Run the study."""
        noted = cells[0].estimator
        with values_without_compiling(), seeded(0):
            model = noted.variant(space.defaults()).made_model()
        form = form_of(noted.target_, model)
        data = joined(cells, form)
        arguments = noted.fit_arguments(max(len(cell.train) for cell in cells))
        _refuse_unfit(arguments)
        tuner = Tuner(
            TunedModel(noted, space, form),
            self._objective(model),
            strategy=self.strategy,
            max_trials=self.max_trials,
            max_epochs=self.max_epochs,
            max_time=self.max_time,
            cv=[(fold.train, fold.test) for fold in data.cross_validation],
            confirm=False,
            seed=self.random_state,
            name=self.name,
            store=self.store,
            resume=self.resume,
            checkpoint_bytes=None,  # all candidates are scored in the end
            verbose=min(self.verbose, 1),
        )
        samples: Any = data.training
        arguments = {name: value for name, value in arguments.items() if name not in ("validation_split", "verbose")}
        tuner.search(samples.x, samples.y, sample_weight=samples.sample_weight, **{**arguments, **space.arguments})
        return tuner

    def _objective(self, model: Any) -> str | Objective:
        if self.objective is not None:
            return self.objective
        by_accuracy = is_classifier(self.estimator) and self.scoring in (None, "accuracy")
        with quiet():
            measured = (model.get_compile_config() or {}).get("metrics") or []
        return "val_accuracy" if by_accuracy and "accuracy" in measured else "val_loss"

    @staticmethod
    def _select_best_index(refit: Any, refit_metric: str, results: Mapping[str, Any]) -> int:
        """The best of those that were trained to the end; of all, where none was."""
        if callable(refit):
            return int(BaseSearchCV._select_best_index(refit, refit_metric, results))
        ranks = results[f"rank_test_{refit_metric}"]
        completed = results["state"] == "completed"
        return int(np.where(completed | ~completed.any(), ranks, np.inf).argmin())


def _cells(estimator: Any, cells: Cells) -> list[Cell]:
    """The cells of all folds, which must train models of one kind."""
    made = [cells.of(clone(estimator), {}, fold) for fold in range(len(cells.splits))]
    if len({cell.key for cell in made}) > 1:
        raise DataError(
            "`cv` must give folds that hold the same classes and features. Got folds that differ. Pass a stratified "
            "splitter, or more samples of each class."
        )
    return made


def _prefix(estimator: Any) -> str:
    return f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""


def _refuse(reason: str) -> None:
    if reason:
        raise InvalidInputError(
            f"`estimator` must be a `KerasClassifier` or `KerasRegressor` with a build function, or a `Pipeline` that "
            f"ends with one. Got one that cannot be searched here: {reason}. Use `GridSearchCV` for it."
        )


def _refuse_unfit(arguments: Mapping[str, Any]) -> None:
    given = [n for n in ("validation_split", "validation_data") if arguments.get(n) not in (None, 0, 0.0)]
    if given:
        raise InvalidInputError(
            f"`{given[0]}` must be left out: each candidate is judged by the other part of its split. "
            f"Got {arguments[given[0]]!r:.80}."
        )
