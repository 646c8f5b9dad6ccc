"""Which samples make which batch, as Keras draws it on the JAX backend for arrays.

`fit` draws one permutation an epoch from NumPy's global generator, and one more before the first epoch of a model whose
loss or metrics are not built: it takes a batch to see its shapes, and drops the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

__all__ = ["BatchOrder", "Split", "draws_before_training"]


@dataclass(frozen=True, slots=True)
class Split:
    """How many full batches `samples` make, and how many samples are left for a smaller last one."""

    samples: int
    batch_size: int

    @property
    def full(self) -> int:
        """The number of full batches."""
        return self.samples // self.batch_size

    @property
    def rest(self) -> int:
        """The size of the last batch, 0 where all are full."""
        return self.samples % self.batch_size

    @property
    def steps(self) -> int:
        """All batches of a pass."""
        return self.full + (self.rest > 0)

    def cut(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`indices` of shape (samples,) as (full, batch_size) and (rest,)."""
        used = self.full * self.batch_size
        return indices[:used].reshape(self.full, self.batch_size), indices[used:]


class BatchOrder:
    """The order of one member's samples, epoch by epoch.

    Args:
        split: How the samples make batches.
        shuffle: True for a permutation of all samples, "batch" for one inside each batch, False for none.
        state: The state of NumPy's global generator before the first draw.
    """

    def __init__(self, split: Split, *, shuffle: bool | str, state: dict[str, Any]) -> None:
        self.split = split
        self.shuffle = shuffle
        self._random = np.random.RandomState()
        self._random.set_state(state)
        self._before: dict[str, Any] | None = None

    @property
    def state(self) -> dict[str, Any]:
        """The generator's state, for a checkpoint."""
        return dict(self._random.get_state(legacy=False))

    def drop_first(self) -> None:
        """Draw what Keras draws to see the shapes of a first batch."""
        if self.shuffle == "batch":
            self._random.permutation(min(self.split.batch_size, self.split.samples))
        elif self.shuffle:
            self._random.permutation(self.split.samples)

    def settle(self) -> None:
        """The epoch of the last `draw` is trained."""
        self._before = None

    @property
    def is_drawn(self) -> bool:
        """Whether the order of an epoch that is not trained yet is drawn."""
        return self._before is not None

    def undo(self) -> None:
        """Take the last `draw` back if its epoch was not trained."""
        if self._before is not None:
            self._random.set_state(self._before)
            self._before = None

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Draw the coming epochs from `state`, a state of NumPy's generator."""
        self._random.set_state(state)

    def draw(self) -> np.ndarray:
        """The order of the coming epoch, (samples,)."""
        self._before = self.state
        samples, size = self.split.samples, self.split.batch_size
        if self.shuffle == "batch":
            starts = range(0, samples, size)
            return np.concatenate([s + self._random.permutation(min(size, samples - s)) for s in starts])
        return self._random.permutation(samples) if self.shuffle else np.arange(samples)


def draws_before_training(model: keras.Model) -> bool:
    """Whether `fit` would look at a batch of this model before it trains."""
    return not all(layer.built for layer in model._flatten_layers()) or any(
        part is not None and not part.built for part in (model._compile_metrics, model._compile_loss)
    )
