"""Models as bytes of the `.keras` format."""

from __future__ import annotations

import pickle

import keras
import numpy as np

from dialed.sklearn.saving import KerasBytes, copied

X = np.random.default_rng(0).random((6, 3)).astype(np.float32)


def trained() -> keras.Model:
    """A model after a step, with an optimizer that has moments."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    return model


def test_a_model_travels_with_weights_compilation_and_optimizer() -> None:
    """Through a pickle, as bytes alone."""
    model = trained()
    again = pickle.loads(pickle.dumps(KerasBytes.of(model))).model()
    for mine, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert int(again.optimizer.iterations) == 1
    assert again.loss == "mse"


def test_a_copy_shares_nothing() -> None:
    """Training the one leaves the other alone."""
    model = trained()
    other, before = copied(model), model.get_weights()
    other.fit(X, X[:, :1], epochs=1, verbose=0)
    for mine, was in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, was)
    assert int(model.optimizer.iterations) == 1


def test_a_model_that_was_not_trained_can_be_loaded_too() -> None:
    """Its optimizer has variables by then."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    assert copied(model).optimizer.built
