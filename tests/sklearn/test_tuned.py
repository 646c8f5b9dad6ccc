"""`TunedSearchCV`: a study behind scikit-learn's interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dialed
from dialed.errors import InvalidInputError
from dialed.sklearn import KerasClassifier, TunedSearchCV

X, Y = (part[:120] for part in load_digits(return_X_y=True))


def build(units: int = 4, rate: float = 0.01) -> keras.Model:
    """A small classifier of digits."""
    layers = [keras.layers.Dense(units, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((64,)), *layers])
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def search(**options: Any) -> TunedSearchCV:
    """A search over a pipeline."""
    estimator = make_pipeline(StandardScaler(), KerasClassifier(build, epochs=3, random_state=0))
    space = {"kerasclassifier__rate": dialed.Float(1e-3, 1e-1, sampling="log")}
    given = {"strategy": "random", "max_trials": 2, "cv": 2, "random_state": 0, "name": "tuned", **options}
    return TunedSearchCV(estimator, space, **given)


@pytest.mark.slow
def test_a_search_scores_its_trials_and_goes_on(working_folder: Path) -> None:
    """Scores are those of the estimator fitted on each fold; a larger budget goes on with the same study."""
    tuned = search(scoring="neg_log_loss").fit(X, Y)
    assert len(tuned.cv_results_["params"]) == 2
    assert tuned.cv_results_["epochs"].tolist() == [3, 3]
    assert tuned.cv_results_["state"].tolist() == ["completed"] * 2
    assert tuned.best_params_ == tuned.cv_results_["params"][tuned.best_index_]
    assert tuned.best_score_ == tuned.cv_results_["mean_test_score"].max()
    assert tuned.predict(X).shape == Y.shape
    more = search(scoring="neg_log_loss", max_trials=3).fit(X, Y)
    assert [t.number for t in more.study_.trials] == [0, 1, 2]
    np.testing.assert_allclose(more.cv_results_["mean_test_score"][:2], tuned.cv_results_["mean_test_score"])


def test_the_best_was_trained_to_the_end() -> None:
    """A candidate that was stopped early is not preferred, unless none was completed."""
    results = {"rank_test_score": np.array([1, 2, 3]), "state": np.array(["stopped", "completed", "completed"])}
    assert TunedSearchCV._select_best_index(True, "score", results) == 1
    results["state"] = np.array(["stopped", "paused", "stopped"])
    assert TunedSearchCV._select_best_index(True, "score", results) == 0
    assert TunedSearchCV._select_best_index(lambda _: 2, "score", {**results, "params": [1, 2, 3]}) == 2


def test_other_estimators_are_refused() -> None:
    """Strategies need a model that can pause."""
    with pytest.raises(InvalidInputError, match="cannot be searched here: the estimator is no Keras model"):
        TunedSearchCV(LogisticRegression(), {}).fit(X, Y)


def test_a_split_of_its_own_is_refused(working_folder: Path) -> None:
    """The other part of the split judges."""
    estimator = KerasClassifier(build, validation_split=0.2)
    with pytest.raises(InvalidInputError, match=r"`validation_split` must be left out: .* Got 0.2"):
        TunedSearchCV(estimator, {"units": [4]}, cv=2).fit(X, Y)
