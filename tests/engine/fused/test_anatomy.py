"""A model is taken apart into numbers and the rest; two builds of one function differ in numbers alone."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from dialed.engine.fused.anatomy import dissect
from dialed.engine.fused.lifted import Guards, Lifted
from dialed.engine.fused.sites import Sites, differing, plainly
from dialed.engine.seeding import seeded


def built(rate=0.5, units=3, activation="relu", momentum=0.9, **options):
    with seeded(1):
        model = keras.Sequential(
            [keras.Input((2,)), layers.Dense(units, activation=activation), layers.Dropout(rate), layers.Dense(1)]
        )
        model.compile(keras.optimizers.SGD(0.1, momentum=momentum, **options), "mse", metrics=["mae"])
        model.optimizer.build(model.trainable_variables)
    return model


REFERENCE = dissect(built())


@settings(max_examples=20, deadline=None)
@given(rate=st.floats(0.01, 0.99), momentum=st.floats(0.01, 0.99))
def test_numbers_do_not_change_the_digest(rate, momentum):
    anatomy = dissect(built(rate=rate, momentum=momentum))
    assert anatomy.digest == REFERENCE.digest
    assert sorted(anatomy.numbers) == sorted(REFERENCE.numbers)


@pytest.mark.parametrize(
    "changed",
    [
        {"units": 4},
        {"activation": "tanh"},
        {"activation": lambda x: x * 2.0},
        {"momentum": 0.0},  # no slots for velocities
        {"rate": 0.0},  # no random generator
        {"clipnorm": 1.0},
        {"nesterov": True},
        {"weight_decay": 0.1},
    ],
)
def test_everything_else_does(changed):
    assert dissect(built(**changed)).digest != REFERENCE.digest


def test_functions_that_differ_in_a_constant_differ():
    two, three, again = (
        dissect(built(activation=a)).digest for a in (lambda x: x * 2.0, lambda x: x * 3.0, lambda x: x * 2.0)
    )
    assert two != three
    assert two == again


def test_what_decays_is_part_of_the_structure():
    def decaying(names):
        with seeded(1):
            model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
            optimizer = keras.optimizers.AdamW(0.1)
            optimizer.exclude_from_weight_decay(var_names=names)
            model.compile(optimizer, "mse")
            optimizer.build(model.trainable_variables)
        return dissect(model).digest

    assert decaying(["bias"]) == decaying(["bias"]) != decaying(["kernel"])


def test_arrays_are_compared_by_their_values():
    class Shifted(layers.Layer):
        def __init__(self, shift):
            super().__init__()
            self.shift = np.full(2, shift)

        def call(self, inputs):
            return inputs + self.shift

    def shifted(shift):
        with seeded(1):
            model = keras.Sequential([keras.Input((2,)), Shifted(shift)])
            model.compile("sgd", "mse")
        return dissect(model).digest

    assert shifted(1.0) == shifted(1.0) != shifted(2.0)


def test_numbers_are_put_and_taken_back():
    model = built()
    anatomy = dissect(model)
    (path,) = differing([anatomy.numbers, dissect(built(rate=0.25)).numbers])
    place, dropout = anatomy.places[path], model.layers[1]
    with plainly([place], {path: 0.125}):
        assert dropout.rate == 0.125
    sites = Sites(places=(place,), known={path: (0.5, 0.25)}, guards=Guards())
    with pytest.raises(KeyError), sites.injected([(0.5, 0.5)]):
        assert isinstance(dropout.rate, Lifted)
        raise KeyError
    assert dropout.rate == 0.5


def test_lanes_bring_numbers_and_complements():
    anatomies = [REFERENCE, dissect(built(rate=0.25))]
    (path,) = differing([anatomy.numbers for anatomy in anatomies])
    sites = Sites(places=(REFERENCE.places[path],), known={path: (0.5, 0.25)}, guards=Guards())
    ((values, complements),) = sites.lanes([anatomy.numbers for anatomy in anatomies])
    assert (values.tolist(), complements.tolist()) == ([0.5, 0.25], [0.5, 0.75])


@pytest.mark.parametrize("changed", [{"units": 7}, {"activation": "tanh"}])
def test_widths_and_activations_do_not_change_the_outline(changed):
    other = dissect(built(**changed))
    assert other.outline == REFERENCE.outline
    assert other.digest != REFERENCE.digest
    assert any(path.endswith(".units") for path in other.sizes)


def test_what_no_rule_speaks_of_changes_the_outline():
    assert dissect(built(activation="softmax")).outline != REFERENCE.outline
