"""How many lanes a program may have: as many as the device has memory for, and no more than make it faster."""

from __future__ import annotations

import os
from collections.abc import Sequence

import jax
import numpy as np

from dialed.engine.fused.lane import HostState, Lane

__all__ = ["MOST_LANES", "parts", "room_for"]

MOST_LANES = 256
"""Lanes of one program. More made it no faster on any machine measured."""

_COPIES = 6
"""A lane's state, its gradients, the copies on the host and for the best weights, and room for activations."""

_SHARE = 0.4
_UNKNOWN_BYTES = 2**32


def parts(lanes: Sequence[Lane]) -> list[list[Lane]]:
    """As few parts as may be, of about the same size, each of which fits."""
    most = room_for(lanes[0].state, _free_bytes())
    count = -(-len(lanes) // most)
    size = -(-len(lanes) // count)
    return [list(lanes[start : start + size]) for start in range(0, len(lanes), size)]


def room_for(state: HostState, free_bytes: int) -> int:
    """How many lanes with such a state fit into `free_bytes`; at least one."""
    each = sum(np.asarray(array).nbytes for group in state for array in group)
    return max(1, min(MOST_LANES, int(free_bytes * _SHARE / _COPIES / max(each, 1))))


def _free_bytes() -> int:
    """What the device has left; on a CPU the memory of the machine that nobody uses."""
    stats = jax.local_devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return int(stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system says
        return _UNKNOWN_BYTES
