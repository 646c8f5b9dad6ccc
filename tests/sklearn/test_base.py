"""Parameters, training and pickling of the estimators."""

from __future__ import annotations

import pickle
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dialed.errors import InvalidInputError
from dialed.sklearn import KerasClassifier, KerasRegressor

RNG = np.random.default_rng(0)
X = RNG.random((24, 3)).astype(np.float32)
Y = np.where(X[:, 0] > 0.5, "yes", "no")


def build(units: int = 4, rate: float = 0.05) -> keras.Model:
    """A small classifier that runs op by op, so that nothing is compiled."""
    layers = [keras.layers.Dense(units, "relu"), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(keras.optimizers.SGD(rate), "binary_crossentropy", run_eagerly=True)
    return model


def classifier(**parameters: Any) -> KerasClassifier:
    """An estimator that trains in no time."""
    return KerasClassifier(build, **{"batch_size": -1, "random_state": 0, **parameters})


def test_the_constructor_stores_and_touches_nothing() -> None:
    """Even a list is the very object that was passed."""
    given: list[Any] = []
    assert KerasClassifier(build, callbacks=given, units=3).get_params()["callbacks"] is given


def test_parameters_of_the_build_function_are_parameters() -> None:
    """They are read, set and cloned like the constructor's own."""
    estimator = clone(classifier(units=3).set_params(rate=0.5, epochs=2, fit__shuffle=False))
    assert {"units": 3, "rate": 0.5, "epochs": 2, "fit__shuffle": False}.items() <= estimator.get_params().items()
    assert estimator.units == 3


def test_setting_parameters_leaves_clones_alone() -> None:
    """Each estimator has parameters of its own."""
    first = classifier(units=3)
    second = clone(first).set_params(units=5)
    assert (first.units, second.units) == (3, 5)


def test_an_unknown_parameter_is_refused() -> None:
    """Before anything is trained."""
    with pytest.raises(InvalidInputError, match="Did you mean `units`"):
        classifier().set_params(unit=3)
    with pytest.raises(AttributeError, match="'KerasClassifier' object has no attribute 'unit'"):
        _ = classifier().unit


def test_training_is_repeatable() -> None:
    """The same `random_state` gives the same model, whatever was drawn before."""
    first = classifier(epochs=2).fit(X, Y)
    RNG.random()
    second = classifier(epochs=2).fit(X, Y)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_the_trained_model_and_its_history_are_there() -> None:
    """`model` is the function before, and the Keras model after the fit; parameters stay what they were."""
    estimator = classifier(epochs=3)
    assert estimator.model is build
    estimator.fit(X, Y)
    assert isinstance(estimator.model, keras.Model)
    assert estimator.model is estimator.model_
    assert estimator.get_params()["model"] is build
    assert len(estimator.history_["loss"]) == 3


def test_arguments_of_fit_come_last() -> None:
    """What `fit` is called with is over the parameters; validation data are encoded too."""
    estimator = classifier().fit(X, Y, epochs=2, validation_data=(X, Y))
    assert len(estimator.history_["val_loss"]) == 2


def test_a_warm_start_goes_on() -> None:
    """The same model is trained on; its history grows."""
    estimator = classifier(warm_start=True).fit(X, Y)
    model = estimator.model_
    estimator.fit(X, Y)
    assert estimator.model_ is model
    assert estimator.current_epoch == 2


def test_a_partial_fit_is_one_epoch() -> None:
    """It knows the classes from its first call on."""
    estimator = classifier(epochs=5).partial_fit(X[:4], ["no"] * 4, classes=["no", "yes"])
    estimator.partial_fit(X, Y)
    assert estimator.current_epoch == 2
    assert estimator.classes_.tolist() == ["no", "yes"]


def test_a_fitted_estimator_is_pickled() -> None:
    """Its model travels in the `.keras` format, with the state of its optimizer."""
    estimator = classifier(epochs=2).fit(X, Y)
    data = pickle.dumps(estimator)
    assert b"model.weights.h5" in data
    read = pickle.loads(data)
    np.testing.assert_allclose(read.predict_proba(X), estimator.predict_proba(X), rtol=1e-6)
    assert int(read.model_.optimizer.iterations) == int(estimator.model_.optimizer.iterations) == 2


def test_a_training_that_ends_in_nan_is_an_error() -> None:
    """As scikit-learn's own networks have it, instead of predictions that mean nothing."""
    with pytest.raises(InvalidInputError, match="Training must end with a finite loss. Got nan. Lower the learning"):
        KerasRegressor(build_regressor, rate=1e30, epochs=5).fit(X, X[:, 0])


def build_regressor(rate: float) -> keras.Model:
    """A regressor that a large rate breaks."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True)
    return model


def test_tools_of_scikit_learn_take_the_estimators() -> None:
    """A pipeline, a cross-validation and an importance."""
    pipeline = make_pipeline(StandardScaler(), classifier(rate=0.5, epochs=20))
    assert cross_val_score(pipeline, X, Y, cv=2).shape == (2,)
    importance = permutation_importance(pipeline.fit(X, Y), X, Y, n_repeats=2, random_state=0)
    assert importance.importances_mean.argmax() == 0
