"""Priors from range tests: found before a search, once for each model that has the rate, and kept on resume."""

import logging
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

import dialed
from dialed.errors import InvalidInputError
from dialed.space import Choice, Condition, Float, Hyperparameter, Space
from dialed.study import priors
from dialed.study.arguments import Prepared
from dialed.tools import lr_range

RATE = Float(1e-5, 1.0, sampling="log", prior="range_test")
SPACE = Space(
    [
        Hyperparameter("kind", Choice(["adam", "sgd"])),
        Hyperparameter("adam_rate", RATE, (Condition("kind", ("adam",)),)),
        Hyperparameter("sgd_rate", RATE, (Condition("kind", ("sgd",)),)),
    ]
)


@pytest.fixture
def prepared():
    return Prepared(data=None, recipe=None, space=SPACE, terms=SimpleNamespace(seed=0), probe=None, builds=1)


@pytest.fixture
def told(monkeypatch):
    """The values that were tested; each test tells `told.result`."""
    told = SimpleNamespace(values=[], result=SimpleNamespace(suggestion=3e-3, range=(1e-3, 1e-2), reason=""))

    def tested(recipe, data, values, *, seeds):
        told.values.append(dict(values))
        return told.result

    monkeypatch.setattr(lr_range, "range_test_of", tested)
    return told


def test_each_model_is_tested_with_its_own_rate(prepared, told):
    space = priors.with_priors(prepared, None).space
    assert [values["kind"] for values in told.values] == ["adam", "sgd"]
    assert all(f"{values['kind']}_rate" in values for values in told.values)
    assert space["sgd_rate"].domain.prior == (1e-3, 1e-2)
    assert space["sgd_rate"].domain.default == 3e-3


def test_a_default_that_is_given_stays(prepared, told):
    own = Float(1e-5, 1.0, sampling="log", default=0.1, prior="range_test")
    given = Space([Hyperparameter("rate", own)])
    found = priors.with_priors(priors.replace(prepared, space=given), None).space
    assert found["rate"].domain.default == 0.1
    assert found["rate"].domain.prior == (1e-3, 1e-2)


def test_what_an_earlier_session_found_is_kept(prepared, told):
    before = priors.with_priors(prepared, None).space.to_json()
    told.values.clear()
    assert priors.with_priors(prepared, before).space.to_json() == before
    assert not told.values


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (SimpleNamespace(suggestion=None, range=None, reason="the loss never fell"), "because the loss never fell"),
        (SimpleNamespace(suggestion=2.0, range=(2.0, 9.0), reason=""), "suggests 2 to 9, outside of its range"),
    ],
)
def test_without_a_suggestion_the_range_stays_and_the_log_says_why(prepared, told, result, why, caplog):
    told.result = result
    with caplog.at_level(logging.WARNING, "dialed"):
        space = priors.with_priors(prepared, None).space
    assert space["adam_rate"].domain == Float(1e-5, 1.0, sampling="log")
    assert why in caplog.text


def test_a_function_cannot_have_one():
    def function(hp):
        return hp.Float("rate", 1e-4, 1.0, sampling="log", prior="range_test")

    with pytest.raises(
        InvalidInputError, match="Hyperparameter `rate`: `prior`='range_test' must come with a Keras build"
    ):
        dialed.optimize(function, direction="min", max_trials=2, store="sqlite:///:memory:", verbose=0)


@pytest.mark.slow
def test_a_search_tries_what_the_test_suggests_first():
    x = np.random.default_rng(0).normal(size=(240, 4)).astype("float32")

    def build(hp):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
        rate = hp.Float("rate", 1e-6, 10.0, sampling="log", prior="range_test")
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    tuner = dialed.Tuner(
        build, "val_loss", max_trials=9, strategy="random", confirm=False, seed=0, verbose=0, store="sqlite:///:memory:"
    )
    study = tuner.search(x, x.sum(axis=1), validation_split=0.25, epochs=1)
    domain = study.space["rate"].domain
    assert study.trials[0].values["rate"] == domain.default
    low, high = domain.prior
    assert low <= domain.default <= high
    inside = [low <= trial.values["rate"] <= high for trial in study.trials]
    assert sum(inside) >= 3, "half of the tries lie there, of a range of seven powers of ten"
