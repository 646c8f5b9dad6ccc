"""Averages of models."""

import numpy as np
import pytest

from dialed.errors import InvalidInputError

keras = pytest.importorskip("keras")

from dialed.engine.ensemble import average


def sequential(width, seed, inputs=4):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(width)])


def named(seed):
    keras.utils.set_random_seed(seed)
    parts = {name: keras.Input((3,), name=name) for name in ("b", "a")}
    joined = keras.layers.Concatenate()([parts["a"], parts["b"]])
    return keras.Model(parts, {"low": keras.layers.Dense(1)(joined), "high": keras.layers.Dense(2)(joined)})


def test_the_prediction_is_the_mean_of_the_predictions():
    models, rows = [sequential(2, seed) for seed in range(3)], np.random.default_rng(0).normal(size=(5, 4))
    expected = np.mean([m.predict(rows, verbose=0) for m in models], axis=0)
    np.testing.assert_allclose(average(models).predict(rows, verbose=0), expected, atol=1e-6)


def test_named_inputs_and_outputs_keep_their_names():
    models = [named(seed) for seed in range(2)]
    rows = {name: np.random.default_rng(0).normal(size=(5, 3)) for name in ("a", "b")}
    mean = average(models).predict(rows, verbose=0)
    for name in ("low", "high"):
        expected = np.mean([m.predict(rows, verbose=0)[name] for m in models], axis=0)
        np.testing.assert_allclose(mean[name], expected, atol=1e-6)


def test_an_ensemble_can_be_saved_and_loaded(tmp_path):
    ensemble, rows = average([sequential(2, 0), sequential(2, 1)]), np.ones((2, 4))
    ensemble.save(tmp_path / "ensemble.keras")
    loaded = keras.models.load_model(tmp_path / "ensemble.keras")
    np.testing.assert_allclose(loaded.predict(rows, verbose=0), ensemble.predict(rows, verbose=0), atol=1e-6)


def test_models_of_other_shapes_are_refused():
    with pytest.raises(InvalidInputError, match="must have outputs of the same shape"):
        average([sequential(2, 0), sequential(3, 0)])
    with pytest.raises(InvalidInputError, match="must have inputs of the same shape"):
        average([sequential(2, 0), sequential(2, 0, inputs=5)])


def test_models_that_do_not_know_their_inputs_are_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(InvalidInputError, match="must know their inputs(.|\n)*Got a Own"):
        average([Own(), Own()])
