"""Initial values equal those of Keras, without a compile."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import jax
import keras
import numpy as np
import pytest
from keras import initializers, layers
from keras.src.backend import compute_output_spec
from keras.src.backend.common import global_state

from dialed.engine.fused.initial import build_valueless, initial_value, values_from_numpy

SHAPE = (6, 10)
FAMILIES: dict[str, Callable[[], keras.Initializer]] = {
    "zeros": initializers.Zeros,
    "ones": initializers.Ones,
    "constant": lambda: initializers.Constant(0.1),
    "constant array": lambda: initializers.Constant(np.float64(0.1)),
    "identity": lambda: initializers.Identity(0.3),
    "random uniform": lambda: initializers.RandomUniform(-0.3, 1.7, seed=3),
    "random normal": lambda: initializers.RandomNormal(0.2, 0.7, seed=3),
    "truncated normal": lambda: initializers.TruncatedNormal(0.2, 0.7, seed=3),
    "glorot uniform": lambda: initializers.GlorotUniform(seed=3),
    "glorot normal": lambda: initializers.GlorotNormal(seed=3),
    "he uniform": lambda: initializers.HeUniform(seed=3),
    "he normal": lambda: initializers.HeNormal(seed=3),
    "lecun uniform": lambda: initializers.LecunUniform(seed=3),
    "lecun normal": lambda: initializers.LecunNormal(seed=3),
    "untruncated": lambda: initializers.VarianceScaling(2, "fan_out", "untruncated_normal", seed=3),
    "orthogonal": lambda: initializers.Orthogonal(0.7, seed=3),
    "numpy setting": lambda: initializers.RandomNormal(0.0, np.float32(0.7), seed=3),
}


def valueless(initializer: object, shape: tuple[int, ...], dtype: str) -> keras.Variable:
    with keras.StatelessScope(initialize_variables=False):
        variable = keras.Variable(initializer, shape=shape, dtype=dtype)
    # Else the next model of this process would initialise it too.
    global_state.set_global_attribute("uninitialized_variables", [])
    return variable


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("family", FAMILIES)
def test_values_equal_those_of_keras_bit_for_bit(family, dtype):
    initializer = FAMILIES[family]()
    with jax.enable_x64(dtype == "float64"):
        value = initial_value(valueless(initializer, SHAPE, dtype))
        expected = np.asarray(initializer(SHAPE, dtype=dtype))
    assert value.dtype == dtype == expected.dtype
    np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "int32", "bool"])
@pytest.mark.parametrize("family", ["zeros", "ones", "constant"])
def test_constants_equal_those_of_keras_in_every_type(family, dtype):
    initializer = FAMILIES[family]()
    value, expected = initial_value(valueless(initializer, (3,), dtype)), np.asarray(initializer((3,), dtype=dtype))
    assert value.dtype == expected.dtype
    np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("family", ["glorot uniform", "truncated normal"])
def test_short_floats_are_left_to_keras(family, dtype):
    initializer = FAMILIES[family]()
    value = initial_value(valueless(initializer, SHAPE, dtype))
    np.testing.assert_array_equal(value, np.asarray(initializer(SHAPE, dtype=dtype)))


@pytest.mark.parametrize("shape", [(5,), (3, 2, 2, 6), (4, 12)])
@pytest.mark.parametrize("family", ["glorot uniform", "orthogonal"])
def test_fans_and_factors_follow_the_shape(family, shape):
    initializer = FAMILIES[family]()
    if family == "orthogonal" and len(shape) == 1:
        with pytest.raises(ValueError, match="at least two-dimensional"):
            initial_value(valueless(initializer, shape, "float32"))
        return
    np.testing.assert_array_equal(
        initial_value(valueless(initializer, shape, "float32")), np.asarray(initializer(shape, dtype="float32"))
    )


def test_a_seed_generator_moves_on_as_in_keras():
    initializer, stock = (initializers.HeNormal(seed=keras.random.SeedGenerator(5)) for _ in range(2))
    drawn = [initial_value(valueless(initializer, SHAPE, "float32")) for _ in range(2)]
    np.testing.assert_array_equal(drawn, [np.asarray(stock(SHAPE)) for _ in range(2)])
    assert not np.array_equal(*drawn)


class Ramp(keras.Initializer):
    def __call__(self, shape, dtype=None):
        return keras.ops.reshape(keras.ops.arange(int(np.prod(shape)), dtype=dtype), shape)


class Doubled(initializers.GlorotUniform):
    def __call__(self, shape, dtype=None):
        return 2 * super().__call__(shape, dtype)


@pytest.mark.parametrize("initializer", [Ramp(), Doubled(seed=1), initializers.STFT()], ids=["own", "subclass", "stft"])
def test_other_initialisers_give_their_own_values(initializer):
    shape = (8, 1, 5)
    np.testing.assert_array_equal(
        initial_value(valueless(initializer, shape, "float32")), np.asarray(initializer(shape, dtype="float32"))
    )


def small_model() -> keras.Model:
    model = keras.Sequential([keras.Input((4, 3)), layers.LSTM(3), layers.Dropout(0.3), layers.Dense(2)])
    model.compile(keras.optimizers.Adam(1e-3), "mse", metrics=["mae"])
    return model


def values_of(model: keras.Model) -> list[np.ndarray]:
    return [np.asarray(variable.value) for variable in model.variables]


def test_a_build_without_values_gives_those_of_the_ordinary_build():
    keras.utils.set_random_seed(8)
    expected, after = values_of(small_model()), random.random()
    keras.utils.set_random_seed(8)
    model, values = build_valueless(small_model)
    assert random.random() == after  # the same draws from Python's generator
    assert all(variable._value is None for variable in model.variables)
    for value, variable, stock in zip(values, model.variables, expected, strict=True):
        assert value.dtype == stock.dtype == variable.dtype
        np.testing.assert_array_equal(value, stock)
        np.testing.assert_array_equal(np.asarray(variable.value), stock)


def test_a_model_without_values_still_predicts_and_can_be_given_weights():
    keras.utils.set_random_seed(8)
    model, _ = build_valueless(small_model)
    x = np.ones((2, 4, 3), "float32")
    first = np.asarray(model(x))
    model.set_weights([np.asarray(weight.value) + 1 for weight in model.weights])
    assert not np.array_equal(np.asarray(model(x)), first)


def test_values_that_the_builder_assigned_are_kept():
    def build() -> keras.Model:
        model = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
        model.layers[0].set_weights([np.full((2, 2), 3.0), np.full(2, 4.0)])
        return model

    _, values = build_valueless(build)
    np.testing.assert_array_equal(values[0], np.full((2, 2), 3.0))


def test_keras_initialises_as_before_after_a_build_that_failed():
    from keras.src.backend.jax.core import JaxVariable

    stock = JaxVariable._initialize_with_initializer
    with pytest.raises(ZeroDivisionError):
        build_valueless(lambda: 1 / 0)
    assert JaxVariable._initialize_with_initializer is stock


def test_other_threads_build_as_keras_does():
    built: list[keras.Variable] = []
    build = threading.Thread(target=lambda: built.append(keras.Variable("zeros", shape=(2,))))
    with values_from_numpy():
        build.start()
        build.join()
        ours = keras.Variable("zeros", shape=(2,))
    assert built[0]._value is not None
    assert ours._value is None
    np.testing.assert_array_equal(initial_value(ours), np.zeros(2))


def test_no_new_width_is_compiled():
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: compiled.append(event))

    def build(width: int) -> keras.Model:
        return keras.Sequential([keras.Input((5,)), layers.Dense(width), layers.BatchNormalization(), layers.Dense(2)])

    build_valueless(lambda: build(31))  # whatever is compiled once only
    compiled.clear()
    build_valueless(lambda: build(37))
    assert [event for event in compiled if "backend_compile" in event] == []
    build(41)  # the negative control: an ordinary build does compile
    assert [event for event in compiled if "backend_compile" in event]


def test_a_model_that_waits_for_a_batch_starts_as_in_keras_without_a_compilation():
    def build(width: int) -> keras.Model:
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Dense(width), layers.Dense(2)])
        compute_output_spec(model, keras.KerasTensor((4, 5)), training=False)
        return model

    with values_from_numpy():
        build(43)  # whatever is compiled once only
        compiled: list[str] = []
        jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: compiled.append(event))
        model = build(47)
        assert [event for event in compiled if "backend_compile" in event] == []
    for found, expected in zip(model.variables, build(47).variables, strict=True):
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


def pictures() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", kernel_initializer="he_normal")(inputs)
    x = layers.BatchNormalization(beta_initializer="ones")(x)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    x = layers.SeparableConv2D(5, 3, padding="same")(x)
    x = layers.DepthwiseConv2D(3)(x)
    x = layers.GroupNormalization(groups=5)(x)
    x = layers.SpatialDropout2D(0.2)(x)
    x = layers.SpectralNormalization(layers.Conv2DTranspose(3, 3))(x)
    x = layers.GaussianNoise(0.1)(layers.Flatten()(x))
    outputs = layers.Dense(3, kernel_initializer="lecun_normal", bias_initializer="random_normal")(x)
    return keras.Model(inputs, outputs)


def words() -> keras.Model:
    inputs = keras.Input((6,), dtype="int32")
    x = layers.Embedding(9, 8)(inputs)
    x = layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x)
    x = layers.LayerNormalization()(x)
    x = layers.Bidirectional(layers.GRU(3, return_sequences=True))(x)
    x = layers.LSTM(4, return_sequences=True, dropout=0.1)(x)
    x = layers.ConvLSTM1D(2, 3, padding="same", return_sequences=True)(layers.Reshape((6, 4, 1))(x))
    x = layers.Reshape((6, 8))(x)
    x = layers.EinsumDense("bij,jk->bik", (None, 5), kernel_initializer="orthogonal")(x)
    outputs = layers.Dense(2, kernel_initializer="truncated_normal")(layers.GlobalAveragePooling1D()(x))
    return keras.Model(inputs, outputs)


@pytest.mark.slow
@pytest.mark.parametrize("build", [pictures, words])
def test_every_kind_of_layer_starts_as_in_an_ordinary_build(build):
    keras.utils.set_random_seed(21)
    expected = values_of(build())
    keras.utils.set_random_seed(21)
    _, values = build_valueless(build)
    assert len(values) == len(expected) > 15
    for value, stock in zip(values, expected, strict=True):
        np.testing.assert_array_equal(value, stock)
