"""A short description of the data, stored with a study, so that going on with other data can be said aloud.

Small arrays are hashed whole. Of large ones only evenly spaced samples are: another data set is found out, a single
changed value among millions may not be. Hashes are of the bytes of the values in little-endian order, so they are the
same in any process and on any backend.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dialed.engine.arrays import Array, is_sparse
from dialed.engine.data import Data
from dialed.engine.datasets import Stream
from dialed.engine.samples import Samples

__all__ = ["differences", "fingerprint"]

_WHOLE_BYTES = 1 << 24  # 16 MiB: hashed in about 20 ms
_FEWEST_ROWS = 64
_PIECE_BYTES = _WHOLE_BYTES // _FEWEST_ROWS  # of one sample, where samples are large


def fingerprint(data: Data) -> dict[str, Any]:
    """What is remembered of `data`, as JSON.

    Returns:
        "training" and "validation" (arrays by name with shape, dtype and digest, or what is known of a dataset), and
        how the data are split ("split_at", "folds").

    Example:
        >>> import numpy as np
        >>> from dialed.engine.data import Data
        >>> fingerprint(Data.of(np.zeros((3, 2))))["training"]["arrays"]["x"]["shape"]
        [3, 2]
    """
    return {
        "training": _source(data.training),
        "validation": None if data.validation is None else _source(data.validation),
        "split_at": data.split_at,
        "folds": _folds(data),
    }


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two fingerprints, in sentences; empty where nothing does.

    Example:
        >>> import numpy as np
        >>> from dialed.engine.data import Data
        >>> differences(fingerprint(Data.of(np.zeros((3, 2)))), fingerprint(Data.of(np.zeros((4, 2)))))
        ['`x` had 3 samples and has 4 now.']
    """
    said = list(_source_differences(old.get("training"), new.get("training"), "the training data", ""))
    said += _source_differences(
        old.get("validation"), new.get("validation"), "the validation data", "validation_data: "
    )
    if not said and old.get("split_at") != new.get("split_at"):
        said.append(
            _changed("The first sample held out by `validation_split`", old.get("split_at"), new.get("split_at"))
        )
    said += _fold_differences(old.get("folds"), new.get("folds"), same_data=not said)
    return said


def _source(source: Samples | Stream) -> dict[str, Any]:
    if isinstance(source, Samples):
        return {"kind": "arrays", "arrays": {name: _array(array) for name, array in source.arrays()}}
    return {
        "kind": source.kind,
        "batches": source.batches,
        "samples": source.samples,
        "element": list(source.element),
    }


def _array(array: Array) -> dict[str, Any]:
    return {"shape": [int(n) for n in array.shape], "dtype": array.dtype.name, "digest": _digest(_sampled(array))}


def _sampled(array: Array) -> np.ndarray:
    """The array itself where it is small, else the beginnings of evenly spaced samples, the first and last with them."""
    if is_sparse(array):
        return np.asarray(array[_spaced(array.shape[0], _FEWEST_ROWS)].toarray())
    if array.nbytes <= _WHOLE_BYTES:
        return np.asarray(array)
    rows = np.asarray(array[_spaced(len(array), max(_FEWEST_ROWS, _WHOLE_BYTES * len(array) // array.nbytes))])
    return rows.reshape(len(rows), -1)[:, : max(1, _PIECE_BYTES // rows.itemsize)]


def _spaced(length: int, count: int) -> np.ndarray:
    count = min(count, length)
    return np.arange(count, dtype=np.int64) * (length - 1) // max(count - 1, 1)


def _digest(array: np.ndarray) -> str:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(little).data).hexdigest()[:16]


def _folds(data: Data) -> dict[str, Any] | None:
    if not data.cross_validation:
        return None
    tests = np.concatenate([np.append(fold.test, -1) for fold in data.cross_validation]).astype(np.int64)
    return {"count": len(data.cross_validation), "digest": _digest(tests)}


def _source_differences(old: Any, new: Any, what: str, prefix: str) -> Iterator[str]:
    if old is None or new is None:
        if old is not new:
            yield _changed(what[0].upper() + what[1:], old and "there", new and "there")
        return
    if old["kind"] != new["kind"]:
        yield _changed(f"The kind of {what}", old["kind"], new["kind"])
    elif old["kind"] == "arrays":
        yield from _array_differences(old["arrays"], new["arrays"], prefix)
    else:
        for key, label in (("batches", "number of batches"), ("samples", "number of samples"), ("element", "elements")):
            if old[key] != new[key]:
                yield _changed(f"The {label} of {what}", old[key], new[key])


def _array_differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name in (*old, *(name for name in new if name not in old)):
        label = f"`{prefix}{name}`"
        if name not in old or name not in new:
            yield f"{label} {'is new' if name in new else 'is gone'}."
        else:
            yield from _facts_differences(label, old[name], new[name])


def _facts_differences(label: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old["shape"][0] != new["shape"][0]:
        yield f"{label} had {old['shape'][0]:,} samples and has {new['shape'][0]:,} now."
    if old["shape"][1:] != new["shape"][1:]:
        yield f"Each sample of {label} had the shape {tuple(old['shape'][1:])} and has {tuple(new['shape'][1:])} now."
    if old["dtype"] != new["dtype"]:
        yield f"{label} was {old['dtype']} and is {new['dtype']} now."
    if (old["shape"], old["dtype"]) == (new["shape"], new["dtype"]) and old["digest"] != new["digest"]:
        yield f"{label} holds other values."


def _fold_differences(old: Any, new: Any, *, same_data: bool) -> Iterator[str]:
    before, now = (facts["count"] if facts else 0 for facts in (old, new))
    if before != now:
        yield _changed("The number of folds", before, now)
    elif same_data and old != new:
        yield "The folds hold other samples: `cv` or its seed changed."


def _changed(what: str, old: object, new: object) -> str:
    return f"{what} was {'none' if old is None else old} and is {'none' if new is None else new} now."
