"""A checkpoint comes back exactly as it was saved, or not at all."""

from __future__ import annotations

import errno
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dialed.errors import CheckpointError
from dialed.store.checkpoints import Checkpoints, Named, parse_name
from dialed.trial import CheckpointRef, MemberKey

KEY = MemberKey(12, 3, 1)


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "artifacts")


def files(checkpoints: Checkpoints) -> list[str]:
    return sorted(path.name for path in checkpoints.folder.iterdir())


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
        hnp.arrays(
            st.one_of(hnp.scalar_dtypes(), hnp.unicode_string_dtypes(), hnp.byte_string_dtypes()),
            hnp.array_shapes(min_dims=0, min_side=0),
        ),
        max_size=4,
    )
)
def test_arrays_come_back_exactly(checkpoints: Checkpoints, arrays: dict[str, np.ndarray]) -> None:
    found, _ = checkpoints.load(checkpoints.save(KEY, 1, "last", arrays, {}))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_dtypes_of_accelerators_survive(checkpoints: Checkpoints, dtype: str, shape: tuple[int, ...]) -> None:
    array = np.asarray(np.linspace(0, 7, max(1, int(np.prod(shape)))).reshape(shape), dtype=getattr(ml_dtypes, dtype))
    found, _ = checkpoints.load(checkpoints.save(KEY, 1, "best", {"a": array}, {}))
    assert (found["a"].dtype, found["a"].shape, found["a"].tobytes()) == (array.dtype, shape, array.tobytes())


def test_meta_comes_back(checkpoints: Checkpoints) -> None:
    meta = {"epoch": 3, "order": [1, 2], "nested": {"a": None, "b": 0.1 + 0.2}}
    assert checkpoints.load(checkpoints.save(KEY, 3, "last", {}, meta)) == ({}, meta)


def test_numpy_opens_the_file_without_pickle(checkpoints: Checkpoints) -> None:
    ref = checkpoints.save(KEY, 3, "last", {"layers/0/kernel": np.arange(3), "file": np.ones(2)}, {})
    with np.load(checkpoints.path(ref), allow_pickle=False) as found:
        assert found["layers/0/kernel"].tolist() == [0, 1, 2]
        assert found["file"].tolist() == [1.0, 1.0]


def test_the_name_says_whose_it_is(checkpoints: Checkpoints) -> None:
    ref = checkpoints.save(KEY, 5, "best", {}, {})
    assert ref.path == f"trial12-seed3-fold1-best-epoch5-{ref.digest[:12]}.npz"
    assert parse_name(ref.path) == Named(KEY, "best", 5)
    assert parse_name("notes.txt") is None
    assert (ref.epoch, ref.bytes) == (5, checkpoints.path(ref).stat().st_size)
    assert files(checkpoints) == [ref.path]


def test_the_same_content_has_the_same_address(checkpoints: Checkpoints) -> None:
    """So a member that trains an epoch a second time leaves no second file."""
    first, second = (checkpoints.save(KEY, 1, "last", {"a": np.ones(3)}, {"b": 1}) for _ in range(2))
    other = checkpoints.save(KEY, 1, "last", {"a": np.zeros(3)}, {"b": 1})
    assert first == second != other
    assert len(files(checkpoints)) == 2


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "append"])
def test_a_damaged_file_is_set_aside(checkpoints: Checkpoints, damage: str) -> None:
    ref = checkpoints.save(KEY, 1, "last", {"a": np.arange(1000)}, {})
    path = checkpoints.path(ref)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[500] ^= 1
    path.write_bytes({"cut": whole[:-300], "flip": bytes(flipped), "empty": b"", "append": whole + b"x"}[damage])
    with pytest.raises(
        CheckpointError, match="must be what was saved, but it is damaged: its SHA-256 .* It was moved to"
    ):
        checkpoints.load(ref)
    assert files(checkpoints) == ["corrupt"]
    assert (checkpoints.folder / "corrupt" / ref.path).exists()
    with pytest.raises(CheckpointError, match="must be there, but it is missing"):
        checkpoints.load(ref)


def test_a_newer_format_is_refused(checkpoints: Checkpoints) -> None:
    import hashlib

    ref = checkpoints.save(KEY, 1, "last", {}, {})
    path = checkpoints.path(ref)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("dialed.json", json.dumps({"format": 2}))
    with pytest.raises(CheckpointError, match="it is of format 2, which a newer Dialed wrote"):
        checkpoints.load(replace(ref, digest=hashlib.sha256(path.read_bytes()).hexdigest()))


def test_nothing_is_unpickled(checkpoints: Checkpoints) -> None:
    """Not even a pickled array whose hash somebody put into the store."""
    import hashlib

    ref = checkpoints.save(KEY, 1, "last", {}, {})
    path = checkpoints.path(ref)
    np.savez(path, a=np.array([{"x": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("dialed.json", json.dumps({"format": 1, "dtypes": {}, "meta": {}}))
    with pytest.raises(CheckpointError, match="Object arrays cannot be loaded when allow_pickle=False"):
        checkpoints.load(replace(ref, digest=hashlib.sha256(path.read_bytes()).hexdigest()))


def test_an_unknown_dtype_is_refused(checkpoints: Checkpoints) -> None:
    import hashlib

    ref = checkpoints.save(KEY, 1, "last", {"a": np.ones(2, ml_dtypes.bfloat16)}, {})
    path = checkpoints.path(ref)
    changed = path.read_bytes().replace(b'"bfloat16"', b'"bfloat99"')
    path.write_bytes(changed)
    with pytest.raises(CheckpointError, match=r"damaged: (its dtype 'bfloat99' is unknown|Bad CRC)"):
        checkpoints.load(replace(ref, digest=hashlib.sha256(changed).hexdigest()))


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a.npz", "trial1-seed0-fold0-last-epoch1-zz.npz"])
def test_an_address_cannot_lead_out_of_the_folder(checkpoints: Checkpoints, path: str) -> None:
    ref = CheckpointRef(path=path, digest="0" * 64, bytes=1, epoch=1)
    for use in (checkpoints.load, checkpoints.delete, checkpoints.exists):
        with pytest.raises(CheckpointError, match="must have a name as Dialed gives it"):
            use(ref)


@pytest.mark.parametrize("arrays", [{"a": np.array([{}], dtype=object)}, {"a\0b": np.ones(1)}])
def test_what_cannot_be_held_is_refused(checkpoints: Checkpoints, arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(CheckpointError, match="A checkpoint holds arrays of numbers, strings and bools by names"):
        checkpoints.save(KEY, 1, "last", arrays, {})
    assert files(checkpoints) == []


def test_deleting_twice_is_no_error(checkpoints: Checkpoints) -> None:
    ref = checkpoints.save(KEY, 1, "last", {}, {})
    assert checkpoints.exists(ref)
    checkpoints.delete(ref)
    checkpoints.delete(ref)
    assert not checkpoints.exists(ref)


def test_no_space_left_says_how_much_was_needed(checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        CheckpointError, match=r"A checkpoint needs 8.0 MB in .*, but no space is left there. Free some"
    ):
        checkpoints.save(KEY, 1, "last", {"a": np.zeros(1_000_000)}, {})
    assert files(checkpoints) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="The folder of the checkpoints must be writable. Got .*file"):
        Checkpoints(tmp_path / "file").save(KEY, 1, "last", {}, {})


def test_meta_that_json_cannot_hold_leaves_no_file(checkpoints: Checkpoints) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        checkpoints.save(KEY, 1, "last", {}, {"a": object()})
    assert files(checkpoints) == []
