"""Whatever stands in a store or a checkpoint: it is read as it was written, or refused with an error of ours."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialed.errors import CheckpointError, DialedError, StoreError
from dialed.store import Checkpoints, open_catalog
from dialed.store.codec import decode, decode_checkpoint, decode_json, decode_origin, decode_terms, encode, encode_terms
from dialed.testing.stores import _ALL_KINDS, TERMS
from dialed.trial import CheckpointRef, MemberKey

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KINDS = sorted({encode(event)[0] for event in _ALL_KINDS})
BODIES = [encode(event) for event in _ALL_KINDS]
TEXTS = st.text(max_size=40) | JSON.map(json.dumps)
FUZZ = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(kind=st.sampled_from([*KINDS, "unknown"]), body=TEXTS)
def test_a_body_of_anything_is_refused_or_read(kind: str, body: str) -> None:
    with contextlib.suppress(StoreError):
        decode(kind, body)


@settings(max_examples=150)
@given(data=st.data())
def test_an_event_with_one_field_changed_is_refused_or_read(data: st.DataObject) -> None:
    kind, body = data.draw(st.sampled_from(BODIES))
    fields = json.loads(body)
    name = data.draw(st.sampled_from([*fields, "new"]))
    fields[name] = data.draw(JSON)
    with contextlib.suppress(StoreError):
        decode(kind, json.dumps(fields))


@settings(max_examples=150)
@given(data=st.data())
def test_terms_with_one_field_changed_are_refused_or_read(data: st.DataObject) -> None:
    fields = json.loads(encode_terms(TERMS))
    fields[data.draw(st.sampled_from([*fields, "new"]))] = data.draw(JSON)
    with contextlib.suppress(StoreError):
        decode_terms(json.dumps(fields))


@FUZZ
@given(text=TEXTS)
def test_other_texts_of_rows_are_refused_or_read(text: str) -> None:
    for read in (decode_json, decode_checkpoint, decode_origin, decode_terms):
        with contextlib.suppress(StoreError):
            read(text)


@FUZZ
@given(column=st.sampled_from(["kind", "body", "trial", "time"]), value=st.text(max_size=12) | st.integers(-9, 2**40))
def test_a_row_that_somebody_changed_is_refused_or_read(column: str, value: Any) -> None:
    with open_catalog("sqlite:///:memory:") as catalog:
        store = catalog.create("study", TERMS, {})
        store.append(list(_ALL_KINDS))
        with catalog._database.writing() as cursor:
            cursor.execute(f"UPDATE dialed_events SET {column} = :value WHERE cursor = 4", {"value": value})
        with contextlib.suppress(DialedError):
            store.load_history()


def refer(folder: Path, content: bytes) -> CheckpointRef:
    """Put `content` where a checkpoint would be, under its true hash, as somebody who can write the store could."""
    digest = hashlib.sha256(content).hexdigest()
    name = f"trial0-seed0-fold0-last-epoch1-{digest[:12]}.npz"
    (folder / name).write_bytes(content)
    return CheckpointRef(path=name, digest=digest, bytes=len(content), epoch=1)


def archive(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return buffer.getvalue()


def array_of(value: Any) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, value, allow_pickle=True)
    return buffer.getvalue()


@FUZZ
@given(content=st.binary(max_size=200), header=TEXTS | st.just('{"format": 1, "dtypes": {"a": "x"}, "meta": {}}'))
def test_a_file_of_anything_is_refused_or_read(tmp_path: Path, content: bytes, header: str) -> None:
    checkpoints = Checkpoints(tmp_path)
    for bytes_ in (content, archive({"dialed.json": header.encode("utf-8", "replace"), "a.npy": content})):
        with contextlib.suppress(CheckpointError):
            checkpoints.load(refer(tmp_path, bytes_))


@FUZZ
@given(data=st.data())
def test_a_checkpoint_with_bytes_changed_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    checkpoints = Checkpoints(tmp_path)
    ref = checkpoints.save(MemberKey(0, 0, 0), 1, "last", {"a": np.arange(8.0)}, {"epoch": 1})
    content = bytearray((tmp_path / ref.path).read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3, unique=True)):
        content[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / ref.path).write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="must be what was saved, but it is damaged"):
        checkpoints.load(ref)
    with contextlib.suppress(CheckpointError):  # under its true hash, as a newer or a broken writer might leave it
        checkpoints.load(refer(tmp_path, bytes(content)))


def test_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (print, ("this must never run",))

    objects = np.empty(1, dtype=object)
    objects[0] = Trap()
    header = b'{"format": 1, "dtypes": {}, "meta": {}}'
    ref = refer(tmp_path, archive({"dialed.json": header, "a.npy": array_of(objects)}))
    with pytest.raises(CheckpointError, match="Object arrays cannot be loaded"):
        Checkpoints(tmp_path).load(ref)


@FUZZ
@given(path=st.text(max_size=30) | st.sampled_from(["../a.npz", "/etc/passwd", "a/../../b.npz", "..\\a.npz", "\0.npz"]))
def test_no_address_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    checkpoints = Checkpoints(tmp_path)
    for do in (checkpoints.load, checkpoints.delete, checkpoints.exists):
        with pytest.raises(CheckpointError, match="A checkpoint must have a name as Dialed gives it"):
            do(CheckpointRef(path=path, digest="0" * 64, bytes=1, epoch=1))
