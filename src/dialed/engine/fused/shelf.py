"""Compiled programs in a folder, for JAX to look up: whole or not at all, and never more than so many bytes.

JAX's own file cache writes entries in place and limits its size only with the `filelock` package; a process that dies
while it writes leaves an entry that is never repaired (https://github.com/jax-ml/jax/issues/39880). Here an entry is
written beside its place and moved there at once, carries its own digest, and one that is damaged is thrown away. So any
number of processes may share a folder without locks: the worst that may happen is that a program is compiled twice.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

__all__ = ["Shelf", "machine"]

_log = logging.getLogger("dialed")

_SUFFIX = ".program"
_UNFINISHED = ".unfinished"
_DIGEST_BYTES = 32
_FULL = 0.8
"""What is left of the limit after an eviction, so that not every entry causes one."""
_ABANDONED_SECONDS = 3600.0


class Shelf:
    """The two functions that JAX wants of a cache, over a folder. A trouble with the folder is a miss, never an error.

    Args:
        folder: Where entries lie. It exists.
        byte_limit: The most bytes that entries may take.
    """

    def __init__(self, folder: Path, byte_limit: int) -> None:
        self.folder = folder
        self.byte_limit = byte_limit
        self._path = folder  # JAX names it in its log

    def get(self, key: str) -> bytes | None:
        """What was put under `key`; `None` where there is nothing, or nothing whole."""
        path = self._entry(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        value = content[_DIGEST_BYTES:]
        if hashlib.sha256(value).digest() != content[:_DIGEST_BYTES]:
            _log.debug("A damaged entry of the compile cache is removed: %s", path)
            _remove(path)
            return None
        with suppress(OSError):
            os.utime(path)  # used just now: the last to be evicted
        return value

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key`, and evict what was not used for longest where the folder is full."""
        if len(value) > self.byte_limit:
            return
        try:
            self._write(self._entry(key), value)
            self._evict()
        except OSError as error:
            _log.debug("The compile cache in %s could not be written: %s", self.folder, error)

    def _entry(self, key: str) -> Path:
        name = hashlib.sha256(f"{key} {machine()}".encode()).hexdigest()
        return self.folder / f"{name}{_SUFFIX}"

    def _write(self, path: Path, value: bytes) -> None:
        handle, unfinished = tempfile.mkstemp(suffix=_UNFINISHED, dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(value).digest() + value)
            os.replace(unfinished, path)
        except BaseException:
            _remove(Path(unfinished))
            raise

    def _evict(self) -> None:
        entries = sorted(_listed(self.folder, _SUFFIX), key=lambda entry: entry[1])
        total = sum(size for _, _, size in entries)
        if total > self.byte_limit:
            for path, _, size in entries:
                _remove(path)
                total -= size
                if total <= self.byte_limit * _FULL:
                    break
        newest = entries[-1][1] if entries else 0.0
        for path, written, _ in _listed(self.folder, _UNFINISHED):
            if written < newest - _ABANDONED_SECONDS:  # whoever wrote it is dead
                _remove(path)


@cache
def machine() -> str:
    """What a program was compiled for, beyond what JAX's own key says: the processor with its abilities.

    A home folder may be shared by unlike machines, and a program with instructions that a processor lacks ends the
    process.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    told = {line.split(":")[0].strip(): line for line in reversed(lines) if ":" in line}
    return "\n".join(told[name] for name in ("model name", "flags", "Features") if name in told)


def _listed(folder: Path, suffix: str) -> list[tuple[Path, float, int]]:
    """Path, time of the last use and size of each file with `suffix`; others may remove them meanwhile."""
    found = []
    for path in folder.glob(f"*{suffix}"):
        with suppress(OSError):
            about = path.stat()
            found.append((path, about.st_mtime, about.st_size))
    return found


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
