"""How much memory a process takes now."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["resident_bytes"]


def resident_bytes(pid: int) -> int | None:
    """The resident size of the process; `None` where it is gone, or where the system does not say.

    Linux says it in a file; elsewhere the package psutil is asked, where it is installed.
    """
    if sys.platform == "linux":
        try:
            return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            return None
    try:
        import psutil
    except ImportError:
        return None
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
