"""Fingerprints: the same for the same data anywhere, different for other data, and told apart in sentences."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from dialed.engine.data import Data
from dialed.engine.fingerprint import differences, fingerprint


def made(samples: int = 12, **options: Any) -> dict[str, Any]:
    x = np.arange(samples * 2, dtype="float32").reshape(samples, 2)
    return fingerprint(Data.of(x, np.arange(samples) % 2, **options))


def test_a_fingerprint_is_json_and_says_nothing_new_after_a_round_trip() -> None:
    first = made(cv=3)
    assert differences(json.loads(json.dumps(first)), made(cv=3)) == []


def test_a_fingerprint_is_the_same_in_another_process_and_for_another_library() -> None:
    import jax.numpy as jnp

    code = (
        "import json, numpy as np\n"
        "from dialed.engine.data import Data\n"
        "from dialed.engine.fingerprint import fingerprint\n"
        "x = np.arange(24, dtype='float32').reshape(12, 2)\n"
        "print(json.dumps(fingerprint(Data.of(x, np.arange(12) % 2))))\n"
    )
    env = {"PYTHONPATH": ":".join(p for p in sys.path if p), "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == made()
    x = jnp.arange(24, dtype="float32").reshape(12, 2)
    assert fingerprint(Data.of(x, np.arange(12) % 2)) == made()


def test_the_layout_and_byte_order_of_an_array_do_not_matter() -> None:
    x = np.arange(24, dtype="float32").reshape(12, 2)
    for same in (np.asfortranarray(x), x.astype(">f4"), np.repeat(x, 2, axis=0)[::2]):
        assert differences(fingerprint(Data.of(x)), fingerprint(Data.of(same))) == []


def test_more_samples_are_told() -> None:
    assert differences(made(1200), made(1300)) == [
        "`x` had 1,200 samples and has 1,300 now.",
        "`y` had 1,200 samples and has 1,300 now.",
    ]


def test_other_values_shapes_and_types_are_told() -> None:
    x = np.zeros((4, 2), "float32")
    old = fingerprint(Data.of(x))
    assert differences(old, fingerprint(Data.of(x + 1))) == ["`x` holds other values."]
    assert differences(old, fingerprint(Data.of(x[:, :1]))) == [
        "Each sample of `x` had the shape (2,) and has (1,) now."
    ]
    assert differences(old, fingerprint(Data.of(x.astype("float64")))) == ["`x` was float32 and is float64 now."]
    assert differences(old, fingerprint(Data.of({"a": x}))) == ["`x` is gone.", "`x['a']` is new."]


def test_another_validation_is_told() -> None:
    x, y = np.zeros((4, 2)), np.zeros(4)
    assert differences(made(), made(validation_split=0.5)) == [
        "The first sample held out by `validation_split` was none and is 6 now."
    ]
    assert differences(made(), made(validation_data=(x, y))) == ["The validation data was none and is there now."]
    assert differences(made(validation_data=(x, y)), made(validation_data=(x + 1, y))) == [
        "`validation_data: x` holds other values."
    ]


def test_other_folds_are_told() -> None:
    assert differences(made(cv=3), made(cv=4)) == ["The number of folds was 3 and is 4 now."]
    assert differences(made(cv=3), made(cv=3, seed=1)) == ["The folds hold other samples: `cv` or its seed changed."]
    assert differences(made(), made(cv=3)) == ["The number of folds was 0 and is 3 now."]


def test_other_sparse_values_are_told() -> None:
    from scipy import sparse

    eye = sparse.eye(5, format="csr")
    old = fingerprint(Data.of(eye))
    assert differences(old, fingerprint(Data.of(eye.copy()))) == []
    assert differences(old, fingerprint(Data.of(eye * 2))) == ["`x` holds other values."]


@pytest.mark.parametrize("row", [0, 299_999])
def test_large_arrays_are_sampled_with_their_ends(row: int) -> None:
    x = np.zeros((300_000, 20), "float32")  # 24 MB: above what is hashed whole
    old = fingerprint(Data.of(x, check_finite=False))
    x[row] = 1
    assert differences(old, fingerprint(Data.of(x, check_finite=False))) == ["`x` holds other values."]
