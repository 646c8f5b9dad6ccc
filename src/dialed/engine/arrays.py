"""Arrays of any origin as NumPy arrays, alone or nested in lists, tuples and dicts, with one name for each.

`model.fit` takes arrays of NumPy, JAX, torch, TensorFlow and pandas. Everything that looks into the data (checks, folds,
fingerprints, fused programs) would need a branch for each, so all become NumPy arrays here, once, without a copy where
the memory can be shared. The values and shapes are those that Keras itself makes of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from dialed.errors import DataError

__all__ = ["Array", "Structure", "is_sparse", "leaves", "map_leaves", "to_arrays"]

Array: TypeAlias = Any
"""A NumPy array, or a SciPy sparse matrix in CSR form; samples along the first axis."""

Structure: TypeAlias = Any
"""An array, or lists, tuples and dicts of structures: several inputs or outputs. `None` where there is nothing."""

_NUMBERS = "biufc"  # NumPy's dtype kinds that can be trained on
_SHOWN = 5


def map_leaves(function: Callable[[str, Any], Any], structure: Structure, name: str) -> Structure:
    """`structure` with `function(name, leaf)` in the place of each leaf; names read as "x", "x[0]" or "x['image']"."""
    match structure:
        case None:
            return None
        case Mapping():
            return {key: map_leaves(function, value, f"{name}[{key!r}]") for key, value in structure.items()}
        case tuple() | list():
            made = [map_leaves(function, value, f"{name}[{i}]") for i, value in enumerate(structure)]
            return type(structure)(*made) if hasattr(structure, "_fields") else type(structure)(made)
        case _:
            return function(name, structure)


def leaves(structure: Structure, name: str) -> Iterator[tuple[str, Any]]:
    """The name and the value of each leaf, in order."""
    match structure:
        case None:
            return
        case Mapping():
            for key, value in structure.items():
                yield from leaves(value, f"{name}[{key!r}]")
        case tuple() | list():
            for i, value in enumerate(structure):
                yield from leaves(value, f"{name}[{i}]")
        case _:
            yield name, structure


def is_sparse(array: object) -> bool:
    """Whether `array` is a SciPy sparse matrix."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(array))


def to_arrays(structure: Structure, name: str) -> Structure:
    """`structure` with a NumPy array for each leaf.

    Raises:
        DataError: A leaf is not an array of numbers, or has no axis of samples.
    """
    made = map_leaves(_to_array, structure, name)
    if structure is not None and next(leaves(made, name), None) is None:
        raise DataError(f"`{name}` must hold at least one array. Got {structure!r}. Pass the arrays to train on.")
    return made


def _to_array(name: str, leaf: Any) -> Array:
    array = _converted(name, leaf)
    if not is_sparse(array):
        array = _known_dtype(array)
    if array.dtype.kind not in _NUMBERS:
        raise DataError(_not_numbers(name, array))
    if array.ndim == 0:
        raise DataError(
            f"`{name}` must have an axis of samples. Got an array without axes ({array!r}). "
            "Pass an array whose first axis counts the samples."
        )
    return array


def _converted(name: str, leaf: Any) -> Array:
    origin = _origin(leaf)
    if isinstance(leaf, np.ma.MaskedArray) and np.ma.is_masked(leaf):
        raise DataError(
            f"`{name}` must not have masked values. Got {int(np.ma.getmaskarray(leaf).sum())} of them. Fill them "
            "(`array.filled(value)`) or drop those samples."
        )
    if origin == "pandas":
        return _from_pandas(name, leaf)
    if origin == "torch":
        return _from_torch(name, leaf)
    if origin == "tensorflow":
        return _from_tensorflow(name, leaf)
    if is_sparse(leaf):
        return leaf.tocsr()
    if isinstance(leaf, np.ndarray) or (hasattr(leaf, "__array__") and not isinstance(leaf, np.generic)):
        return np.asarray(leaf)
    raise DataError(_not_an_array(name, leaf))


def _origin(leaf: Any) -> str:
    """The library whose array type `leaf` has, found without importing any."""
    for module, kinds in (("pandas", ("DataFrame", "Series", "Index")), ("torch", ("Tensor",))):
        library = sys.modules.get(module)
        if library is not None and isinstance(leaf, tuple(getattr(library, kind) for kind in kinds)):
            return module
    return "tensorflow" if type(leaf).__module__.startswith("tensorflow.") else ""


def _known_dtype(array: np.ndarray) -> np.ndarray:
    """bfloat16 and the 8-bit floats of JAX as float32: NumPy itself cannot compare or sum them."""
    if array.dtype.kind == "V" and "float" in array.dtype.name:
        return array.astype(np.float32)
    return array


def _from_pandas(name: str, leaf: Any) -> np.ndarray:
    """A frame as (samples, columns), a series as (samples, 1): the shapes that Keras gives them."""
    frame = leaf if hasattr(leaf, "columns") else leaf.to_frame()
    bad = [str(c) for c, dtype in zip(frame.columns, frame.dtypes, strict=True) if not _is_number(dtype)]
    if bad:
        shown = ", ".join(repr(c) for c in bad[:_SHOWN]) + (" ..." if len(bad) > _SHOWN else "")
        what = f"{len(bad)} of other types: {shown}" if frame is leaf else f"a series of {frame.dtypes.iloc[0]}"
        raise DataError(
            f"`{name}` must have numeric columns only. Got {what}. Drop them or turn them into numbers "
            "(`pandas.get_dummies` for categories, `.cat.codes` for labels)."
        )
    dtypes = [_numpy_dtype(frame.iloc[:, i]) for i in range(frame.shape[1])]
    dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.float64)
    missing = {"na_value": np.nan} if dtype.kind == "f" else {}
    return np.asarray(frame.to_numpy(dtype=dtype, **missing))


def _is_number(dtype: Any) -> bool:
    return getattr(dtype, "kind", "O") in _NUMBERS and getattr(dtype, "name", "") != "category"


def _numpy_dtype(column: Any) -> np.dtype[Any]:
    """The NumPy dtype of a column; float64 where a nullable column has missing values, which become NaN."""
    if isinstance(column.dtype, np.dtype):
        return column.dtype
    inner = getattr(column.dtype, "numpy_dtype", None) or getattr(column.dtype, "subtype", np.float64)
    return np.dtype(np.float64) if column.isna().any() else np.dtype(inner)


def _from_torch(name: str, leaf: Any) -> np.ndarray:
    if str(leaf.layout) != "torch.strided":
        raise DataError(_without_numpy_form(name, f"a torch tensor with layout {leaf.layout}", "`.to_dense()`"))
    leaf = leaf.detach().cpu()
    return np.asarray(leaf.float() if str(leaf.dtype) == "torch.bfloat16" else leaf)


def _from_tensorflow(name: str, leaf: Any) -> np.ndarray:
    kind = type(leaf).__name__
    if not hasattr(leaf, "__array__") or kind in ("RaggedTensor", "SparseTensor"):
        raise DataError(_without_numpy_form(name, f"a tf.{kind}", "`tf.sparse.to_dense` or `.to_tensor()`"))
    return np.asarray(leaf)


def _without_numpy_form(name: str, what: str, how: str) -> str:
    return f"`{name}` must be a dense array. Got {what}. Convert it with {how}, or pass a `tf.data.Dataset`."


def _not_numbers(name: str, array: Array) -> str:
    kind = {"U": "strings", "S": "bytes", "M": "dates", "m": "durations", "T": "strings"}.get(array.dtype.kind, "")
    if array.dtype.kind == "O":
        first = array.flat[0] if array.size else None
        kind = f"Python objects, the first of type {type(first).__name__}"
    return (
        f"`{name}` must hold numbers. Got dtype {array.dtype} ({kind or 'not numbers'}). Encode categories as integers "
        "(`numpy.unique(labels, return_inverse=True)`), or convert with `numpy.asarray(..., dtype='float32')`; where "
        "rows differ in length, pad them."
    )


def _not_an_array(name: str, leaf: Any) -> str:
    what = f"{leaf!r:.60} ({type(leaf).__name__})"
    if isinstance(leaf, (bool, int, float, str, np.generic)):
        return (
            f"`{name}` must be an array. Got {what}; a list stands for several inputs or outputs, as in `model.fit`. "
            "Pass `numpy.asarray(...)` of the list."
        )
    return (
        f"`{name}` must be an array (NumPy, JAX, torch, TensorFlow, pandas), lists, tuples or dicts of arrays, a "
        f"`tf.data.Dataset`, a torch `DataLoader` or a `keras.utils.PyDataset`. Got {what}."
    )
