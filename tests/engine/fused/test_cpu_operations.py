"""The CPU forms of convolution and pooling have Keras's own values and gradients."""

from __future__ import annotations

import threading
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from keras import ops

from dialed.engine.fused.cpu_operations import cpu_operations

PLACES = {1: (11,), 2: (9, 10), 3: (5, 6, 4)}
SLOW = pytest.mark.slow


def inputs_of(dimensions: int, channels: int, data_format: str, *, ties: bool = False) -> np.ndarray:
    rng = np.random.default_rng(dimensions * 100 + channels)
    shape = (2, *PLACES[dimensions], channels)
    # Few different whole numbers make many ties.
    x = rng.integers(-1, 2, shape).astype("float64") if ties else rng.normal(size=shape)
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)


def value_and_gradients(function: Any, *arrays: np.ndarray) -> list[np.ndarray]:
    def weighted(*arguments: Any) -> tuple[Any, Any]:
        result = function(*arguments)
        weights = jnp.cos(jnp.arange(result.size, dtype=result.dtype)).reshape(result.shape)
        return jnp.sum(weights * result), result

    differentiate = jax.value_and_grad(weighted, argnums=tuple(range(len(arrays))), has_aux=True)
    (_, result), gradients = jax.jit(lambda *arguments: differentiate(*arguments))(*arrays)
    return [np.asarray(result), *map(np.asarray, gradients)]


def assert_same(function: Any, *arrays: np.ndarray) -> None:
    with jax.enable_x64(True):
        stock = value_and_gradients(function, *arrays)
        text = jax.jit(function).lower(*arrays).as_text()
        with cpu_operations():
            ours = value_and_gradients(function, *arrays)
            our_text = jax.jit(lambda *arguments: function(*arguments)).lower(*arrays).as_text()
    assert "convolution" in text or "reduce_window" in text
    assert "convolution" not in our_text and "reduce_window" not in our_text  # the form was in fact used
    for mine, theirs in zip(ours, stock, strict=True):
        assert mine.shape == theirs.shape and mine.dtype == theirs.dtype
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("dimensions", "size", "strides", "padding", "dilation", "groups", "data_format"),
    [
        (1, 3, 1, "same", 1, 1, "channels_last"),
        (2, 3, 1, "valid", 1, 1, "channels_last"),
        (2, 3, 2, "same", 1, 2, "channels_first"),
        pytest.param(1, 4, 2, "same", 1, 1, "channels_first", marks=SLOW),
        pytest.param(1, 3, 1, "valid", 2, 1, "channels_last", marks=SLOW),
        pytest.param(2, 1, 1, "valid", 1, 1, "channels_last", marks=SLOW),
        pytest.param(2, 1, 2, "same", 1, 1, "channels_last", marks=SLOW),
        pytest.param(2, 5, 3, "same", 1, 1, "channels_last", marks=SLOW),
        pytest.param(2, 3, 1, "same", 3, 1, "channels_last", marks=SLOW),
        pytest.param(2, 4, 1, "same", 1, 4, "channels_last", marks=SLOW),
        pytest.param(2, 2, 2, "valid", 1, 1, "channels_first", marks=SLOW),
        pytest.param(3, 2, 1, "same", 1, 2, "channels_last", marks=SLOW),
    ],
)
def test_convolution_equals_keras_s(dimensions, size, strides, padding, dilation, groups, data_format):
    x = inputs_of(dimensions, 4, data_format)
    kernel = np.random.default_rng(1).normal(size=(size,) * dimensions + (4 // groups, 8))
    assert_same(lambda x, k: ops.conv(x, k, strides, padding, data_format, dilation), x, kernel)


@pytest.mark.parametrize(
    ("dimensions", "size", "strides", "padding", "dilation", "multiplier", "data_format"),
    [
        (2, 3, 1, "same", 1, 2, "channels_last"),
        pytest.param(1, 3, 1, "valid", 2, 1, "channels_last", marks=SLOW),
        pytest.param(2, 3, 2, "valid", 1, 1, "channels_first", marks=SLOW),
        pytest.param(2, 4, 2, "same", 1, 3, "channels_last", marks=SLOW),
    ],
)
def test_depthwise_convolution_equals_keras_s(dimensions, size, strides, padding, dilation, multiplier, data_format):
    x = inputs_of(dimensions, 3, data_format)
    kernel = np.random.default_rng(1).normal(size=(size,) * dimensions + (3, multiplier))
    assert_same(lambda x, k: ops.depthwise_conv(x, k, strides, padding, data_format, dilation), x, kernel)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strides", "data_format"), [(1, "channels_last"), (2, "channels_last"), (1, "channels_first")]
)
def test_separable_convolution_equals_keras_s(strides, data_format):
    rng = np.random.default_rng(1)
    depthwise, pointwise = rng.normal(size=(3, 3, 3, 2)), rng.normal(size=(1, 1, 6, 5))
    x = inputs_of(2, 3, data_format)
    assert_same(lambda x, d, p: ops.separable_conv(x, d, p, strides, "same", data_format), x, depthwise, pointwise)


POOLINGS = [
    (2, 2, 2, "valid", "channels_last"),
    (2, 3, 2, "same", "channels_last"),
    pytest.param(1, 2, 2, "valid", "channels_last", marks=SLOW),
    pytest.param(1, 3, 1, "same", "channels_first", marks=SLOW),
    pytest.param(2, 2, 2, "same", "channels_last", marks=SLOW),
    pytest.param(2, 2, 2, "valid", "channels_first", marks=SLOW),
    pytest.param(2, 3, 1, "valid", "channels_last", marks=SLOW),
    pytest.param(2, 2, 3, "valid", "channels_last", marks=SLOW),
    pytest.param(2, (2, 3), (1, 2), "same", "channels_last", marks=SLOW),
    pytest.param(3, 2, 2, "valid", "channels_last", marks=SLOW),
]


@pytest.mark.parametrize(("dimensions", "size", "strides", "padding", "data_format"), POOLINGS)
@pytest.mark.parametrize("operation", [ops.max_pool, ops.average_pool], ids=["max", "average"])
def test_pooling_equals_keras_s_also_where_values_tie(operation, dimensions, size, strides, padding, data_format):
    x = inputs_of(dimensions, 3, data_format, ties=True)
    assert_same(lambda x: operation(x, size, strides, padding, data_format), x)


@pytest.mark.parametrize("strides", [2, 1])
def test_max_pooling_keeps_nan_infinity_and_signs(strides):
    x = np.ones((1, 4, 4, 1), "float32")
    x[0, 0, 0, 0], x[0, 1, 3, 0], x[0, 2:, :2] = np.nan, np.inf, -np.inf
    expected = np.asarray(ops.max_pool(x, 2, strides))
    with cpu_operations():
        np.testing.assert_array_equal(np.asarray(ops.max_pool(x, 2, strides)), expected)


def test_other_types_fall_through_to_keras():
    x, kernel = jnp.ones((1, 5, 5, 2), "bfloat16"), jnp.ones((3, 3, 2, 4), "bfloat16")
    with cpu_operations():
        assert "convolution" in jax.jit(ops.conv).lower(x, kernel).as_text()


def test_an_empty_output_has_keras_s_error():
    with cpu_operations(), pytest.raises(ValueError, match="empty output"):
        ops.conv(np.ones((1, 2, 2, 1), "float32"), np.ones((3, 3, 1, 1), "float32"))


def test_convolutions_may_be_left_to_keras():
    def network(x: Any, kernel: Any) -> Any:
        return ops.max_pool(ops.conv(x, kernel), 2, 2)

    x, kernel = np.ones((1, 6, 6, 2), "float32"), np.ones((3, 3, 2, 4), "float32")
    with cpu_operations(), cpu_operations(convolutions=False):
        text = jax.jit(network).lower(x, kernel).as_text()
    assert "convolution" in text and "reduce_window" not in text


def test_keras_s_operations_come_back_after_nested_contexts_and_errors():
    from keras.src.backend.jax import nn

    stock = nn.conv
    with pytest.raises(ZeroDivisionError), cpu_operations():
        with cpu_operations():
            assert nn.conv is not stock
        assert nn.conv is not stock
        _ = 1 / 0
    assert nn.conv is stock


def test_other_threads_keep_keras_s_operations():
    x, kernel = np.ones((1, 5, 5, 2), "float32"), np.ones((3, 3, 2, 4), "float32")
    texts: list[str] = []
    trace = threading.Thread(target=lambda: texts.append(jax.jit(ops.conv).lower(x, kernel).as_text()))
    with cpu_operations():
        trace.start()
        trace.join()
    assert "convolution" in texts[0]


@pytest.mark.slow
def test_a_network_of_layers_trains_the_same():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(6, 3, activation="relu"),
            layers.AveragePooling2D(2, padding="same"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(2),
        ]
    )
    x = np.random.default_rng(0).normal(size=(5, 12, 12, 3)).astype("float32")
    weights = [variable.value for variable in model.trainable_variables]

    def loss(weights: Any) -> Any:
        return jnp.sum(jnp.square(model.stateless_call(weights, [], x, training=True)[0]))

    stock = jax.jit(jax.value_and_grad(loss))(weights)
    with cpu_operations():
        ours = jax.jit(lambda weights: jax.value_and_grad(loss)(weights))(weights)
    jax.tree.map(lambda mine, theirs: np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5), ours, stock)
