"""The estimators pass scikit-learn's own checks of estimators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from dialed.sklearn import KerasClassifier, KerasRegressor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
]

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "Keras divides the loss of a batch by its samples, not by weights"
}


class Builder:
    """A build function whose name is the same in every process: `pytest` names the checks by it."""

    def __init__(self, build: Callable[[dict[str, Any]], keras.Model]) -> None:
        self.build = build

    def __call__(self, meta: dict[str, Any]) -> keras.Model:
        return self.build(meta)

    def __repr__(self) -> str:
        return self.build.__name__


def classifier(meta: dict[str, Any]) -> keras.Model:
    """A small classifier that runs op by op: nothing is compiled for each of the many shapes of the checks."""
    several = meta["target_type_"] == "multilabel-indicator"
    layer = keras.layers.Dense(meta["n_classes_"], "sigmoid" if several else "softmax", kernel_initializer="zeros")
    model = keras.Sequential([keras.Input(meta["X_shape_"][1:]), layer])
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def regressor(meta: dict[str, Any]) -> keras.Model:
    """The same for numbers."""
    model = keras.Sequential(
        [keras.Input(meta["X_shape_"][1:]), keras.layers.Dense(meta["n_outputs_"], kernel_initializer="zeros")]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    return model


@parametrize_with_checks(
    [
        KerasClassifier(Builder(classifier), epochs=1, batch_size=-1, random_state=0),
        KerasRegressor(Builder(regressor), epochs=1, batch_size=-1, random_state=0),
    ],
    expected_failed_checks=lambda _: EXPECTED,
)
def test_estimators_are_what_scikit_learn_expects(estimator: Any, check: Callable[[Any], None]) -> None:
    """Each of scikit-learn's checks passes, but for the listed ones."""
    check(estimator)
