"""Lanes side by side: their states as arrays with one more axis in front, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jax
import numpy as np

from dialed.engine.fused.lane import HostState

__all__ = ["bucket", "dtype_on_device", "on_host", "replaced", "stacked", "unstacked"]


def bucket(lanes: int) -> int:
    """The number of places for `lanes`: a power of two, or halfway between two. At most a third stands empty."""
    size = 1
    while size < lanes:
        if size >= 4 and size + size // 2 >= lanes:
            return size + size // 2
        size *= 2
    return size


def stacked(states: Sequence[HostState], fresh_metrics: Sequence[np.ndarray], places: int) -> Any:
    """The states of lanes as one, (places, ...); places that no lane takes repeat the first."""
    filled = [*states, *[states[0]] * (places - len(states))]
    trainable, other, optimizer = (
        [np.stack(arrays) for arrays in zip(*(state[part] for state in filled), strict=True)] for part in range(3)
    )
    metrics = [np.broadcast_to(value, (places, *value.shape)) for value in fresh_metrics]
    return jax.device_put((trainable, other, optimizer, metrics))


def replaced(state: Any, lanes: Sequence[HostState], variables: Iterable[tuple[int, int]]) -> Any:
    """A stacked `state` with some variables, (group, position), taken anew from the states of its lanes."""
    groups = [list(group) for group in state]
    for group, position in variables:
        old = groups[group][position]
        arrays = [lane[group][position] for lane in lanes]
        filled = np.stack([*arrays, *[arrays[0]] * (len(old) - len(arrays))])
        groups[group][position] = jax.device_put(filled.astype(old.dtype, copy=False), old.sharding)
    return tuple(groups)


def dtype_on_device(array: np.ndarray) -> Any:
    """The dtype that `array` has once it is on the device: without 64 bits, half as wide."""
    return jax.dtypes.canonicalize_dtype(array.dtype)


def on_host(state: Any) -> HostState:
    """A copy of a stacked state on the host, without the metrics: the next epoch uses the device's up."""
    trainable, other, optimizer, _ = state
    copied: HostState = jax.tree.map(np.array, (trainable, other, optimizer))
    return copied


def unstacked(state: HostState, lane: int) -> HostState:
    """One lane of a stacked state: views of it."""
    trainable, other, optimizer = ([array[lane] for array in group] for group in state)
    return trainable, other, optimizer
