"""A narrow lane draws the numbers of its own shape, bit for bit, at the places of a wide one."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from dialed.engine.fused.padding.axes import leading
from dialed.engine.fused.padding.draws import drawn_for, indices, normal_at, uniform_at

pytestmark = pytest.mark.slow  # each test compiles programs

OWN, WIDE = (3, 2, 4), (3, 5, 7)
COORDINATES = [None, *(leading(own, wide).coordinates for own, wide in zip(OWN[1:], WIDE[1:], strict=True))]
KEY = jnp.array([7, 9], np.uint32)


def own_part(wide):
    return np.asarray(wide)[:, : OWN[1], : OWN[2]]


def test_indices_count_the_own_elements():
    np.testing.assert_array_equal(own_part(indices(WIDE, COORDINATES)), np.arange(24).reshape(OWN))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_are_those_of_jax(dtype):
    with jax.enable_x64(dtype == "float64"):
        index = indices(WIDE, COORDINATES)
        uniform = jax.jit(lambda key: uniform_at(key, index, dtype, -1.5, 2.0))(KEY)
        normal = jax.jit(lambda key: normal_at(key, index, dtype))(KEY)
        np.testing.assert_array_equal(own_part(uniform), jax.random.uniform(KEY, OWN, dtype, -1.5, 2.0))
        np.testing.assert_array_equal(own_part(normal), jax.random.normal(KEY, OWN, dtype))


@pytest.mark.parametrize("noise_shape", [None, (None, 1, None)])
def test_dropout_drops_what_the_narrow_layer_drops(noise_shape):
    own = keras.ops.ones(OWN)
    expected = keras.random.dropout(own, 0.4, noise_shape=noise_shape and (OWN[0], 1, OWN[2]), seed=3)
    with drawn_for(COORDINATES):
        wide = keras.random.dropout(keras.ops.ones(WIDE), 0.4, noise_shape=noise_shape and (3, 1, 7), seed=3)
    np.testing.assert_array_equal(own_part(wide), np.asarray(expected))


def test_draws_are_keras_own_again_afterwards():
    before = np.asarray(keras.random.normal((2, 2), seed=1))
    with drawn_for([None, None]):
        inside = np.asarray(keras.random.normal((2, 2), seed=1))
    np.testing.assert_array_equal(np.asarray(keras.random.normal((2, 2), seed=1)), before)
    np.testing.assert_array_equal(inside, before)


def test_a_draw_beyond_one_word_of_the_counter_is_refused():
    with pytest.raises(ValueError, match=r"less than 2\*\*32 numbers"):
        indices((2**16, 2**16), [None, None])
