"""Optimizers by name, in the place of a model's own."""

import re

import keras
import pytest

from dialed.errors import InvalidInputError
from dialed.space import HyperParameters
from dialed.tools.optimizers.contestants import AS_BUILT, CHOICE, KNOWN, Contestants, makers_of, switched


def build(hp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(hp.Int("units", 1, 4))])
    model.compile(keras.optimizers.SGD(0.5), "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("name", list(KNOWN))
def test_each_known_optimizer_has_the_rate_that_it_is_given(name):
    assert float(KNOWN[name](0.25).learning_rate) == 0.25


def test_a_model_keeps_all_but_its_optimizer():
    model = switched(build, lambda: KNOWN["lion"](0.1))(HyperParameters())
    assert type(model.optimizer).__name__ == "Lion"
    assert model.loss == "mse"
    assert model.compiled


def test_the_choice_of_who_trains_is_a_hyperparameter_beside_the_models_own():
    contestants = Contestants(build, KNOWN, {"adam": 0.2})
    hp = HyperParameters()
    assert type(contestants.build(hp).optimizer).__name__ == "SGD"
    assert hp.asked == {CHOICE: AS_BUILT, "units": 1}
    other = contestants.build(HyperParameters({CHOICE: "adam", "units": 3}))
    assert float(other.optimizer.learning_rate) == pytest.approx(0.2)


def test_a_loss_scale_stays_around_the_optimizer():
    def scaled(hp):
        model = build(hp)
        model.optimizer = keras.optimizers.LossScaleOptimizer(model.optimizer)
        return model

    model = switched(scaled, lambda: KNOWN["adam"](0.1))(HyperParameters())
    assert type(model.optimizer.inner_optimizer).__name__ == "Adam"


def test_names_are_taken_as_they_are_asked_for():
    assert list(makers_of(["lion", "sgd"])) == ["lion", "sgd"]
    assert list(makers_of(None)) == list(KNOWN)
    own = {"heavy": lambda rate: keras.optimizers.SGD(rate, momentum=0.98)}
    assert makers_of(own)["heavy"](0.1).momentum == 0.98


@pytest.mark.parametrize(
    ("optimizers", "message"),
    [
        (["adamm"], "Got 'adamm'. Did you mean 'adam'?"),
        ([], "`optimizers` must name at least one"),
        ({"mine": 3}, "`optimizers` must map names to functions of a learning rate"),
        ({AS_BUILT: KNOWN["adam"]}, "`optimizers` must map names"),
        ({}, "`optimizers` must map names"),
    ],
)
def test_what_is_no_optimizer_is_refused(optimizers, message):
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        makers_of(optimizers)
