"""What `model.fit` is fed, so that the order of the samples can be taken up again in the middle.

JAX and torch draw the order of arrays from global generators once an epoch, so arrays go to `model.fit` as they are.
TensorFlow hides its shuffling inside a pipeline that nobody can ask for its state, and `steps_per_epoch` lets one pass
over the data reach across epochs. There an `Order` of Dialed's own draws the permutations, from the same generator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from dialed.engine.arrays import is_sparse, leaves
from dialed.engine.building import holds_arrays
from dialed.engine.packing import Arrays, pack, unpack
from dialed.engine.seeding import numpy_state, permutation, preserved, set_numpy_state

__all__ = ["Feed", "LoaderOrder", "Order", "feed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Arguments of `model.fit` that say what is trained on, and the order behind them where it is Dialed's own."""

    x: Any
    y: Any = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    order: Order | LoaderOrder | None = None


def feed(fold: Any, arguments: Mapping[str, Any], *, own_fit: bool = False) -> Feed:
    """What to train `fold` with.

    Args:
        arguments: The member's arguments for `model.fit`; those about batches may be replaced.
        own_fit: Whether a hypermodel trains in its own way: then it gets the data as they were passed. Defaults to
            False.
    """
    arguments = {k: v for k, v in arguments.items() if v is not None}
    steps = arguments.get("steps_per_epoch")
    if not holds_arrays(fold):
        if not isinstance(fold.x, keras.utils.PyDataset):
            arguments["shuffle"] = False  # it is ignored, with a warning
        generator = getattr(fold.x, "generator", None)
        order = LoaderOrder(generator) if hasattr(generator, "manual_seed") else None
        return Feed(x=fold.x, arguments=arguments, order=order)
    if fold.sample_weight is not None:
        arguments["sample_weight"] = fold.sample_weight
    needs_order = steps is not None or (keras.backend.backend() == "tensorflow" and arguments.get("shuffle", True))
    if own_fit or not needs_order or _has_sparse(fold):
        return Feed(x=fold.x, y=fold.y, arguments=arguments)
    return _ordered(fold, arguments, steps)


def _ordered(fold: Any, arguments: dict[str, Any], steps: int | None) -> Feed:
    size = arguments.pop("batch_size", None) or (-(-fold.samples // steps) if steps else 32)
    order = Order(fold.samples, size, shuffle=arguments.pop("shuffle", True), steps=steps)
    arguments.pop("steps_per_epoch", None)
    arguments.pop("sample_weight", None)
    arguments.setdefault("validation_batch_size", size)
    arguments["shuffle"] = False
    parts = tuple(part for part in (fold.x, fold.y, fold.sample_weight) if part is not None)
    if keras.backend.backend() == "tensorflow" and steps is None:
        return Feed(x=_tensorflow_batches(order, parts), arguments=arguments, order=order)
    return Feed(x=_Batches(order, parts), arguments=arguments, order=order)


class Order:
    """Which samples make which batch, epoch by epoch.

    Permutations come from NumPy's global generator. With `steps`, an epoch takes so many batches of an endless row of
    passes; otherwise it is one pass.

    Args:
        samples: How many there are.
        batch_size: Samples of a full batch; the last of a pass may be smaller.
        shuffle: Whether to permute all samples; "batch" permutes inside each batch.
        steps: Batches of an epoch. Defaults to one pass.
    """

    def __init__(self, samples: int, batch_size: int, *, shuffle: bool | str, steps: int | None = None) -> None:
        self.samples = samples
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.steps = steps
        self.indices: np.ndarray = np.arange(samples)
        self.batches = self._split(self.indices) * (1 if steps is None else -(-steps * batch_size // samples))
        self._left: list[np.ndarray] = []
        self._before: Any = None

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has."""
        return self.steps or -(-self.samples // self.batch_size)

    def begin_epoch(self) -> None:
        """Draw what the coming epoch needs."""
        if self.steps is None:
            self.batches = self._draw()
            return
        self.batches = []
        while len(self.batches) < self.steps:
            if not self._left:
                self._before = numpy_state()
                self._left = self._draw()
            self.batches.append(self._left.pop(0))

    def to_json(self, arrays: Arrays) -> Any:
        """Where in a pass the next epoch begins; the generator's state before that pass goes into `arrays`."""
        return [len(self._left), pack(self._before, "order", arrays)]

    def take_up(self, packed: Any, arrays: Arrays) -> None:
        """Go on from what `to_json` wrote: draw the pass again, and leave out what was used of it."""
        left, before = packed
        self._before = unpack(before, arrays)
        if left:
            with preserved():
                set_numpy_state(self._before)
                self._left = self._draw()[-left:]

    def _draw(self) -> list[np.ndarray]:
        if self.shuffle == "batch":
            parts = self._split(np.arange(self.samples))
            self.indices = np.concatenate([part[permutation(len(part))] for part in parts])
        elif self.shuffle:
            self.indices = permutation(self.samples)
        return self._split(self.indices)

    def _split(self, indices: np.ndarray) -> list[np.ndarray]:
        return [indices[start : start + self.batch_size] for start in range(0, len(indices), self.batch_size)]


class LoaderOrder:
    """The order of a torch `DataLoader` with a generator of its own, which is seeded anew for each member."""

    def __init__(self, generator: Any) -> None:
        import torch

        self._generator = generator
        generator.manual_seed(torch.initial_seed())  # the member's seed: torch's own generator has just got it

    def begin_epoch(self) -> None:
        """The loader draws by itself."""

    def to_json(self, arrays: Arrays) -> Any:
        """The generator's state goes into `arrays`."""
        arrays["order/torch"] = self._generator.get_state().numpy().copy()
        return None

    def take_up(self, packed: Any, arrays: Arrays) -> None:
        """Go on from what `to_json` wrote."""
        import torch

        self._generator.set_state(torch.from_numpy(arrays["order/torch"].copy()))


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of an `Order`."""

    def __init__(self, order: Order, parts: tuple[Any, ...]) -> None:
        super().__init__()
        self._order = order
        self._parts = parts

    @property
    def num_batches(self) -> int:
        return self._order.batches_per_epoch

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self._order.batches[index]
        return tuple(keras.tree.map_structure(lambda array: array[rows], part) for part in self._parts)


def _tensorflow_batches(order: Order, parts: tuple[Any, ...]) -> Any:
    """A pipeline that gathers the batches of an `Order` without going through Python for each."""
    import tensorflow as tf

    full = order.samples // order.batch_size

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def indices(_: Any) -> Any:
        drawn = tf.numpy_function(lambda: order.indices.astype(np.int64), [], tf.int64)
        return tf.ensure_shape(drawn, (order.samples,))

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def batched(drawn: Any) -> Any:
        used = full * order.batch_size
        batches = tf.data.Dataset.from_tensor_slices(tf.reshape(drawn[:used], (full, order.batch_size)))
        return batches if used == order.samples else batches.concatenate(tf.data.Dataset.from_tensors(drawn[used:]))

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def gathered(rows: Any, data: Any) -> Any:
        return tf.nest.map_structure(lambda array: tf.gather(array, rows, axis=0), data)

    data = tf.data.Dataset.from_tensors(keras.tree.lists_to_tuples(parts)).repeat()
    dataset = tf.data.Dataset.range(1).map(indices).flat_map(batched)
    dataset = tf.data.Dataset.zip((dataset, data)).map(gathered, num_parallel_calls=tf.data.AUTOTUNE)
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False  # they would serialise the data
    options.experimental_external_state_policy = tf.data.experimental.ExternalStatePolicy.IGNORE
    dataset = dataset.with_options(options).apply(tf.data.experimental.assert_cardinality(order.batches_per_epoch))
    return dataset.prefetch(tf.data.AUTOTUNE)


def _has_sparse(fold: Any) -> bool:
    return any(is_sparse(leaf) for part in (fold.x, fold.y, fold.sample_weight) for _, leaf in leaves(part, ""))
