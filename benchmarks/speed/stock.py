"""The other side: what a user writes today, with Keras alone, or with scikit-learn around it. Nothing of Dialed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from speed.arrays import Arrays
from speed.child import measured
from speed.rows import Row

__all__ = ["folds", "loop"]

_Build = Callable[..., keras.Model]


def loop(row: Row, build: _Build, arrays: Arrays, trials: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """Build, compile and fit each trial, one after the other."""
    scores, each = [], []
    for values in trials:
        with measured() as cost:
            keras.backend.clear_session()
            keras.utils.set_random_seed(seed)
            history = build(**values).fit(
                arrays.x,
                arrays.y,
                batch_size=row.batch_size,
                epochs=row.epochs,
                validation_data=(arrays.x_val, arrays.y_val),
                verbose=0,
            )
        scores.append(float(history.history[row.metric][-1]))
        each.append((cost.cpu, cost.wall))
    return {"scores": scores, "each": each, "how": "a loop over build and model.fit"}


def folds(row: Row, build: _Build, arrays: Arrays, trials: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """`GridSearchCV` over the same candidates and folds."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    splitter = StratifiedKFold(row.folds, shuffle=True, random_state=seed)
    if importlib.util.find_spec("scikeras"):
        estimator, prefix, how = _scikeras(row, build, trials[0], seed), "model__", "scikit-learn with SciKeras"
    else:
        estimator, prefix = _plain_estimator(row, build, seed), ""
        how = "scikit-learn with a plain estimator (SciKeras is not installed)"
    parameters = [{prefix + name: [value] for name, value in values.items()} for values in trials]
    search = GridSearchCV(estimator, parameters, cv=splitter, scoring="accuracy", refit=False, error_score="raise")
    search.fit(arrays.x, arrays.y)
    return {"scores": [float(score) for score in search.cv_results_["mean_test_score"]], "each": [], "how": how}


def _scikeras(row: Row, build: _Build, values: Mapping[str, Any], seed: int) -> Any:
    from scikeras.wrappers import KerasClassifier  # type: ignore[import-not-found]

    return KerasClassifier(
        model=build,
        epochs=row.epochs,
        batch_size=row.batch_size,
        verbose=0,
        random_state=seed,
        **{f"model__{name}": value for name, value in values.items()},
    )


def _plain_estimator(row: Row, build: _Build, seed: int) -> Any:
    """What SciKeras does for a classifier, and no more: encode the labels, build, fit, predict the likeliest class."""
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Plain(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def __init__(self, units: int = 1, dropout: float = 0.0, learning_rate: float = 1e-3) -> None:
            self.units = units
            self.dropout = dropout
            self.learning_rate = learning_rate

        def fit(self, x: np.ndarray, y: np.ndarray) -> Any:
            self.classes_, labels = np.unique(y, return_inverse=True)
            keras.utils.set_random_seed(seed)
            self.model_ = build(**self.get_params())
            self.model_.fit(x, labels, batch_size=row.batch_size, epochs=row.epochs, verbose=0)
            return self

        def predict(self, x: np.ndarray) -> np.ndarray:
            likely = self.model_.predict(x, batch_size=row.batch_size, verbose=0).argmax(axis=1)
            predicted: np.ndarray = self.classes_[likely]
            return predicted

    return Plain()
