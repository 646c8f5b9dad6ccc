"""What the device that programs run on has to offer."""

from __future__ import annotations

import jax

from dialed.engine.memory import available_bytes

__all__ = ["free_bytes"]

_UNKNOWN_BYTES = 2**32


def free_bytes() -> int:
    """What the device has left; on a CPU the memory of the machine that nobody uses."""
    stats = jax.local_devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return int(stats["bytes_limit"] - stats.get("bytes_in_use", 0))
    return available_bytes() or _UNKNOWN_BYTES
