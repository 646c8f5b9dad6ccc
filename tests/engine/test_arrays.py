"""Arrays of any origin become NumPy arrays with the values and shapes that Keras gives them."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from dialed.engine.arrays import leaves, map_leaves, to_arrays
from dialed.errors import DataError


class Pair(NamedTuple):
    left: np.ndarray
    right: np.ndarray


def test_a_numpy_array_stays_itself() -> None:
    x = np.zeros((2, 3))
    assert to_arrays(x, "x") is x
    assert to_arrays(None, "y") is None


def test_structures_keep_their_types_and_name_their_leaves() -> None:
    one = np.zeros(2)
    made = to_arrays({"a": [one, (one,)], "b": Pair(one, one)}, "x")
    assert isinstance(made["a"][1], tuple) and isinstance(made["b"], Pair)
    assert [name for name, _ in leaves(made, "x")] == ["x['a'][0]", "x['a'][1][0]", "x['b'][0]", "x['b'][1]"]
    assert map_leaves(lambda name, _: name, [one], "y") == ["y[0]"]


def test_jax_arrays_are_read_in_every_float() -> None:
    import jax.numpy as jnp

    assert to_arrays(jnp.ones((2, 2)), "x").dtype == np.float32
    assert to_arrays(jnp.ones(2, jnp.bfloat16), "x").dtype == np.float32
    assert to_arrays(jnp.arange(2), "x").dtype.kind == "i"


def test_a_frame_becomes_its_numbers_whatever_numeric_dtypes_it_mixes() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": [True, False]})
    made = to_arrays(frame, "x")
    assert made.dtype == np.float64
    np.testing.assert_array_equal(made, [[1, 0.5, 1], [2, 1.5, 0]])
    assert to_arrays(frame[["c"]], "x").dtype == bool
    np.testing.assert_array_equal(to_arrays(pd.DataFrame({"s": pd.arrays.SparseArray([0.0, 2.0])}), "x"), [[0], [2]])


def test_nullable_columns_keep_their_integers_and_show_gaps_as_nan() -> None:
    assert to_arrays(pd.DataFrame({"a": pd.array([1, 2], "Int64")}), "x").dtype == np.int64
    gap = to_arrays(pd.DataFrame({"a": pd.array([1, None], "Int64")}), "x")
    assert gap.dtype == np.float64 and np.isnan(gap[1, 0])


def test_a_series_becomes_a_column_as_in_keras() -> None:
    from keras.src.trainers.data_adapters.array_slicing import PandasSeriesSliceable

    series = pd.Series([3, 4, 5])
    np.testing.assert_array_equal(to_arrays(series, "y"), PandasSeriesSliceable.convert_to_numpy(series))


def test_columns_that_are_not_numeric_are_named() -> None:
    frame = pd.DataFrame({"age": [1, 2], "name": ["a", "b"], "when": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    frame["kind"] = pd.Categorical(["u", "v"])
    with pytest.raises(
        DataError, match=r"`x` must have numeric columns only. Got 3 of other types: 'name', 'when', 'kind'"
    ):
        to_arrays(frame, "x")
    with pytest.raises(DataError, match=r"`y` must have numeric columns only. Got a series of"):
        to_arrays(pd.Series(["a", "b"]), "y")


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (np.array(["a", "b"]), "strings"),
        (np.array([b"a"]), "bytes"),
        (np.array([[1], [1, 2]], dtype=object), "Python objects, the first of type list"),
        (np.array(["2024-01-01"], dtype="datetime64[D]"), "dates"),
    ],
)
def test_arrays_of_anything_but_numbers_are_refused(bad: np.ndarray, what: str) -> None:
    with pytest.raises(DataError, match=rf"`x` must hold numbers. Got dtype .* \({what}\). Encode"):
        to_arrays(bad, "x")


def test_a_list_of_numbers_is_refused_because_a_list_means_several_inputs() -> None:
    with pytest.raises(DataError, match=r"`y\[0\]` must be an array. Got 0 \(int\); a list stands for several"):
        to_arrays([0, 1], "y")


def test_what_has_no_samples_is_refused() -> None:
    with pytest.raises(DataError, match=r"`x` must have an axis of samples"):
        to_arrays(np.array(3.0), "x")
    with pytest.raises(DataError, match=r"`x` must hold at least one array. Got \[\]"):
        to_arrays([], "x")
    with pytest.raises(DataError, match=r"`x` must be an array \(NumPy, JAX, torch.*Got <object"):
        to_arrays(object(), "x")


def test_masked_values_are_refused() -> None:
    with pytest.raises(DataError, match=r"`x` must not have masked values. Got 1 of them"):
        to_arrays(np.ma.masked_equal([1, 2], 2), "x")
    assert to_arrays(np.ma.masked_array([1, 2]), "x").shape == (2,)


def run(code: str) -> None:
    """Run `code` in a process of its own: TensorFlow and torch must not be loaded beside JAX here."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120, env=ENV
    )
    assert done.returncode == 0, done.stderr


def _env() -> dict[str, str]:
    import os

    path = os.pathsep.join(p for p in sys.path if p)
    return {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


ENV = _env()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
def test_torch_tensors_are_read() -> None:
    run(
        "import torch, numpy as np\n"
        "from dialed.engine.arrays import to_arrays\n"
        "from dialed.errors import DataError\n"
        "x = torch.arange(6.).reshape(3, 2)\n"
        "made = to_arrays({'a': x.requires_grad_(), 'b': torch.ones(3, dtype=torch.bfloat16)}, 'x')\n"
        "assert np.array_equal(made['a'], [[0, 1], [2, 3], [4, 5]]) and made['b'].dtype == np.float32\n"
        "assert np.shares_memory(made['a'], x.detach().numpy())\n"
        "try: to_arrays(torch.eye(2).to_sparse(), 'x')\n"
        "except DataError as error: assert 'must be a dense array' in str(error), error\n"
        "else: raise AssertionError\n"
    )


@pytest.mark.slow
@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_tensorflow_tensors_are_read() -> None:
    run(
        "import tensorflow as tf, numpy as np\n"
        "from dialed.engine.arrays import to_arrays\n"
        "from dialed.errors import DataError\n"
        "made = to_arrays([tf.ones((3, 2)), tf.Variable([1, 2, 3])], 'x')\n"
        "assert made[0].shape == (3, 2) and made[1].dtype.kind == 'i'\n"
        "assert to_arrays(tf.cast([1., 2.], tf.bfloat16), 'x').dtype == np.float32\n"
        "for bad, what in ((tf.ragged.constant([[1], [1, 2]]), 'dense array'), (tf.sparse.eye(2), 'dense array'),\n"
        "                  (tf.constant(['a']), 'must hold numbers')):\n"
        "    try: to_arrays(bad, 'x')\n"
        "    except DataError as error: assert what in str(error), error\n"
        "    else: raise AssertionError(bad)\n"
    )
