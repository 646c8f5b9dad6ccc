"""Sliding windows as shifted slices: the geometry of convolution and pooling.

A window of `k` taps over an input is `k` slices of it, one for each tap, whose elements at the same place make up one
window. Arrays are `(batch, *places, channels)`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Axis", "axes", "block_maximum", "counts", "first_maximum", "slices"]

Array: TypeAlias = Any
"""A JAX array or tracer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Windows along one axis of places."""

    length: int
    taps: int
    stride: int
    dilation: int
    same: bool
    """Padded so that there is a window for each `stride` places, as TensorFlow and XLA pad."""

    @property
    def span(self) -> int:
        """Places from a window's first tap to its last, both included."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def windows(self) -> int:
        """How many windows there are; 0 or less where the input is too short."""
        return -(-self.length // self.stride) if self.same else (self.length - self.span) // self.stride + 1

    @property
    def padding(self) -> tuple[int, int]:
        """Places added before and after."""
        missing = max((self.windows - 1) * self.stride + self.span - self.length, 0) if self.same else 0
        return missing // 2, missing - missing // 2

    def part(self, tap: int) -> slice:
        """The places of one tap, of all windows, in the padded input."""
        start = tap * self.dilation
        return slice(start, start + (self.windows - 1) * self.stride + 1, self.stride)

    @property
    def inside(self) -> np.ndarray[Any, Any]:
        """How many taps of each window lie inside the input, of shape `(windows,)`."""
        starts = np.arange(self.windows) * self.stride - self.padding[0]
        places = starts[:, None] + np.arange(self.taps) * self.dilation
        counted: np.ndarray[Any, Any] = ((places >= 0) & (places < self.length)).sum(axis=1)
        return counted


def axes(
    x: Array,
    size: int | Sequence[int],
    *,
    strides: int | Sequence[int],
    dilations: int | Sequence[int],
    same: bool,
) -> tuple[Axis, ...]:
    """The axes of windows of `size` taps over the places of `x`."""
    places = x.shape[1:-1]
    sizes, steps, spreads = (_each(setting, len(places)) for setting in (size, strides, dilations))
    return tuple(
        Axis(length=length, taps=taps, stride=step, dilation=spread, same=same)
        for length, taps, step, spread in zip(places, sizes, steps, spreads, strict=True)
    )


def slices(x: Array, along: Sequence[Axis], *, fill: float) -> list[Array]:
    """One slice of `x` for each tap, in row-major order, each `(batch, *windows, channels)`.

    `fill` is what padding holds.
    """
    import jax.numpy as jnp

    if any(axis.padding != (0, 0) for axis in along):
        x = jnp.pad(x, [(0, 0), *(axis.padding for axis in along), (0, 0)], constant_values=fill)
    taps = itertools.product(*(range(axis.taps) for axis in along))
    return [x[(slice(None), *(axis.part(tap) for axis, tap in zip(along, place, strict=True)))] for place in taps]


def counts(along: Sequence[Axis]) -> np.ndarray[Any, Any]:
    """How many elements of each window lie inside the input, of shape `(*windows, 1)`."""
    grid = np.ix_(*(axis.inside for axis in along))
    total: np.ndarray[Any, Any] = math.prod(grid[1:], start=grid[0])
    return total[..., None]


def first_maximum(parts: Sequence[Array]) -> Array:
    """The elementwise maximum; its gradient goes to the first of equal elements, and NaN stays NaN."""
    import jax.numpy as jnp

    best, *others = parts
    for other in others:
        best = jnp.where((other > best) | jnp.isnan(other), other, best)
    return best


def block_maximum(x: Array, along: Sequence[Axis]) -> Array:
    """`first_maximum` for windows that touch but do not overlap, as one reduction: `(batch, *windows, channels)`."""
    import jax.numpy as jnp
    from jax import lax

    covered = x[(slice(None), *(slice(axis.windows * axis.taps) for axis in along))]
    split = [part for axis in along for part in (axis.windows, axis.taps)]
    blocks = covered.reshape(x.shape[0], *split, x.shape[-1])
    within = tuple(range(2, 2 * len(along) + 1, 2))
    order = np.arange(math.prod(axis.taps for axis in along), dtype=np.int32)
    order = order.reshape([part for axis in along for part in (1, axis.taps)] + [1])
    still = lax.stop_gradient(blocks)
    top = still.max(axis=within, keepdims=True)
    first = jnp.where(still == top, order, order.size).min(axis=within, keepdims=True)
    chosen = jnp.where(order == first, blocks, 0).sum(axis=within)
    # A window that holds NaN has no maximum to choose, and is NaN.
    return jnp.where(jnp.isnan(top.reshape(chosen.shape)), jnp.nan, chosen)


def _each(setting: int | Sequence[int], count: int) -> tuple[int, ...]:
    return (setting,) * count if isinstance(setting, int) else tuple(setting)
