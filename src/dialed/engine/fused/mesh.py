"""Lanes over several devices: each takes an equal part of a program's places, and none waits for another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

__all__ = ["LANES", "SAME", "on_all", "over_devices"]

LANES: Any = PartitionSpec("lanes")  # type: ignore[no-untyped-call]
"""The first axis is that of lanes: each device has a part of it."""

SAME: Any = PartitionSpec()  # type: ignore[no-untyped-call]
"""Whole on each device."""


def over_devices(function: Callable[..., Any], *, takes: Any, gives: Any) -> Callable[..., Any]:
    """`function`, run by each local device on its part; `takes` and `gives` say which arguments have parts."""
    spread: Callable[..., Any] = jax.shard_map(function, mesh=_mesh(), in_specs=takes, out_specs=gives, check_vma=False)
    return spread


def on_all(array: Any) -> Any:
    """`array` whole on each local device; where there is only one, on that."""
    if len(jax.local_devices()) == 1:
        return jax.device_put(array)
    return jax.device_put(array, NamedSharding(_mesh(), SAME))


def _mesh() -> Mesh:
    return Mesh(np.array(jax.local_devices()), ("lanes",))
