"""Checkpoints at any URL that fsspec reads and writes: object stores, other machines' file systems, memory."""

from __future__ import annotations

import contextlib
import importlib.util
import math
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from dialed.errors import InvalidInputError
from dialed.store.places import TEMPORARY, Listed

__all__ = ["RemoteFolder", "artifacts_at"]

_PUT_WHOLE: Final = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "memory"})
"""Protocols of stores where an object is there in full or not at all: nothing is gained by another name first."""

_WRITTEN: Final = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
"""Where listings of various file systems say when a file was written."""


def artifacts_at(place: str | Path) -> Path | RemoteFolder:
    """The folder that a user means: a path, or a URL with a protocol of fsspec's.

    Raises:
        InvalidInputError: fsspec is missing, does not know the protocol, or lacks the package for it.
    """
    text = str(place)
    if isinstance(place, Path) or ("://" not in text and "::" not in text):
        return Path(place)
    protocol, between, rest = text.rpartition("://")
    folder = RemoteFolder(url=f"{protocol}{between}{rest.rstrip('/')}")
    folder.check()
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFolder:
    """A folder at a URL. A value that can be sent to another process, which connects by itself.

    Files are written here first. Where the store has no whole objects they are uploaded under another name and moved; what
    is read is copied here first, so that what was checked is what is used.

    Args:
        url: Without a slash at the end.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> RemoteFolder:
        return replace(self, url=f"{self.url}/{name}")

    def with_name(self, name: str) -> RemoteFolder:
        """The folder of that name beside this one."""
        return replace(self, url=f"{self.url.rsplit('/', 1)[0]}/{name}")

    def check(self) -> None:
        """Raise `InvalidInputError` unless fsspec can reach such URLs."""
        if importlib.util.find_spec("fsspec") is None:
            raise InvalidInputError(
                f"The `artifacts` at a URL need fsspec, which is not installed. Got {self.url!r}. "
                "pip install 'dialed[files]', or give a folder."
            )
        try:
            self._connected()
        except (ImportError, ValueError) as error:
            raise InvalidInputError(
                f"The `artifacts` must be a folder, or a URL that fsspec can reach. Got {self.url!r}, and it says: {error}."
            ) from error

    def put(self, write: Callable[[BinaryIO], str]) -> None:
        with tempfile.NamedTemporaryFile(prefix="dialed-") as file:
            name = write(file)  # type: ignore[arg-type]
            file.flush()
            with _as_os_errors(self.url):
                self._upload(file.name, name)

    def _upload(self, local: str, name: str) -> None:
        fs, folder = self._connected()
        protocols = {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
        if protocols & _PUT_WHOLE:
            fs.put_file(local, f"{folder}/{name}")
            return
        fs.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/{secrets.token_hex(8)}{TEMPORARY}"
        try:
            fs.put_file(local, temporary)
            fs.mv(temporary, f"{folder}/{name}")
        except BaseException:
            with contextlib.suppress(Exception):  # the place itself may be what is wrong; the sweep finds it later
                fs.rm_file(temporary)
            raise

    @contextmanager
    def get(self, name: str) -> Iterator[BinaryIO]:
        """A copy of a file, to read."""
        with tempfile.TemporaryFile(prefix="dialed-") as copy:
            with _as_os_errors(self.url):
                fs, folder = self._connected()
                with fs.open(f"{folder}/{name}", "rb") as file:
                    shutil.copyfileobj(file, copy, 2**20)
            copy.seek(0)
            yield copy

    def exists(self, name: str = "") -> bool:
        """Whether there is a file of that name; without one, whether there is anything in the folder."""
        with _as_os_errors(self.url):
            fs, folder = self._connected()
            return bool(fs.isfile(f"{folder}/{name}") if name else fs.exists(folder))

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(FileNotFoundError), _as_os_errors(self.url):
            fs, folder = self._connected()
            fs.rm_file(f"{folder}/{name}")

    def list(self) -> dict[str, Listed]:
        """All files, by name; those that are not finished too."""
        with _as_os_errors(self.url):
            fs, folder = self._connected()
            try:
                entries = fs.ls(folder, detail=True)
            except FileNotFoundError:
                return {}
        files = [entry for entry in entries if entry["type"] == "file"]
        return {entry["name"].rsplit("/", 1)[-1]: Listed(int(entry["size"]), _written(entry)) for entry in files}

    def set_aside(self, name: str) -> str:
        """Move a damaged file into the folder `corrupt` beside the others, and return where that is."""
        with _as_os_errors(self.url):
            fs, folder = self._connected()
            fs.makedirs(f"{folder}/corrupt", exist_ok=True)
            fs.mv(f"{folder}/{name}", f"{folder}/corrupt/{name}")
        return f"{self.url}/corrupt"

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        with _as_os_errors(self.url):
            fs, folder = self._connected()
            fs.rm(folder, recursive=True)

    def _connected(self) -> tuple[Any, str]:
        """The file system, and the folder's path in it. Listings are read anew: other processes write there."""
        from fsspec.core import url_to_fs

        fs, path = url_to_fs(self.url)
        fs.invalidate_cache()
        return fs, str(path).rstrip("/")


@contextmanager
def _as_os_errors(url: str) -> Iterator[None]:
    """Make whatever a file system's package raises an `OSError`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # each package has errors of its own: of botocore, aiohttp, paramiko, ...
        raise OSError(f"{url}: {type(error).__name__}: {error}") from error


def _written(entry: Mapping[str, Any]) -> float:
    """When a file was written, in seconds since 1970; infinite where the listing does not say."""
    said = next((entry[name] for name in _WRITTEN if entry.get(name) is not None), None)
    if isinstance(said, str):
        with contextlib.suppress(ValueError):
            said = datetime.fromisoformat(said)
    if isinstance(said, datetime):
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp()
    return float(said) if isinstance(said, (int, float)) else math.inf
