"""Gradients of batches on any backend: an optimizer that adds them up and leaves the weights alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

__all__ = ["GradientSums", "Gradients"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientSums:
    """What the gradients of some batches come to.

    Args:
        batches: How many there were.
        of_batches: The squared norm of a batch's gradient, on average.
        of_all: The squared norm of the gradient of all of them together.
    """

    batches: int
    of_batches: float
    of_all: float


class Recorder(keras.optimizers.Optimizer):  # type: ignore[misc]
    """Takes gradients as an optimizer does, adds them up and their squared norms, and changes no weight."""

    def __init__(self) -> None:
        super().__init__(learning_rate=1.0, name="recorder")

    def build(self, variables: Sequence[Any]) -> None:
        """Make room for the sums."""
        if self.built:
            return
        super().build(variables)
        self.sums = [self.add_variable_from_reference(reference_variable=v, name="sum") for v in variables]
        self.squares = self.add_variable(shape=(), initializer="zeros", dtype="float32", name="squares")

    def apply(self, grads: Iterable[Any], trainable_variables: Any = None) -> None:
        """Take the gradients of a batch; there are no constraints to keep, since no weight moves."""
        if not self.built:
            self.build(list(trainable_variables))
        squares: Any = 0.0
        for total, gradient in zip(self.sums, grads, strict=True):
            if gradient is not None:
                taken = ops.cast(ops.convert_to_tensor(gradient), total.dtype)
                total.assign_add(taken)
                squares = squares + ops.sum(ops.square(ops.cast(taken, "float32")))
        self.squares.assign_add(squares)
        self._iterations.assign_add(1)


class Gradients:
    """Looks at the gradients of one model, as often as one likes, with one compiled step.

    Args:
        model: Built and compiled.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._step: Any = None
        self._recorder = Recorder()
        self._recorder.build(model.trainable_variables)

    def of(self, batches: Iterable[tuple[Any, ...]]) -> GradientSums:
        """The gradients of the loss on `batches`, which should be of one size: (x, y, weights) each.

        Weights and optimizer stay as they are; what else a step changes (batch statistics, metrics, seed generators)
        does not.
        """
        recorder, count = self._recorder, 0
        for variable in (*recorder.sums, recorder.squares):
            variable.assign(ops.zeros(variable.shape, variable.dtype))
        with self._recording():
            for batch in batches:
                self._model.train_on_batch(*batch)
                count += 1
        together = sum(float(ops.sum(ops.square(ops.cast(total / count, "float32")))) for total in recorder.sums)
        of_batches = float(ops.convert_to_numpy(recorder.squares.value)) / count
        return GradientSums(batches=count, of_batches=of_batches, of_all=together)

    @contextmanager
    def _recording(self) -> Iterator[None]:
        model = self._model
        own, step = model.optimizer, model.train_function  # a compiled step has its optimizer inside
        try:
            model.optimizer, model.train_function = self._recorder, self._step
            yield
            self._step = model.train_function
        finally:
            model.optimizer, model.train_function = own, step
