"""Random numbers of a narrow tensor, drawn at the places of a wide one.

JAX's threefry computes each number from its index in the tensor alone (`jax_threefry_partitionable`, its default). So
the numbers of a tensor of the lane's own shape can be computed at wider places: each place gets the index of the own
element that stands there. The numbers are the same, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import keras.src.backend.jax.random as keras_random
import numpy as np

from dialed.engine.fused.threefry import words_at

__all__ = ["drawn_for", "indices", "normal_at", "uniform_at"]

_MOST = 2**32
"""Elements of one draw: their index is one word of threefry's counter."""


def indices(shape: Sequence[int], coordinates: Sequence[Any | None]) -> Any:
    """For each place of a wide `shape` the index of the own element that stands there.

    Args:
        shape: The wide tensor's.
        coordinates: For each axis (length,) which own element stands at each place, -1 for none; `None` where all
            places are own.

    Returns:
        uint32, of `shape`. Where no own element stands, any index.
    """
    if math.prod(shape) >= _MOST:
        raise ValueError(f"A draw must have less than 2**32 numbers. Got the shape {tuple(shape)}.")
    index: Any = jnp.zeros((1,) * len(shape), np.uint32)
    for axis, (length, own) in enumerate(zip(shape, coordinates, strict=True)):
        along = [1] * len(shape)
        along[axis] = length
        if own is None:
            count: Any = np.uint32(length)
            place = jnp.arange(length, dtype=np.uint32)
        else:
            count, place = jnp.sum(own >= 0).astype(np.uint32), jnp.maximum(own, 0).astype(np.uint32)
        index = index * count + place.reshape(along)
    return jnp.broadcast_to(index, shape)


def uniform_at(key: Any, index: Any, dtype: Any, low: Any = 0.0, high: Any = 1.0) -> Any:
    """`jax.random.uniform(key, ...)` at the places of `index`."""
    kind = np.dtype(dtype)
    width = {4: np.uint32, 8: np.uint64}[kind.itemsize]
    about = np.finfo(kind)
    bits = _bits(key, index, width) >> np.array(about.bits - about.nmant, width)
    ones = jax.lax.bitcast_convert_type(bits | np.array(1.0, kind).view(width), kind) - np.array(1.0, kind)
    low, high = jnp.asarray(low, kind), jnp.asarray(high, kind)
    return jax.lax.max(jnp.broadcast_to(low, ones.shape), ones * (high - low) + low)


def normal_at(key: Any, index: Any, dtype: Any) -> Any:
    """`jax.random.normal(key, ...)` at the places of `index`."""
    kind = np.dtype(dtype)
    lowest = np.nextafter(np.array(-1.0, kind), np.array(0.0, kind), dtype=kind)
    return np.array(np.sqrt(2), kind) * jax.lax.erf_inv(uniform_at(key, index, kind, lowest, np.array(1.0, kind)))


def _bits(key: Any, index: Any, width: Any) -> Any:
    key = jax.random.key_data(key) if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else key
    high, low = words_at(key, index)
    if width is np.uint32:
        return high ^ low
    return (high.astype(width) << np.array(32, width)) | low.astype(width)


@contextmanager
def drawn_for(coordinates: Sequence[Any | None]) -> Iterator[None]:
    """Let Keras's layers draw for the lane's own shape, inside.

    Args:
        coordinates: As for `indices`, of the tensor that is drawn for. An axis on which a draw has the length 1 where
            the tensor is longer has one number for all, as in `noise_shape`.
    """

    def at(shape: Sequence[int]) -> Any:
        own = [None if length == 1 else place for length, place in zip(shape, coordinates, strict=True)]
        return indices(shape, own)

    def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
        key = keras_random.jax_draw_seed(seed)
        return normal_at(key, at(shape), dtype or keras_random.floatx()) * stddev + mean

    def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
        key = keras_random.jax_draw_seed(seed)
        return uniform_at(key, at(shape), dtype or keras_random.floatx(), minval, maxval)

    def dropout(inputs: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
        if rate == 1.0 or rate == 0.0:
            return plain_dropout(inputs, rate, noise_shape, seed)
        key = keras_random.jax_draw_seed(seed)
        keep = 1.0 - rate
        shape = keras_random._get_concrete_noise_shape(inputs, noise_shape)
        probability = jnp.asarray(keep, jnp.result_type(keep))
        kept = jnp.broadcast_to(uniform_at(key, at(shape), probability.dtype) < probability, inputs.shape)
        return jax.lax.select(kept, inputs / keep, jnp.zeros_like(inputs))

    plain_dropout = keras_random.dropout
    with mock.patch.multiple(keras_random, normal=normal, uniform=uniform, dropout=dropout):
        yield
