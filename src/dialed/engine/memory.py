"""Memory of the process: how much it has taken, and giving back what finished members leave behind."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

__all__ = ["Housekeeping", "available_bytes", "peak_memory_bytes"]

CACHED_MEMBERS = 16
"""Members between two emptyings of JAX's caches. Each new shape leaves some 10 MB of compiled operations there, for ever;
emptying costs 0.5 s of the next member's time (both measured on a CPU with networks of two layers)."""

LARGE_BYTES = 2**24
"""Models from this size on are collected at once; a collection takes 0.1 s, more than a tiny model's memory is worth."""


def peak_memory_bytes() -> int | None:
    """The highest resident size of this process so far; `None` where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def available_bytes() -> int | None:
    """The memory of the machine that nobody uses; `None` where the system does not say."""
    try:
        told = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(told["MemAvailable"].split()[0]) * 1024  # with what files are cached in, which gives way
    except (OSError, KeyError, ValueError):
        return None


class Housekeeping:
    """Keeps memory flat over many members: dead models are collected, caches of their shapes emptied now and then."""

    def __init__(self) -> None:
        self._members = 0

    def after_member(self, model_bytes: int) -> None:
        """Call when a member's model is no longer referred to."""
        self._members += 1
        due = self._members % CACHED_MEMBERS == 0
        if due or model_bytes >= LARGE_BYTES:
            gc.collect()
        if due:
            empty_caches()


def empty_caches() -> None:
    """Empty the caches of whatever backend keeps compiled operations by shape."""
    jax: Any = sys.modules.get("jax")
    if jax is not None and hasattr(jax, "clear_caches"):
        jax.clear_caches()
