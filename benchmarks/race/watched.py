"""A side, watched from outside: its processes' CPU time and memory, and the end of its time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from race.journal import read

__all__ = ["Run", "Usage", "watch"]

LOOK = 0.25
PATIENCE = 300.0
"""Seconds for imports and data, before the time of a side begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one side did under one seed.

    `curve` has, for each trained epoch, the seconds since the beginning and what it measured. `error` is the end of what
    the process wrote, where it failed.
    """

    task: str
    side: str
    seed: int
    curve: Sequence[tuple[float, float]]
    wall: float
    cpu: float
    peak_bytes: int
    error: str = ""


class Usage:
    """CPU time and memory of a process and all below it, those that have ended included.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._cpu: dict[tuple[int, float], float] = {}
        self._before = 0.0
        self.peak_bytes = 0

    def look(self) -> None:
        """Take in what the processes have used so far."""
        held = 0
        for process in self._alive():
            try:
                times = process.cpu_times()
                self._cpu[process.pid, process.create_time()] = times.user + times.system
                held += process.memory_info().rss
            except psutil.Error:  # it has ended between two looks
                continue
        self.peak_bytes = max(self.peak_bytes, held)

    def begin(self) -> None:
        """Count from here."""
        self.look()
        self._before = sum(self._cpu.values())
        self.peak_bytes = 0

    @property
    def cpu(self) -> float:
        """Seconds since `begin`."""
        return sum(self._cpu.values()) - self._before

    def end(self) -> None:
        """End the process and all below it."""
        alive = self._alive()
        for process in alive:
            try:
                process.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(alive, timeout=10)

    def _alive(self) -> list[psutil.Process]:
        try:
            return [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return []


def watch(request: Mapping[str, Any]) -> Run:
    """Let a side search for `request["seconds"]` after it has loaded everything."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path, output = Path(folder, "request.json"), Path(folder, "output")
        path.write_text(json.dumps(dict(request)))
        with output.open("w") as out:
            command = [sys.executable, "-m", "race.child", str(path)]
            process = subprocess.Popen(command, env=_environment(folder), stdout=out, stderr=out)
            usage = Usage(process.pid)
            try:
                wall = _until_its_end(process, usage, Path(folder, "journal"), request["seconds"])
            finally:
                usage.end()
        code = process.wait()
        _, curve = read(Path(folder, "journal"))
        error = output.read_text(errors="replace")[-2000:] if wall < request["seconds"] and code else ""
    return Run(
        task=request["task"],
        side=request["side"],
        seed=request["seed"],
        curve=[point for point in curve if point[0] <= request["seconds"]],
        wall=wall,
        cpu=usage.cpu,
        peak_bytes=usage.peak_bytes,
        error=error,
    )


def _until_its_end(process: subprocess.Popen[bytes], usage: Usage, journal: Path, seconds: float) -> float:
    """Seconds from the journal's beginning to the end of the process, or of its time."""
    started = time.monotonic()
    while not journal.exists():
        if process.poll() is not None or time.monotonic() - started > PATIENCE:
            return 0.0
        time.sleep(LOOK)
    began = time.monotonic()
    usage.begin()
    while process.poll() is None and time.monotonic() - began < seconds:
        time.sleep(LOOK)
        usage.look()
    return time.monotonic() - began


def _environment(folder: str) -> dict[str, str]:
    here = Path(__file__).parents[1]
    paths = [str(here), str(here.parent / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    # Nobody starts with programs that another run has compiled.
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "XDG_CACHE_HOME": str(Path(folder, "cache"))}
