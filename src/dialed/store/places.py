"""Where checkpoints lie: files that are there in full under their names, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol

__all__ = ["TEMPORARY", "Folder", "Listed", "Place"]

TEMPORARY: Final = ".writing"
"""The end of the names of files that are not finished."""


class Listed(NamedTuple):
    """A file as a listing has it: its size in bytes, and when it was last written, in seconds since 1970.

    `written` is infinite where the place does not say: such a file never counts as old.
    """

    bytes: int
    written: float


class Place(Protocol):
    """One folder of files, wherever it is. Names are plain: nothing leads out of it.

    What goes wrong is an `OSError`; a missing file is a `FileNotFoundError`.
    """

    def put(self, write: Callable[[BinaryIO], str]) -> None:
        """Have `write` fill a file, and give it the name that this returns, once it is safe."""
        ...

    def get(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file to read, which can be sought in."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def list(self) -> dict[str, Listed]:
        """All files, by name; those that are not finished too."""
        ...

    def set_aside(self, name: str) -> str:
        """Move a damaged file into the folder `corrupt` beside the others, and return where that is."""
        ...


class Folder:
    """A folder of a file system: files are written under another name, flushed to the disk and renamed.

    Args:
        path: The folder; made with the first file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, write: Callable[[BinaryIO], str]) -> None:
        temporary = self._path / f"{secrets.token_hex(8)}{TEMPORARY}"
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                name = write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path / name)
            _flush_folder(self._path)
        except BaseException:
            with contextlib.suppress(OSError):  # the folder itself may be what is wrong
                temporary.unlink(missing_ok=True)
            raise

    def get(self, name: str) -> AbstractContextManager[BinaryIO]:
        return (self._path / name).open("rb")

    def exists(self, name: str) -> bool:
        return (self._path / name).is_file()

    def delete(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)

    def list(self) -> dict[str, Listed]:
        return dict(self._entries()) if self._path.is_dir() else {}

    def _entries(self) -> Iterator[tuple[str, Listed]]:
        with os.scandir(self._path) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # gone since: renamed, or removed by another process
                    yield entry.name, Listed(entry.stat().st_size, entry.stat().st_mtime)

    def set_aside(self, name: str) -> str:
        aside = self._path / "corrupt"
        aside.mkdir(exist_ok=True)
        os.replace(self._path / name, aside / name)
        return str(aside)


def _flush_folder(folder: Path) -> None:
    """Make the new name itself safe. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
