"""Normalization layers learn from what each fold trains on."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from dialed.engine.normalizing import adapt, finalize, normalizes

X = np.random.default_rng(0).normal(3.0, 2.0, size=(40, 4)).astype("float32")


def sequential(**options):
    return keras.Sequential([keras.Input((4,)), keras.layers.Normalization(**options), keras.layers.Dense(1)])


def functional():
    first, second = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    layer = keras.layers.Normalization()
    return keras.Model([first, second], keras.layers.Add()([first, layer(second)])), layer


def test_a_layer_behind_the_input_is_adapted():
    model = sequential()
    assert normalizes(model)
    assert adapt(model, X, again=False)
    assert np.asarray(model.layers[0](X)).mean(0) == pytest.approx(0.0, abs=1e-5)
    assert np.asarray(model.layers[0](X)).std(0) == pytest.approx(1.0, abs=1e-4)


def test_each_input_has_its_own_layer():
    model, layer = functional()
    assert adapt(model, [X, 10 * X], again=False)
    assert np.asarray(layer.adapt_mean) == pytest.approx(10 * X.mean(0), rel=1e-5)


def test_a_layer_that_was_adapted_is_adapted_again_only_where_that_is_asked_for():
    model = sequential()
    model.layers[0].adapt(5 * X)
    assert not adapt(model, X, again=False)
    assert np.asarray(model.layers[0].adapt_mean) == pytest.approx(5 * X.mean(0), rel=1e-5)
    assert adapt(model, X, again=True)
    assert np.asarray(model.layers[0].adapt_mean) == pytest.approx(X.mean(0), rel=1e-5)


def test_a_layer_with_a_mean_of_its_own_is_left_alone():
    assert not normalizes(sequential(mean=0.5, variance=2.0))


def test_a_layer_deeper_in_a_model_is_left_alone():
    deep = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), keras.layers.Normalization()])
    assert not normalizes(deep)
    assert not normalizes(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))


def test_weights_that_are_put_in_place_count_once_they_are_taken_up():
    model = sequential()
    model.layers[0].adapt_mean.assign(X.mean(0))
    model.layers[0].adapt_variance.assign(X.var(0))
    finalize(model)
    assert np.asarray(model.layers[0](X)).std(0) == pytest.approx(1.0, abs=1e-4)
