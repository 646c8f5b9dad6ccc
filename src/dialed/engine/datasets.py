"""Datasets that make their own batches: which kinds there are, and what can be known of one without reading it.

No stream is read here, except that a `PyDataset` is asked for its first batch: reading a `DataLoader` starts its workers
and draws from its random state, and a `tf.data` pipeline may be costly to start.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dialed.engine.arrays import leaves
from dialed.errors import DataError

__all__ = ["Kind", "Stream", "is_stream", "kind_of"]

Kind: TypeAlias = Literal["arrays", "tf.data", "torch", "keras.PyDataset", "grain"]

_BASES: tuple[tuple[Kind, str, tuple[str, ...]], ...] = (
    ("tf.data", "tensorflow.python", ("DatasetV2", "DistributedDataset", "DistributedDatasetsFromFunction")),
    ("torch", "torch.utils.data", ("DataLoader",)),
    ("keras.PyDataset", "keras.src", ("PyDataset",)),
    ("grain", "grain", ("MapDataset", "IterDataset", "DataLoader")),
)
_NAMES = {
    "tf.data": "tf.data.Dataset",
    "torch": "torch DataLoader",
    "keras.PyDataset": "PyDataset",
    "grain": "grain dataset",
}
_INSTEAD = (
    "Collect its batches into arrays, or pass a `keras.utils.PyDataset` or "
    "`tf.data.Dataset.from_generator(...)`, which begin anew for each trial."
)


def kind_of(x: Any, name: str = "x") -> Kind:
    """What `x` is, told by the names of its classes, without importing any library.

    Raises:
        DataError: `x` can be read only once (a generator, an iterator), or is a function.
    """
    for parent in type(x).__mro__:
        for kind, module, names in _BASES:
            if parent.__name__ in names and parent.__module__.startswith(module):
                return kind
    if any(p.__name__ == "Dataset" and p.__module__.startswith("torch.utils.data") for p in type(x).__mro__):
        raise DataError(
            f"`{name}` must give batches. Got a torch Dataset ({type(x).__name__}). Wrap it: "
            "`torch.utils.data.DataLoader(dataset, batch_size=32, shuffle=True)`."
        )
    if isinstance(x, (types.GeneratorType, Iterator)):
        raise DataError(
            f"`{name}` must be readable once for each epoch of each trial. Got a {type(x).__name__}, which can be "
            f"read once. {_INSTEAD}"
        )
    if isinstance(x, (types.FunctionType, types.MethodType)):
        raise DataError(f"`{name}` must be data. Got the function '{x.__name__}'. Pass what it returns. {_INSTEAD}")
    return "arrays"


def is_stream(x: Any, name: str = "x") -> bool:
    """Whether `x` makes its own batches."""
    return kind_of(x, name) != "arrays"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """A dataset that makes its own batches, and what is known of it.

    `batches` and `samples` are `None` where only reading it would tell. `element` describes one element for people
    and for fingerprints: shapes and types, as far as they are known.
    """

    source: Any
    kind: Kind
    batches: int | None
    samples: int | None
    element: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is called in sentences."""
        return _NAMES[self.kind]

    @classmethod
    def of(cls, source: Any, name: str) -> Stream:
        """Look at `source`.

        Raises:
            DataError: It is empty, has no end, or does not give (x, y) or (x, y, sample_weight).
        """
        kind = kind_of(source, name)
        batches = _batches(source, kind, name)
        if batches == 0:
            raise DataError(
                f"`{name}` must hold at least one batch. Got an empty {_NAMES[kind]}. Check how it was made; "
                "`drop_remainder` or `drop_last` drops the only batch of a dataset that is smaller than one."
            )
        element = _element(source, kind, name)
        return cls(source=source, kind=kind, batches=batches, samples=_samples(source, kind), element=element)

    def describe(self) -> str:
        """For people: what it is and how much of it."""
        size = [f"{count:,} {what}" for count, what in ((self.samples, "samples"), (self.batches, "batches")) if count]
        return f"a {self.title}" + (f" of {' in '.join(size)}" if size else "")


def _batches(source: Any, kind: Kind, name: str) -> int | None:
    match kind:
        case "tf.data":
            return _tensorflow_batches(source, name)
        case "keras.PyDataset":
            return _keras_batches(source, name)
        case _:
            return _length(source)


def _tensorflow_batches(source: Any, name: str) -> int | None:
    cardinality = getattr(source, "cardinality", None)
    count = -2 if cardinality is None else int(cardinality())
    if count == -1:  # tf.data.INFINITE_CARDINALITY
        how = "Remove `.repeat()`, or give it an end with `.take(batches)`."
        raise DataError(_endless(name, "endless tf.data.Dataset", how))
    return None if count < 0 else count  # tf.data.UNKNOWN_CARDINALITY is -2


def _keras_batches(source: Any, name: str) -> int:
    try:
        count = source.num_batches
    except NotImplementedError:
        count = None
    if count is None:
        raise DataError(_endless(name, "PyDataset without a number of batches", "Give it a `num_batches`."))
    return int(count)


def _endless(name: str, what: str, how: str) -> str:
    return (
        f"`{name}` must come to an end, so that every epoch of every trial sees the same samples. Got a {what}. {how}"
    )


def _length(source: Any) -> int | None:
    try:
        return len(source)
    except (TypeError, NotImplementedError):  # torch: a loader over an IterableDataset has no length
        return None


def _samples(source: Any, kind: Kind) -> int | None:
    if kind != "torch":
        return None
    count = _length(source.dataset)
    size = getattr(source, "batch_size", None)
    if count is None or getattr(source, "sampler", None) is None or _length(source.sampler) != count:
        return None
    return count - count % size if getattr(source, "drop_last", False) and size else count


def _element(source: Any, kind: Kind, name: str) -> tuple[str, ...]:
    match kind:
        case "tf.data" if hasattr(source, "element_spec"):
            _check_element(source.element_spec, name, "tf.data.Dataset")
            _check_batched(source.element_spec, name)
            return tuple(f"{path} {_spec(spec)}" for path, spec in _parts(source.element_spec))
        case "keras.PyDataset":
            batch = source[0]
            _check_element(batch, name, "PyDataset")
            return tuple(
                f"{path} {tuple(leaf.shape[1:])} {_dtype(leaf)}"
                for path, leaf in _parts(batch)
                if hasattr(leaf, "shape")
            )
        case _:
            return ()


def _spec(spec: Any) -> str:
    shape = getattr(spec, "shape", None)
    inner = tuple(shape[1:]) if shape is not None and shape.rank else "of any shape"
    return f"{inner} {_dtype(spec)}"


def _parts(element: Any) -> Iterator[tuple[str, Any]]:
    """The leaves of an element with names: "x", "y", "sample_weight"."""
    parts = element if isinstance(element, (tuple, list)) else (element,)
    for part, label in zip(parts, ("x", "y", "sample_weight"), strict=False):
        yield from leaves(part, label)


def _check_element(element: Any, name: str, what: str) -> None:
    if isinstance(element, (tuple, list)) and not 1 <= len(element) <= 3:
        raise DataError(
            f"`{name}` must give (x, y) or (x, y, sample_weight) for each batch. Got {len(element)} parts from the "
            f"{what}. Where there are several inputs, put them into a tuple or a dict of their own."
        )


def _check_batched(element: Any, name: str) -> None:
    single = [path for path, spec in _parts(element) if getattr(getattr(spec, "shape", None), "rank", None) == 0]
    if single:
        raise DataError(
            f"`{name}` must give batches. Got a tf.data.Dataset whose `{single[0]}` has no axes: single samples. "
            "Call `.batch(32)` on it."
        )


def _dtype(leaf: Any) -> str:
    dtype = getattr(leaf, "dtype", None)
    return str(getattr(dtype, "name", dtype)).removeprefix("torch.")
