"""A learning rate is carried to another batch size by the rule that is asked for."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import pytest

import dialed
from dialed import schedules
from dialed.engine.recipe import Recipe
from dialed.engine.scaling import RateScaling
from dialed.errors import InvalidInputError
from dialed.strategies import Manual


def test_linear_and_square_root() -> None:
    assert dialed.scale_learning_rate(0.1, 32, 256, rule="linear") == pytest.approx(0.8)
    assert dialed.scale_learning_rate(1e-3, 64, 16) == pytest.approx(5e-4)


def test_by_noise_it_is_linear_far_below_the_noise_scale_and_level_far_above() -> None:
    def scaled(a: int, b: int) -> float:
        return dialed.scale_learning_rate(1.0, a, b, rule="noise", noise_scale=1000.0)

    assert scaled(1, 2) == pytest.approx(2.0, rel=1e-2)
    assert scaled(10**6, 2 * 10**6) == pytest.approx(1.0, rel=1e-2)
    assert scaled(1000, 10**9) == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("rule", ["linear", "sqrt", "noise"])
def test_there_and_back_is_where_it_began(rule: Any) -> None:
    there = dialed.scale_learning_rate(0.3, 32, 512, rule=rule, noise_scale=200.0)
    assert dialed.scale_learning_rate(there, 512, 32, rule=rule, noise_scale=200.0) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0.0}, r"`learning_rate` must be a number in the range \(0, inf\). Got 0.0"),
        ({"from_batch": 0}, r"`from_batch` must be an int in the range \[1, inf\). Got 0"),
        ({"to_batch": 2.5}, r"`to_batch` must be an int"),
        ({"rule": "cubic"}, r"`rule` must be one of 'linear', 'sqrt', 'noise'. Got 'cubic'"),
        ({"rule": "noise"}, r"`noise_scale` must be given for rule='noise'"),
        ({"rule": "noise", "noise_scale": -1.0}, r"`noise_scale` must be a number in the range \(0, inf\)"),
    ],
)
def test_what_means_nothing_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        dialed.scale_learning_rate(**{"learning_rate": 0.1, "from_batch": 32, "to_batch": 64, **arguments})


def build(hp: Any, rate: Any = 0.1) -> Any:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def test_a_trial_has_the_rate_that_its_batch_size_asks_for() -> None:
    sizes = dialed.Choice([32, 128], default=32)
    recipe = Recipe(build, {"batch_size": sizes, "lr_scaling": "sqrt"})
    rates = {size: recipe.realise({"batch_size": size}, 0) for size in (32, 128)}
    assert float(rates[32].model.optimizer.learning_rate) == pytest.approx(0.1)
    assert float(rates[128].model.optimizer.learning_rate) == pytest.approx(0.2)
    assert "lr_scaling" not in rates[32].arguments, "`fit` does not know it"


def test_a_schedule_is_scaled_as_a_whole_and_still_learns_how_long_the_training_is() -> None:
    schedule = schedules.Polynomial(0.1)
    model = build(None, schedule)
    RateScaling(rule="linear", batch_size=8).apply(model, 16)
    scaled = model.optimizer._learning_rate
    scaled.follow(10)
    assert [float(scaled(step)) for step in (0, 5)] == pytest.approx([0.2, 0.1])
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(scaled))
    assert float(again(5)) == pytest.approx(0.1)


def test_a_plain_batch_size_needs_the_one_that_rates_are_meant_for() -> None:
    made = RateScaling.of({"rule": "linear", "batch_size": 32}, 64)
    assert made is not None
    assert made.factor(64) == 2.0
    assert RateScaling.of(None, 64) is None


@pytest.mark.parametrize(
    ("given", "batch_size", "message"),
    [
        ("sqrt", 32, "`lr_scaling` must come with a `batch_size` that is tuned"),
        ("cube", dialed.Choice([8, 16]), "The `rule` must be one of"),
        ("noise", dialed.Choice([8, 16]), "The `noise_scale` must be given"),
        (3, dialed.Choice([8, 16]), "`lr_scaling` must be a rule"),
        ({"rule": "sqrt", "batchsize": 8}, 32, "Did you mean `batch_size`?"),
        ({"rule": "sqrt", "batch_size": 0}, 32, "The `from_batch` must be an int"),
    ],
)
def test_a_scaling_that_means_nothing_is_refused(given: Any, batch_size: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        RateScaling.of(given, batch_size)


@pytest.mark.slow
def test_scaled_lanes_equal_trials_whose_rates_were_scaled_by_hand() -> None:
    x = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")

    def searched(trials: list[dict[str, Any]], **arguments: Any) -> list[Any]:
        def built(hp: Any) -> Any:
            return build(hp, hp.Float("rate", 1e-3, 1.0, sampling="log"))

        tuner = dialed.Tuner(
            built,
            "loss",
            strategy=Manual(trials, default_first=False),
            max_trials=len(trials),
            confirm=False,
            engine="fused",
            seed=0,
            store="sqlite:///:memory:",
            verbose=0,
        )
        sizes = dialed.Choice([8, 32], default=8)
        return [t.score for t in tuner.search(x, x.sum(axis=1), epochs=2, batch_size=sizes, **arguments).trials]

    told = [{"batch_size": 32, "rate": 0.01}, {"batch_size": 8, "rate": 0.01}]
    by_hand = [{"batch_size": 32, "rate": 0.02}, {"batch_size": 8, "rate": 0.01}]
    assert searched(told, lr_scaling="sqrt") == pytest.approx(searched(by_hand), rel=1e-5)
