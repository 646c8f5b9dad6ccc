"""`KerasRegressor` predicts one number a sample, or several."""

from __future__ import annotations

import keras
import numpy as np

from dialed.sklearn import KerasRegressor

X = np.random.default_rng(0).random((20, 3)).astype(np.float32)


def one_output(meta: dict[str, int]) -> keras.Model:
    """One output with a column for each number."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(meta["n_outputs_"])])
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def two_outputs() -> keras.Model:
    """One output for each number."""
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [keras.layers.Dense(1)(inputs), keras.layers.Dense(1)(inputs)])
    model.compile("sgd", ["mse", "mse"], run_eagerly=True)
    return model


def test_one_number_is_one_axis() -> None:
    """In the type of the targets."""
    predicted = KerasRegressor(one_output).fit(X, X[:, 0].astype(float)).predict(X)
    assert predicted.shape == (20,)
    assert predicted.dtype == float


def test_several_numbers_are_columns() -> None:
    """Whether the model has one output or two."""
    for build in (one_output, two_outputs):
        assert KerasRegressor(build).fit(X, X[:, :2]).predict(X).shape == (20, 2)


def test_a_partial_fit_goes_on() -> None:
    """One epoch each."""
    regressor = KerasRegressor(one_output, epochs=4).partial_fit(X, X[:, 0]).partial_fit(X, X[:, 0])
    assert regressor.current_epoch == 2
