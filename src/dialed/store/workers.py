"""Who works: names that say on which machine, in which process, and since when.

A name is `host:pid:start-random`. With it, anybody on the same machine can tell whether that process still lives, even
if its number was given to another process since. About other machines nobody can tell: there, leases expire.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Worker", "is_dead", "parse_worker", "worker_id"]


class Worker(NamedTuple):
    """The parts of a worker's name. `start` is empty where it could not be read."""

    host: str
    pid: int
    start: str


def worker_id() -> str:
    """Return a new name for a worker in this process; never the same twice."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_start(pid) or ''}-{secrets.token_hex(4)}"


def parse_worker(name: str) -> Worker | None:
    """Return the parts of a worker's name; `None` for a name of another make."""
    parts = name.rsplit(":", 2)
    if len(parts) != 3 or not parts[1].isdigit():
        return None
    return Worker(parts[0], int(parts[1]), parts[2].rpartition("-")[0])


def is_dead(name: str) -> bool:
    """Whether the worker's process is known to have ended: on this machine, and not there any more."""
    worker = parse_worker(name)
    if worker is None or worker.host != _host():
        return False
    start = _start(worker.pid)
    return start is None or bool(worker.start and start and worker.start != start)


@cache
def _host() -> str:
    """This machine, as seen from here: containers have process numbers, and often even names, of their own."""
    try:
        inside = os.readlink("/proc/self/ns/pid") + Path("/etc/machine-id").read_text(encoding="ascii")
    except OSError:  # not Linux, or a container without a machine-id
        inside = ""
    name = socket.gethostname().replace(":", "_")
    return f"{name}-{hashlib.sha256(inside.encode()).hexdigest()[:6]}" if inside else name


def _start(pid: int) -> str | None:
    """Return when the process began, in words that differ between processes of one number; `None` if it is not there.

    Empty where the process is there, but its start cannot be read.
    """
    if sys.platform == "win32":
        return _start_on_windows(pid)
    if Path("/proc/self/stat").exists():
        return _start_on_linux(pid)
    return _start_by_ps(pid)


def _start_on_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except OSError:
        return ""
    state, *rest = stat[stat.rindex(b")") + 2 :].split()  # the name before may hold spaces and brackets
    if state in (b"Z", b"X"):  # ended; its parent has not looked yet
        return None
    return rest[18].decode() + _boot()  # starttime, in ticks since the boot


@cache
def _boot() -> str:
    try:
        return "." + Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:
        return ""


def _start_by_ps(pid: int) -> str | None:
    if not _answers(pid):
        return None
    try:
        found = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
        ).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if found and found[0].startswith("Z"):
        return None
    return "".join(found[1:]).replace(":", "")


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and another user's
        return True
    return True


def _start_on_windows(pid: int) -> str | None:
    """Ask Windows. `os.kill(pid, 0)` would be a mistake there: 0 is Ctrl-C."""
    if sys.platform != "win32":
        raise AssertionError("only for Windows")
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = wintypes.HANDLE
    query, still_active, access_denied = 0x1000, 259, 5
    handle = wintypes.HANDLE(kernel.OpenProcess(query, False, pid))
    if not handle:
        return "" if ctypes.get_last_error() == access_denied else None
    try:
        code, times = wintypes.DWORD(), [wintypes.FILETIME() for _ in range(4)]
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        if code.value != still_active or not kernel.GetProcessTimes(handle, *map(ctypes.byref, times)):
            return None if code.value != still_active else ""
        return f"{times[0].dwHighDateTime:x}{times[0].dwLowDateTime:x}"
    finally:
        kernel.CloseHandle(handle)
