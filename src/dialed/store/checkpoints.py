"""Checkpoints: a member's whole state as one file of arrays, which either is there in full or is not there.

A file is an uncompressed .npz (`numpy.load` opens it) with one more entry, `dialed.json`. It is there in full or not at
all (`places.py`); its SHA-256 goes into the store with its address. A crash in between leaves a file that no record
names, and the sweep finds that. Nothing is pickled, nothing is unpickled.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from dialed.clock import Clock, SystemClock
from dialed.errors import CheckpointError
from dialed.store.places import Folder, Place
from dialed.store.remote import RemoteFolder
from dialed.trial import CheckpointRef, MemberKey

if TYPE_CHECKING:
    from io import BufferedReader

__all__ = ["Checkpoints", "Kind", "Named", "parse_name"]

Kind = Literal["last", "best"]

GIBIBYTE: Final = 2**30
_JSON: Final = "dialed.json"
_NAME: Final = re.compile(r"trial(\d+)-seed(-?\d+)-fold(-?\d+)-(last|best)-epoch(\d+)-[0-9a-f]{12}\.npz")
_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


class Named(NamedTuple):
    """What a checkpoint's file name says."""

    key: MemberKey
    kind: Kind
    epoch: int


class Checkpoints:
    """The checkpoints of one study, in one folder.

    Args:
        folder: Where they lie, on a file system or at a URL; made with the first one. Give each study its own
            (`SqlStore.artifacts`).
        byte_budget: How many bytes `retention.sweep` lets them take; `None` for as many as they like. Defaults to 2 GiB.
        clock: Tells the sweep how old a file is. Defaults to the machine's.

    Example:
        >>> import tempfile, numpy as np
        >>> from pathlib import Path
        >>> from dialed.trial import MemberKey
        >>> checkpoints = Checkpoints(Path(tempfile.mkdtemp()))
        >>> ref = checkpoints.save(MemberKey(0, 0, 0), 3, "last", {"kernel": np.ones(2)}, {"lr": 0.1})
        >>> arrays, meta = checkpoints.load(ref)
        >>> arrays["kernel"].tolist(), meta
        ([1.0, 1.0], {'lr': 0.1})
    """

    def __init__(
        self, folder: Path | RemoteFolder, *, byte_budget: int | None = 2 * GIBIBYTE, clock: Clock | None = None
    ) -> None:
        self.folder = folder
        self.place: Place = folder if isinstance(folder, RemoteFolder) else Folder(folder)
        self.byte_budget = byte_budget
        self.clock = clock or SystemClock()

    def save(
        self,
        key: MemberKey,
        epoch: int,
        kind: Kind,
        arrays: Mapping[str, NDArray[Any]],
        meta: Mapping[str, Any],
    ) -> CheckpointRef:
        """Write a checkpoint and return its address, once it is safe on the disk.

        Args:
            key: The member.
            epoch: How many epochs it has.
            kind: "last" for the state to go on from, "best" for the weights of the best epoch.
            arrays: By name; of any shape and dtype but object.
            meta: What JSON can hold.

        Raises:
            CheckpointError: When there is no space left, or the folder cannot be written. No half file stays.
        """
        saved: list[CheckpointRef] = []

        def write(file: BinaryIO) -> str:
            size, digest = _write_file(file, arrays, meta)
            name = f"trial{key.trial}-seed{key.seed}-fold{key.fold}-{kind}-epoch{epoch}-{digest[:12]}.npz"
            saved.append(CheckpointRef(path=name, digest=digest, bytes=size, epoch=epoch))
            return name

        try:
            self.place.put(write)
        except OSError as error:
            needed = sum(np.asarray(array).nbytes for array in arrays.values())
            raise _not_written(error, self.folder, needed) from error
        return saved[0]

    def load(self, ref: CheckpointRef) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return the arrays and the meta of a checkpoint, exactly as they were saved.

        Raises:
            CheckpointError: When the file is missing, or is not what was saved. A damaged file is moved to the folder
                `corrupt` beside it, for whoever wants to know why.
        """
        name = _checked(ref)
        path = f"{self.folder}/{name}"
        try:
            with self.place.get(name) as file:
                digest = hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest()
                if digest == ref.digest:
                    return _read_file(file)
        except FileNotFoundError as error:
            raise CheckpointError(
                f"The checkpoint {path} must be there, but it is missing. Put it back from a copy of the folder, or let the "
                "trial begin again."
            ) from error
        except OSError as error:
            raise CheckpointError(f"The checkpoint {path} must be readable, but it is not: {error}.") from error
        except MemoryError:  # which a good file may need more of than there is
            raise
        except Exception as error:  # the right bytes, but not what this version reads: zipfile and NumPy raise anything
            raise self._set_aside(ref, str(error) or type(error).__name__) from error
        raise self._set_aside(ref, f"its SHA-256 is {digest[:12]}..., not {ref.digest[:12]}...")

    def delete(self, ref: CheckpointRef) -> None:
        """Remove a checkpoint's file, if it is there."""
        self.place.delete(_checked(ref))

    def exists(self, ref: CheckpointRef) -> bool:
        """Whether the checkpoint's file is there, whatever is in it."""
        return self.place.exists(_checked(ref))

    def path(self, ref: CheckpointRef) -> Path:
        """Return where the checkpoint's file is, or would be, in a folder of this machine's file system.

        Raises:
            CheckpointError: They are at a URL, which has no paths; or the address is none of ours.
        """
        name = _checked(ref)
        if isinstance(self.folder, RemoteFolder):
            raise CheckpointError(f"A path needs a folder, but these checkpoints are at a URL. Got {self.folder}.")
        return self.folder / name

    def _set_aside(self, ref: CheckpointRef, reason: str) -> CheckpointError:
        aside = self.place.set_aside(ref.path)
        return CheckpointError(
            f"The checkpoint {ref.path} must be what was saved, but it is damaged: {reason} It was moved to {aside}. Put an "
            "intact copy back, or let the trial begin again."
        )


def _checked(ref: CheckpointRef) -> str:
    """The name in an address: one from a store that somebody changed must not lead out of the folder."""
    if not _NAME.fullmatch(ref.path):
        raise CheckpointError(f"A checkpoint must have a name as Dialed gives it. Got {ref.path!r}.")
    return ref.path


def parse_name(name: str) -> Named | None:
    """Return what a checkpoint's file name says; `None` for another file."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    trial, seed, fold, kind, epoch = found.groups()
    return Named(MemberKey(int(trial), int(seed), int(fold)), "last" if kind == "last" else "best", int(epoch))


class _Hashing:
    """A file that can only be written on, and knows the hash of what was."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        self.hash.update(data)
        written = self._file.write(data)
        self.size += written
        return written

    def flush(self) -> None:
        self._file.flush()


def _write_file(file: BinaryIO, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> tuple[int, str]:
    """Write the file in one go, and return its size in bytes and its SHA-256."""
    plain, dtypes = _plain(arrays)
    hashing = _Hashing(file)
    with zipfile.ZipFile(hashing, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, array in plain.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
        archive.writestr(zipfile.ZipInfo(_JSON), json.dumps({"format": 1, "dtypes": dtypes, "meta": dict(meta)}))
    return hashing.size, hashing.hash.hexdigest()


def _plain(arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return arrays of NumPy's own dtypes, and the dtypes of those that were of others (bfloat16, float8)."""
    plain: dict[str, NDArray[Any]] = {}
    dtypes: dict[str, str] = {}
    for name, given in arrays.items():
        array = np.asarray(given, order="C")
        if array.dtype.hasobject or "\0" in name:
            raise CheckpointError(
                f"A checkpoint holds arrays of numbers, strings and bools by names. Got {name!r} of dtype {array.dtype}."
            )
        if array.dtype.isbuiltin == 2:  # registered by another package
            dtypes[name] = array.dtype.name
            array = array.view(f"u{array.dtype.itemsize}")
        plain[name] = array
    return plain, dtypes


def _read_file(file: BinaryIO) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        header = json.loads(archive.read(_JSON))
        if header["format"] != 1:
            raise ValueError(f"it is of format {header['format']}, which a newer Dialed wrote.")
        arrays: dict[str, NDArray[Any]] = {}
        for entry in archive.namelist():
            if entry != _JSON:
                with archive.open(entry) as part:
                    arrays[entry.removesuffix(".npy")] = np.lib.format.read_array(part, allow_pickle=False)
    for name, dtype in header["dtypes"].items():
        arrays[name] = arrays[name].view(_extended(dtype))
    return arrays, header["meta"]


def _extended(name: str) -> np.dtype[Any]:
    import ml_dtypes

    kind = getattr(ml_dtypes, name, None)
    if isinstance(kind, type):
        return np.dtype(kind)
    raise ValueError(f"its dtype {name!r} is unknown here.")


def _not_written(error: OSError, folder: Path | RemoteFolder, needed: int) -> CheckpointError:
    if error.errno in _FULL:
        return CheckpointError(
            f"A checkpoint needs {needed / 1e6:.1f} MB in {folder}, but no space is left there. Free some, or lower the byte "
            "budget of the checkpoints, and start again: the study goes on from the checkpoints before."
        )
    return CheckpointError(f"The folder of the checkpoints must be writable. Got {folder}, and writing said: {error}.")
