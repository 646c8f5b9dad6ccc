"""Programs compiled once and found again by the next process: JAX's compilation cache, in a folder of Dialed's own.

JAX asks whatever object stands in its cache's place. While our programs are compiled that is a `Shelf`; before and
after, and wherever the user has set up a cache, JAX's settings are as they were.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax

from dialed.engine.fused.shelf import Shelf

__all__ = ["CompileCache", "cache_folder"]

_log = logging.getLogger("dialed")

BYTE_LIMIT = 512 * 2**20
"""Some 2,000 programs of small models."""

LEAST_SECONDS = 0.02
"""Programs that compile faster are not kept: reading one takes some 5 ms, and there are many of them."""

_THRESHOLD = "jax_persistent_cache_min_compile_time_secs"
_CHANGING = threading.Lock()


class CompileCache:
    """Keeps what is compiled under `active()`.

    Args:
        folder: Where. Made if it is missing. Defaults to `cache_folder()`.
        byte_limit: The most bytes there. Defaults to 512 MiB.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, *, byte_limit: int = BYTE_LIMIT) -> None:
        self.folder = Path(folder) if folder is not None else cache_folder() / "programs"
        self.byte_limit = byte_limit
        self._users = 0
        self._usable: bool | None = None
        self._threshold = 0.0
        self._shelf: Shelf | None = None

    @contextmanager
    def active(self) -> Iterator[None]:
        """While active, in any thread, programs are looked up in the folder, and kept there. May be nested."""
        with _CHANGING:
            self._users += 1
            if self._users == 1:
                self._begin()
        try:
            yield
        finally:
            with _CHANGING:
                self._users -= 1
                if self._users == 0:
                    self._end()

    def _begin(self) -> None:
        place: Any = _place()
        if place is None or place._cache is not None or _has_own_settings() or not self._is_usable():
            return
        place._cache = self._shelf = Shelf(self.folder, self.byte_limit)
        self._threshold = float(getattr(jax.config, _THRESHOLD))
        _set_threshold(LEAST_SECONDS)

    def _end(self) -> None:
        place: Any = _place()
        if self._shelf is not None and place._cache is self._shelf:
            place._cache = None
            _set_threshold(self._threshold)
        self._shelf = None

    def _is_usable(self) -> bool:
        if self._usable is None:
            trouble = _trouble_with(self.folder)
            self._usable = not trouble
            if trouble:
                _log.warning("Compiled programs are not kept for the next session: %s", trouble)
        return self._usable


def cache_folder() -> Path:
    """Where this system's user keeps what can be made again."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base or Path.home() / "AppData" / "Local") / "dialed"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "dialed"
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "dialed"


def _place() -> Any:
    """The module in which JAX keeps its cache; `None` where this JAX keeps it elsewhere."""
    from jax._src import compilation_cache

    return compilation_cache if hasattr(compilation_cache, "_cache") else None


def _set_threshold(seconds: float) -> None:
    config: Any = jax.config
    config.update(_THRESHOLD, seconds)


def _has_own_settings() -> bool:
    """Whether the user has set up JAX's cache, or turned it off."""
    config: Any = jax.config
    return bool(config.jax_compilation_cache_dir) or not config.jax_enable_compilation_cache


def _trouble_with(folder: Path) -> str:
    """Why programs cannot be kept in `folder`; empty where they can."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            about = folder.stat()
    except OSError as error:
        return f"{folder} cannot be written ({error})"
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o002):
        return f"others may write to {folder}, and what lies there is run; its owner must be you alone"
    return ""
