"""Which hyperparameters may change while a model is trained is found by building it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dialed

keras = pytest.importorskip("keras")

from dialed.engine.changeable import changeable
from dialed.engine.data import Data
from dialed.engine.recipe import Recipe
from dialed.space import Choice, Condition, Float, Hyperparameter, Int, Space, discover

ROWS = np.zeros((12, 8, 1), "float32")
DATA = Data.of(ROWS, np.zeros((12, 1), "float32"), seed=0)


def build(hp: Any) -> Any:
    model = keras.Sequential([keras.Input((8, 1))])
    model.add(keras.layers.Conv1D(hp.Int("filters", 2, 8), hp.Choice("kernel", [1, 3, 5]), padding="same"))
    model.add(keras.layers.GaussianNoise(hp.Float("noise", 0.0, 0.3)))
    model.add(keras.layers.AveragePooling1D(hp.Int("pool", 1, 4)))
    model.add(keras.layers.GlobalAveragePooling1D())
    for i in range(hp.Int("layers", 0, 2)):
        model.add(keras.layers.Dense(3, hp.Choice("activation", ["relu", "tanh"]), name=f"d{i}"))
    model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5)))
    model.add(keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(hp.Float("l2", 1e-6, 1e-2))))
    model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-4, 1e-1, sampling="log")), "mse")
    return model


def test_numbers_that_leave_shapes_as_they_are_may_change() -> None:
    recipe = Recipe(build, {"batch_size": dialed.Choice([4, 8])})
    space = discover(recipe).space
    assert set(space.names) > {"filters", "kernel", "pool", "layers", "activation", "batch_size"}
    assert set(changeable(recipe, space, DATA, seed=0)) == {"noise", "dropout", "l2", "rate"}


def test_what_cannot_be_built_may_not_change() -> None:
    def broken(hp: Any) -> Any:
        if hp.Float("rate", 0.1, 1.0) > 0.5:
            raise ZeroDivisionError
        model = keras.Sequential([keras.Input((8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(hp.Float("fine", 0.1, 1.0)), "mse")
        return model

    recipe = Recipe(broken)
    space = Space([Hyperparameter("rate", Float(0.1, 1.0)), Hyperparameter("fine", Float(0.1, 1.0))])
    assert changeable(recipe, space, DATA, seed=0) == ("fine",)


def test_what_is_inactive_by_default_is_looked_at_where_it_is_active() -> None:
    def build_one(hp: Any) -> Any:
        model = keras.Sequential([keras.Input((8, 1)), keras.layers.Flatten()])
        if hp.Choice("kind", ["plain", "wide"]) == "wide":
            model.add(keras.layers.Dense(hp.Int("units", 2, 9)))
            model.add(keras.layers.GaussianNoise(hp.Float("noise", 0.1, 0.5)))
        model.add(keras.layers.Dense(1))
        model.compile("sgd", "mse")
        return model

    wide = (Condition("kind", ("wide",)),)
    space = Space(
        [
            Hyperparameter("kind", Choice(["plain", "wide"])),
            Hyperparameter("units", Int(2, 9), wide),
            Hyperparameter("noise", Float(0.1, 0.5), wide),
        ]
    )
    assert changeable(Recipe(build_one), space, DATA, seed=0) == ("noise",)
