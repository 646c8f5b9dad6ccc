"""A trial is made from its values in one order, and what cannot be trained fails with its cause."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from dialed.engine.failures import MemberFailed
from dialed.engine.recipe import Recipe
from dialed.engine.seeding import seeded
from dialed.errors import InvalidInputError
from dialed.space import Choice, HyperParameters, Int, discover
from dialed.trial import Cause


def small(hp: Any) -> keras.Model:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 4, default=3))])
    model.compile("sgd", "mse")
    return model


def failure(build: Any, values: Any = None, **options: Any) -> MemberFailed:
    with seeded(0), pytest.raises(MemberFailed) as raised:
        Recipe(build, {}, **options).realise(values or {}, 0)
    return raised.value


def test_arguments_are_hyperparameters_of_their_own_names_asked_for_first() -> None:
    recipe = Recipe(small, {"batch_size": Choice([16, 32]), "epochs": Int(1, 5), "shuffle": True})
    with seeded(0):
        realised = recipe.realise({"batch_size": 32, "units": 2}, 0)
    assert realised.values == {"batch_size": 32, "epochs": 1, "units": 2}
    assert dict(realised.arguments) == {"batch_size": 32, "epochs": 1, "shuffle": True}
    assert realised.parameters == 2 * 2 + 2


def test_discovery_finds_arguments_model_and_callbacks() -> None:
    def patient(hp: Any) -> Any:
        return keras.callbacks.EarlyStopping(patience=hp.Int("patience_of_callback", 1, 3))

    with seeded(0):
        found = discover(Recipe(small, {"batch_size": Choice([16, 32]), "callbacks": [patient]}))
    assert list(found.space.names) == ["batch_size", "units", "patience_of_callback"]


def test_the_seed_decides_the_weights() -> None:
    def weights(seed: int) -> Any:
        with seeded(99):
            return Recipe(small).realise({}, seed).model.get_weights()[0].tolist()

    assert weights(1) == weights(1) != weights(2)


def test_a_build_that_raises_fails_with_its_line() -> None:
    def build(hp: Any) -> Any:
        raise KeyError("units")

    found = failure(build)
    assert found.cause is Cause.BUILD and 'raise KeyError("units")' in found.message


def test_a_requirement_that_does_not_hold_is_infeasible() -> None:
    def build(hp: HyperParameters) -> Any:
        hp.require(False, "the sum must be below 10")

    found = failure(build)
    assert (found.cause, found.message) == (Cause.INFEASIBLE, "the sum must be below 10")


def test_too_large_a_model_fails_with_its_size() -> None:
    found = failure(small, {"units": 4}, max_parameters=11)
    assert found.cause is Cause.TOO_LARGE
    assert found.message == "The model has 12 parameters, more than `max_parameters`, 11."


@pytest.mark.parametrize("returned", [None, 3, "model"])
def test_what_is_no_model_fails(returned: Any) -> None:
    assert "must return a `keras.Model`. Got" in failure(lambda hp: returned).message


def test_a_model_must_be_compiled() -> None:
    found = failure(lambda hp: keras.Sequential([keras.layers.Dense(1)]))
    assert found.cause is Cause.BUILD and "must return a compiled model" in found.message


@pytest.mark.parametrize("hypermodel", [None, 3, "build"])
def test_there_must_be_something_to_build_with(hypermodel: Any) -> None:
    with pytest.raises(InvalidInputError, match="`hypermodel` must be a function"):
        Recipe(hypermodel, {})
