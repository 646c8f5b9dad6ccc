"""Uniform, normal and truncated normal numbers in NumPy, bit for bit those of `jax.random` on a CPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from dialed.engine.fused.threefry import Key, random_bits
from dialed.engine.fused.xla_numbers import erf_inv, multiply_add

__all__ = ["FLOATS", "normal", "truncated_normal", "uniform"]

_Array: TypeAlias = np.ndarray[Any, Any]
_Draw: TypeAlias = Callable[[_Array], _Array]

FLOATS = ("float32", "float64")
"""The types these functions draw."""

_BLOCK = 1 << 14  # elements: what a block's dozen temporaries take fits a core's cache
_TRUNCATION = 2.0  # standard deviations, the bound that Keras gives


def uniform(key: Key, shape: tuple[int, ...], dtype: str, *, low: float, high: float) -> _Array:
    """Numbers in `[low, high)`, as `jax.random.uniform` draws them.

    Args:
        key: The raw key.
        shape: The shape of the result.
        dtype: "float32" or "float64".
        low: The lower bound.
        high: The upper bound.

    Returns:
        An array of that shape and type.
    """
    return _in_blocks(key, shape, dtype, _between(np.dtype(dtype).type, low, high))


def normal(key: Key, shape: tuple[int, ...], dtype: str) -> _Array:
    """Standard normal numbers, as `jax.random.normal` draws them."""
    number = np.dtype(dtype).type
    # The lowest number is the one above -1, whose inverse error function is finite.
    place = _between(number, float(np.nextafter(number(-1), number(0))), 1.0)
    return _in_blocks(key, shape, dtype, lambda floats: number(math.sqrt(2)) * erf_inv(place(floats)))


def truncated_normal(key: Key, shape: tuple[int, ...], dtype: str) -> _Array:
    """Standard normal numbers within two standard deviations, as `jax.random.truncated_normal` draws them."""
    number = np.dtype(dtype).type
    bound = math.erf(_TRUNCATION / math.sqrt(2))
    place = _between(number, -bound, bound)
    limit = np.nextafter(number(_TRUNCATION), number(0))

    def draw(floats: _Array) -> _Array:
        drawn: _Array = np.clip(number(math.sqrt(2)) * erf_inv(place(floats)), -limit, limit)
        return drawn

    return _in_blocks(key, shape, dtype, draw)


def _between(number: Callable[[float], Any], low: float, high: float) -> _Draw:
    lowest, width = number(low), number(high) - number(low)
    return lambda floats: np.maximum(lowest, multiply_add(floats, width, lowest))


def _in_blocks(key: Key, shape: tuple[int, ...], dtype: str, draw: _Draw) -> _Array:
    size = math.prod(shape)
    result = np.empty(size, dtype)
    for start in range(0, size, _BLOCK):
        stop = min(size, start + _BLOCK)
        result[start:stop] = draw(_unit_floats(key, start, stop, dtype))
    return result.reshape(shape)


def _unit_floats(key: Key, start: int, stop: int, dtype: str) -> _Array:
    """Numbers in `[0, 1)`: random bits as the significand of a number in `[1, 2)`, less 1."""
    info = np.finfo(dtype)
    bits = random_bits(key, start, stop, width=info.bits)
    unsigned = bits.dtype.type
    one = np.ones((), dtype).view(bits.dtype)
    bits >>= unsigned(info.bits - info.nmant)
    bits |= one
    floats: _Array = bits.view(dtype)
    floats -= 1
    return floats
