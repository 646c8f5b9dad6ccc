"""A model comes back from its checkpoint as it was."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dialed.engine.data import Data
from dialed.engine.export import load_model
from dialed.engine.probe import probe
from dialed.engine.recipe import Recipe
from dialed.errors import CheckpointError

pytestmark = pytest.mark.slow  # each test compiles programs


def build(hp: Any, *, shape: tuple[Any, ...] = (keras.Input((4,)),)) -> keras.Model:
    units = hp.Int("units", 1, 9)
    layers = [keras.layers.Dense(units), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    model = keras.Sequential([*shape, *layers])
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def without_shape(hp: Any) -> keras.Model:
    return build(hp, shape=())


def data() -> Data:
    rng = np.random.default_rng(0)
    return Data.of(rng.normal(size=(24, 4)), rng.normal(size=24), validation_split=0.5)


@pytest.mark.parametrize("builder", [build, without_shape])
def test_the_best_weights_score_what_the_best_epoch_scored(bench: Any, builder: Any) -> None:
    outcome = bench.train(builder, 3, data=data(), values={"units": 3})
    arrays, meta = bench.state(outcome.best)
    fold = data().fold(0)
    recipe = Recipe(builder, {})
    probe(recipe, {}, data())  # which is how a recipe gets to know the inputs' shapes
    model = load_model(recipe, {"units": 3}, outcome.key.seed, arrays)
    assert model.evaluate(*fold.validation, batch_size=8, verbose=0) == meta["score"]


def test_weights_of_another_model_are_refused(bench: Any) -> None:
    outcome = bench.train(build, 1, data=data(), values={"units": 3})
    arrays, _ = bench.state(outcome.best)
    with pytest.raises(CheckpointError, match=r"must fit the model: trainable/0 is \(4, 3\) in the checkpoint"):
        load_model(Recipe(build, {}), {"units": 4}, 0, arrays)


def test_a_build_that_fails_now_is_said() -> None:
    with pytest.raises(
        CheckpointError, match="must build the model that was saved. With its values it failed: ZeroDiv"
    ):
        load_model(Recipe(lambda hp: 1 / 0, {}), {}, 0, {})
