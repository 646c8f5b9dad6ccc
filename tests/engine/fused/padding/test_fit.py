"""Narrow models find their places in wider ones, or it is said why not."""

import keras
import numpy as np
import pytest
from keras import layers

from dialed.engine.fused.padding.axes import Axis, Unpaddable, widen
from dialed.engine.fused.padding.axes import narrow as narrowed
from dialed.engine.fused.padding.fit import fit
from dialed.engine.fused.padding.padding import padding_for
from dialed.engine.fused.padding.slots import Slots
from dialed.padding import Padded, padding_rule

pytestmark = pytest.mark.slow  # each test compiles programs


def built(*inner, optimizer="sgd", shape=(6,)):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(shape), *inner, layers.Dense(2)])
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def outputs(narrow, wide, x):
    """What the narrow model computes, and the wide one with the narrow one's weights and adaptations."""
    found = fit(narrow, wide)
    padding = padding_for([found], (None,) * len(wide.optimizer.variables))
    state = [[np.asarray(v) for v in group] for group in (narrow.trainable_variables, narrow.non_trainable_variables)]
    optimizer = [np.asarray(v) for v in wide.optimizer.variables]
    trainable, other, _ = padding.widened((*state, optimizer), found)
    for variables, values in ((wide.trainable_variables, trainable), (wide.non_trainable_variables, other)):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    with padding.injected(padding.examples()):
        return np.asarray(narrow(x)), np.asarray(wide(x))


LAYERS = {
    "dense": list,
    "masked": lambda: [layers.Activation("sigmoid")],
    "normalized": lambda: [layers.LayerNormalization()],
    "bare": lambda: [layers.LayerNormalization(center=False, scale=False)],
    "root mean square": lambda: [layers.RMSNormalization()],
    "unit": lambda: [layers.UnitNormalization()],
    "rescaled": lambda: [layers.Rescaling(2.0, offset=1.0)],
    "reshaped": lambda: [layers.Reshape((-1, 1)), layers.Flatten()],
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_wide_model_computes_what_the_narrow_one_does(kind):
    narrow, wide = (built(layers.Dense(u), *LAYERS[kind]()) for u in (3, 8))
    x = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    expected, found = outputs(narrow, wide, x)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


TRAINED = {
    "simple recurrence": ((5, 2), lambda u: [layers.SimpleRNN(u)]),
    "larger kernels": ((6, 2), lambda u: [layers.Conv1D(4, 3 if u < 5 else 5, padding="same"), layers.Flatten()]),
    "causal kernels": ((6, 2), lambda u: [layers.Conv1D(4, 2 if u < 5 else 3, padding="causal"), layers.Flatten()]),
    "L1 of weights": ((6,), lambda u: [layers.Dense(u, kernel_regularizer="l1")]),
    "L1 of outputs": ((6,), lambda u: [layers.Dense(u, activity_regularizer="l1")]),
    "transposed": ((6, 2), lambda u: [layers.Conv1DTranspose(u, 2), layers.GlobalMaxPooling1D()]),
}


@pytest.mark.parametrize("kind", TRAINED)
def test_a_step_of_training_leaves_padding_at_zero(kind):
    shape, inner = TRAINED[kind]
    narrow, wide = (built(*inner(u), shape=shape) for u in (3, 8))
    x, y = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32"), np.ones((4, 2), "float32")
    found = fit(narrow, wide)
    padding = padding_for([found], (None,) * len(wide.optimizer.variables))
    states = []
    for model in (narrow, wide):
        model._symbolic_build(data_batch=(x, y, None))
        groups = (model.trainable_variables, model.non_trainable_variables, model.optimizer.variables)
        states.append([[np.asarray(v) for v in group] for group in groups])
    metrics = [np.asarray(v) for v in narrow.metrics_variables]
    expected, own = narrow.train_step((*states[0], metrics), (x, y, None))
    widened = padding.widened((states[0][0], states[0][1], states[1][2]), found)
    with padding.injected(padding.examples()):
        logs, after = wide.train_step((*widened, metrics), (x, y, None))
    np.testing.assert_allclose(logs["loss"], expected["loss"], rtol=1e-5)
    for value, places, alone in zip(after[0], found.trainable, own[0], strict=True):
        own_part = narrowed(np.asarray(value), places)
        np.testing.assert_allclose(own_part, alone, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(widen(own_part, places), value)


class Own(layers.Dense):
    """A user's layer: a subclass needs a rule of its own."""


class Scale(layers.Layer):
    """A user's layer with a rule."""

    def build(self, shape):
        self.factor = self.add_weight(shape=shape[-1:], initializer="ones")

    def call(self, inputs):
        return inputs * self.factor


@padding_rule(Scale)
def scale(call):
    return Padded(outputs=call.inputs, variables=[(call.wide.factor, call.input[-1:])])


@padding_rule(Own)
def wrong(call):
    return Padded(outputs=((call.input[0], Axis(3)),))


class Stranger(layers.Layer):
    """A user's layer without a rule."""

    def call(self, inputs):
        return inputs


def test_a_users_rule_makes_a_layer_fit():
    narrow, wide = (built(layers.Dense(u), Scale()) for u in (3, 8))
    expected, found = outputs(narrow, wide, np.ones((2, 6), "float32"))
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_a_layer_that_no_width_reaches_needs_no_rule():
    assert fit(built(Stranger(), layers.Dense(3)), built(Stranger(), layers.Dense(8))).trainable


class Subclassed(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.inner, self.outer = layers.Dense(units), layers.Dense(2)

    def call(self, inputs):
        return self.outer(self.inner(inputs))


def subclassed(units):
    model = Subclassed(units)
    model(np.zeros((1, 6), "float32"))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda u: built(layers.Dense(u), Stranger()), "Stranger has no padding rule"),
        (lambda u: built(Own(u)), "the padding rule of Own expects"),
        (lambda u: built(layers.Dense(u), layers.Softmax()), "sums over an axis that differs in width"),
        (lambda u: built(layers.Dense(u, activation="softmax")), "has the activation softmax"),
        (lambda u: built(layers.Dense(u, activation=lambda x: x)), "has the activation <lambda>"),
        (lambda u: built(layers.Dense(u), optimizer="adafactor"), "Adafactor may not leave zeros alone"),
        (
            lambda u: built(layers.Dense(u), optimizer=keras.optimizers.Adam(epsilon=0.0)),
            "the optimizer's epsilon is 0",
        ),
        (
            lambda u: built(layers.Dense(u, kernel_regularizer="orthogonal_regularizer")),
            "OrthogonalRegularizer may not",
        ),
        (lambda u: built(layers.Conv1D(3, u), shape=(9, 2)), "makes images of different sizes"),
        (lambda u: built(layers.Conv1D(2 * u, 2, groups=2), shape=(9, 2)), "convolves in groups"),
        (subclassed, "Subclassed has a `call` of its own"),
    ],
)
def test_what_cannot_be_padded_is_said(make, message):
    narrow, wide = make(3), make(5)
    with pytest.raises(Unpaddable, match=message):
        fit(narrow, wide)


def test_outputs_may_not_differ():
    narrow, wide = (keras.Sequential([keras.Input((6,)), layers.Dense(u)]) for u in (3, 8))
    with pytest.raises(Unpaddable, match="the model's outputs differ in width"):
        fit(narrow, wide)


def test_slots_belong_to_the_weights_they_were_made_for():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
    slots = Slots()
    with slots.watching(optimizer):
        optimizer.build(model.trainable_variables)
    owners = slots.owners(optimizer.variables, model.trainable_variables)
    shapes = [tuple(v.shape) for v in optimizer.variables]
    assert sorted(o for o in owners if o is not None) == [0, 0, 1, 1]
    for owner, shape in zip(owners, shapes, strict=True):
        assert shape == (() if owner is None else tuple(model.trainable_variables[owner].shape))
    assert "add_variable_from_reference" not in vars(optimizer)
