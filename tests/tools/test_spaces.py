"""Ready spaces give what Keras takes, with its own defaults first."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import dialed
from dialed import spaces
from dialed.errors import InvalidInputError
from dialed.space.discover import discover

KINDS = ("adam", "sgd", "adamw", "rmsprop", "nadam", "lion")
CLASSES = {"adam": "Adam", "sgd": "SGD", "adamw": "AdamW", "rmsprop": "RMSprop", "nadam": "Nadam", "lion": "Lion"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_optimizer_has_hyperparameters_of_its_own(kind: str) -> None:
    hp = dialed.HyperParameters({"optimizer": kind})
    made = spaces.optimizer(hp, kinds=KINDS)
    assert type(made).__name__ == CLASSES[kind]
    assert all(name == "optimizer" or name.startswith(f"{kind}_") for name in hp.asked)
    assert all(hyperparameter.conditions for hyperparameter in hp.found if hyperparameter.name != "optimizer")


def test_the_default_optimizer_is_that_of_keras() -> None:
    made = spaces.optimizer(dialed.HyperParameters())
    assert made.get_config()["learning_rate"] == pytest.approx(keras.optimizers.Adam().get_config()["learning_rate"])


def test_an_optimizer_takes_a_schedule_and_a_weight_decay() -> None:
    hp = dialed.HyperParameters()
    made = spaces.optimizer(hp, learning_rate=dialed.schedules.Cosine(0.1, steps=9), weight_decay=0.01)
    assert type(made._learning_rate).__name__ == "Cosine"
    assert made.weight_decay == 0.01
    assert list(hp.asked) == ["optimizer"]


@pytest.mark.parametrize("kinds", [("adam", "sdg"), "adam", ()])
def test_unknown_optimizers_are_refused(kinds: Any) -> None:
    with pytest.raises(InvalidInputError, match="`kinds` must be a list of names out of 'adam'"):
        spaces.optimizer(dialed.HyperParameters(), kinds=kinds)


def test_a_stack_has_the_layers_that_are_asked_for() -> None:
    hp = dialed.HyperParameters({"layers": 3, "units": 20, "dropout": 0.5, "max_norm": True})
    inputs = keras.Input((6,))
    model = keras.Model(inputs, spaces.dense_stack(hp, inputs))
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [20, 20, 20]
    assert {layer.kernel_constraint.max_value for layer in dense} == {3.0}
    assert {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)} == {0.5}


def test_by_default_next_to_nothing_is_regularised() -> None:
    found = spaces.regularisation(dialed.HyperParameters(), label_smoothing=True)
    assert (found.dropout, found.max_norm, found.label_smoothing, found.constraint()) == (0.0, None, 0.0, None)
    assert found.weight_decay == 1e-6


def test_names_are_those_of_keras() -> None:
    hp = dialed.HyperParameters()
    assert keras.activations.get(spaces.activation(hp)) is keras.activations.relu
    assert spaces.initializer(hp) == "glorot_uniform"
    for name in spaces.initializer.__kwdefaults__["kinds"]:
        assert keras.initializers.get(name) is not None
    for name in spaces.activation.__kwdefaults__["kinds"]:
        assert callable(keras.activations.get(name))


def test_by_default_images_are_left_as_they_are() -> None:
    images = np.random.default_rng(0).random((2, 8, 8, 3)).astype("float32")
    layers = spaces.augmentation(dialed.HyperParameters())
    np.testing.assert_allclose(layers(images, training=True), images, atol=1e-5)
    mirrored = spaces.augmentation(dialed.HyperParameters({"mirror": True}))
    assert any(isinstance(layer, keras.layers.RandomFlip) for layer in mirrored.layers)


def test_rate_and_batch_size_are_told_apart() -> None:
    """The hyperparameter is that of a batch of 32, whatever the batch size is."""
    rates = [spaces.batch_and_rate(dialed.HyperParameters(), batch_size=size) for size in (32, 128)]
    assert rates == [pytest.approx(1e-3), pytest.approx(2e-3)]
    assert spaces.batch_and_rate(dialed.HyperParameters(), batch_size=64, rule="linear") == pytest.approx(2e-3)


def test_the_conditions_of_all_of_them_are_found() -> None:
    def build(hp: dialed.HyperParameters) -> None:
        spaces.regularisation(hp)
        spaces.optimizer(hp)

    active = {row.name: row.active for row in discover(build).space.describe()}
    assert active["max_norm_value"] == "max_norm = True"
    assert active["sgd_momentum"] == "optimizer = sgd"
    assert active["dropout"] == "always"
