"""Inputs, targets and weights that belong together, sample by sample: their checks, and parts of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from dialed.engine.arrays import Array, Structure, is_sparse, leaves, map_leaves, to_arrays
from dialed.errors import DataError

__all__ = ["LabelRange", "Samples", "label_range"]

_CHUNK_BYTES = 1 << 23  # 8 MiB: fits the cache of most machines, so a check costs little more than reading the data


class LabelRange(NamedTuple):
    """The smallest and the largest target, and whether all are whole numbers."""

    low: float
    high: float
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Arrays whose first axes count the same samples, in the structures that `model.fit` takes.

    `y` and `sample_weight` are `None` where there are none.
    """

    x: Structure
    y: Structure = None
    sample_weight: Structure = None

    @classmethod
    def of(cls, x: Any, y: Any, sample_weight: Any, *, name: str = "", check_finite: bool = True) -> Self:
        """Convert and check. `name` goes before the arguments' names in errors: "validation_data: ".

        Raises:
            DataError: The arrays are empty, differ in length, or hold something else than finite numbers.
        """
        if x is None:
            raise DataError("`x` must be the inputs to train on. Got None. Pass arrays or a dataset.")
        made = cls(
            x=to_arrays(x, f"{name}x"),
            y=to_arrays(y, f"{name}y"),
            sample_weight=to_arrays(sample_weight, f"{name}sample_weight"),
        )
        _check_lengths(list(made.arrays(name)))
        if check_finite:
            for label, array in made.arrays(name):
                _check_finite(label, array)
        return made

    def arrays(self, name: str = "") -> Iterator[tuple[str, Array]]:
        """The name and the value of each array."""
        yield from leaves(self.x, f"{name}x")
        yield from leaves(self.y, f"{name}y")
        yield from leaves(self.sample_weight, f"{name}sample_weight")

    def __len__(self) -> int:
        return int(next(self.arrays())[1].shape[0])

    @property
    def bytes(self) -> int:
        """The memory that the arrays take."""
        return sum(_stored(array).nbytes for _, array in self.arrays())

    def rows(self, where: slice | np.ndarray) -> Samples:
        """The samples at `where`: views for a slice, copies for an array of indices."""

        def cut(_: str, array: Array) -> Array:
            return array[where]

        return Samples(
            x=map_leaves(cut, self.x, "x"),
            y=map_leaves(cut, self.y, "y"),
            sample_weight=map_leaves(cut, self.sample_weight, "sample_weight"),
        )

    def as_tuple(self) -> tuple[Any, ...]:
        """(x, y), or (x, y, sample_weight) where there are weights: what `validation_data` takes."""
        return (self.x, self.y) if self.sample_weight is None else (self.x, self.y, self.sample_weight)


def label_range(array: Array) -> LabelRange:
    """The range of one array of targets."""
    values = _stored(array)
    whole = values.dtype.kind in "biu" or all(bool((c == np.floor(c)).all()) for c, _ in _chunks(values))
    return LabelRange(float(values.min()), float(values.max()), whole)


def _stored(array: Array) -> np.ndarray:
    """The dense array that holds the values."""
    return array.data if is_sparse(array) else array  # type: ignore[no-any-return]


def _chunks(array: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    """Pieces of about 8 MiB along the first axis, each with its first row."""
    rows = max(1, _CHUNK_BYTES * len(array) // max(array.nbytes, 1))
    for start in range(0, len(array), rows):
        yield array[start : start + rows], start


def _check_lengths(arrays: list[tuple[str, Array]]) -> None:
    lengths = {label: int(array.shape[0]) for label, array in arrays}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{count:,} in `{label}`" for label, count in lengths.items())
        names = " and ".join(f"`{label}`" for label in lengths)
        raise DataError(
            f"{names} must hold the same number of samples. Got {shown}. Check that all were cut the same way, and "
            "that the first axis counts the samples."
        )
    empty = [label for label, array in arrays if 0 in array.shape]
    if empty:
        shown = ", ".join(f"`{label}` of shape {array.shape}" for label, array in arrays if label in empty)
        raise DataError(f"The data must not be empty. Got {shown}. Check how the arrays were loaded or filtered.")


def _check_finite(label: str, array: Array) -> None:
    values = _stored(array)
    if values.dtype.kind not in "fc":
        return
    count, first = 0, None
    for chunk, start in _chunks(values):
        good = np.isfinite(chunk)
        if not good.all():
            count += int(good.size - np.count_nonzero(good))
            first = first if first is not None else _place(good, start)
    if first is not None:
        where = "" if is_sparse(array) else f" at index {first if len(first) > 1 else first[0]}"
        raise DataError(
            f"`{label}` must hold finite numbers. Got {count:,} NaN or infinite values, the first ({values[first]})"
            f"{where}. Fill them or drop those samples, or pass `check_finite=False` if the model handles them."
        )


def _place(good: np.ndarray, start: int) -> tuple[int, ...]:
    """The index of the first value that is not good, counted in the whole array."""
    row, *rest = (int(i) for i in np.unravel_index(int(np.argmin(good)), good.shape))
    return (row + start, *rest)
