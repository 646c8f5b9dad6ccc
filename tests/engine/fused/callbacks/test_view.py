"""A view shows a lane's state through a model, and finds what was assigned."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from dialed.engine.failures import MemberFailed
from dialed.engine.fused.callbacks.view import View
from dialed.engine.fused.initial import build_valueless


def built():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.BatchNormalization()])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def model():
    return build_valueless(built)[0]


@pytest.fixture
def state(model):
    groups = (model.trainable_variables, model.non_trainable_variables, model.optimizer.variables)
    random = np.random.default_rng(0)
    return tuple([np.asarray(random.normal(size=v.shape), v.dtype) for v in group] for group in groups)


def test_a_model_has_the_state_that_it_is_shown(model, state):
    view = View(model, prepare=lambda: None)
    view.show(state)
    for got, expected in zip(model.trainable_variables, state[0], strict=True):
        np.testing.assert_array_equal(np.asarray(got), expected)
    assert float(model.optimizer.learning_rate) == state[2][1]
    assert view.take(state) == set()


def test_what_is_assigned_is_found_and_nothing_else(model, state):
    view = View(model, prepare=lambda: None)
    view.show(state)
    before = [array.copy() for array in state[0]]
    model.optimizer.learning_rate = 0.25
    model.layers[0].bias.assign([3.0, 4.0])
    assert view.take(state) == {(0, 1), (2, 1)}
    np.testing.assert_array_equal(state[0][1], [3.0, 4.0])
    np.testing.assert_array_equal(state[0][0], before[0])
    assert state[2][1] == np.float32(0.25)


def test_what_is_read_is_a_copy(model, state):
    view = View(model, prepare=lambda: None)
    view.show(state)
    seen = model.get_weights()[0]
    kept = seen.copy()
    state[0][0] += 1.0
    np.testing.assert_array_equal(seen, kept)


def test_showing_reads_nothing(model, state):
    class Untouched(np.ndarray):
        def __array__(self, *_, **__):
            raise AssertionError("was read")

    view = View(model, prepare=lambda: None)
    view.show(tuple([array.view(Untouched) for array in group] for group in state))


def test_metrics_hold_what_they_measured_and_nothing_when_an_epoch_begins(model, state):
    rows = np.zeros((4, 3), "float32")
    view = View(model, lambda: model._symbolic_build(data_batch=(rows, rows[:, :2], None)))
    view.show(state, [np.float32(3.0), np.float32(2.0)])  # nobody has asked for metrics: they are not built
    view.prepare()
    view.show(state, [np.float32(3.0), np.float32(2.0)])
    assert float(model.get_metrics_result()["loss"]) == 1.5
    view.show(state)
    assert float(model.get_metrics_result()["loss"]) == 0.0


def test_other_variables_than_those_of_the_program_are_refused(model):
    view = View(model, prepare=lambda: None)
    view.check_variables()
    model.layers[0].trainable = False
    with pytest.raises(MemberFailed, match="`callbacks` must leave it to the build function which variables"):
        view.check_variables()
