"""Event files: records of protocol buffers, each with its length and two checksums."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dialed.errors import MissingDependencyError

__all__ = ["FILE", "append", "event", "image", "messages", "read", "replace_with", "scalar"]

FILE = "events.out.tfevents.0.dialed"
"""TensorBoard reads what has "tfevents" in its name. One file a run, so that a resumed study goes on in it."""

_HEAD = struct.Struct("<QI")
_FOOT = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """The modules of the messages that TensorBoard brings, and its checksum."""

    event: Any
    summary: Any
    api: Any
    metadata: Any
    plugin: Any
    checksum: Callable[[bytes], int]


@cache
def messages() -> Messages:
    """Load them.

    Raises:
        MissingDependencyError: TensorBoard is not installed.
    """
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
    except ImportError as error:
        raise MissingDependencyError(
            "Writing for TensorBoard needs the package `tensorboard` (without TensorFlow), which is not installed. "
            'Install it with `pip install "dialed[tensorboard]"`.'
        ) from error
    return Messages(
        event=event_pb2,
        summary=summary_pb2,
        api=api_pb2,
        metadata=metadata,
        plugin=plugin_data_pb2,
        checksum=masked_crc32c,
    )


def event(time: float, values: Sequence[Any], step: int = 0) -> Any:
    """One event with the summary `values`."""
    of = messages()
    return of.event.Event(wall_time=time, step=step, summary=of.summary.Summary(value=values))


def scalar(tag: str, value: float) -> Any:
    """The value of a scalar."""
    return messages().summary.Summary.Value(tag=tag, simple_value=value)


def image(tag: str, png: bytes) -> Any:
    """A PNG file as an image; its size stands in its first chunk."""
    width, height = struct.unpack(">II", png[16:24])
    inner = messages().summary.Summary.Image(width=width, height=height, colorspace=4, encoded_image_string=png)
    return messages().summary.Summary.Value(tag=tag, image=inner)


def append(path: Path, events: Sequence[Any], *, time: float) -> None:
    """Add `events` to the end of a file, and begin the file where it is not there."""
    with path.open("ab") as file:
        begins = [_version(time)] if file.tell() == 0 else []
        file.write(b"".join(_record(item) for item in (*begins, *events)))


def replace_with(path: Path, events: Sequence[Any], *, time: float) -> None:
    """Write a file anew; whoever reads sees the old one or the new one."""
    temporary = path.with_name(f".{path.name}.writing")
    temporary.write_bytes(b"".join(_record(item) for item in (_version(time), *events)))
    temporary.replace(path)


def read(path: Path) -> list[Any]:
    """The events of a file. Half a record at its end, as a kill leaves it, is cut off."""
    if not path.exists():
        return []
    data = path.read_bytes()
    events, end = [], 0
    for end, body in _records(data):
        events.append(messages().event.Event.FromString(body))
    if end < len(data):
        with path.open("r+b") as file:
            file.truncate(end)
    return events


def _version(time: float) -> Any:
    return messages().event.Event(wall_time=time, file_version="brain.Event:2")


def _record(item: Any) -> bytes:
    body: bytes = item.SerializeToString()
    length = struct.pack("<Q", len(body))
    checksum = messages().checksum
    return length + _FOOT.pack(checksum(length)) + body + _FOOT.pack(checksum(body))


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole records, each with where it ends."""
    checksum, place = messages().checksum, 0
    while place + _HEAD.size <= len(data):
        length, head = _HEAD.unpack_from(data, place)
        body_at = place + _HEAD.size
        place = body_at + length + _FOOT.size
        if head != checksum(data[body_at - _HEAD.size : body_at - _FOOT.size]) or place > len(data):
            return
        body = data[body_at : body_at + length]
        if _FOOT.unpack_from(data, body_at + length)[0] != checksum(body):
            return
        yield place, body
