"""The numbers of an optimizer: which can be swept over, and setting one in a live model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from dialed.errors import InvalidInputError

__all__ = ["check_number", "check_trainable", "number_set", "optimizer_of"]


@contextmanager
def number_set(model: keras.Model, number: str) -> Iterator[Callable[[float], None]]:
    """Gives a function that sets a number of the optimizer; puts everything back afterwards but the learning rate.

    A learning rate is a variable, and part of the optimizer's state. All other numbers are constants of a compiled step,
    so the model steps eagerly.
    """
    holder = optimizer_of(model)
    if number == "learning_rate":
        yield lambda value: setattr(holder, "learning_rate", value)
        return
    before, eagerly = getattr(holder, number), model.run_eagerly
    try:
        model.run_eagerly = True
        _forget_steps(model)
        yield lambda value: setattr(holder, number, value)
    finally:
        setattr(holder, number, before)
        model.run_eagerly = eagerly
        _forget_steps(model)


def _forget_steps(model: keras.Model) -> None:
    """Compiled steps hold the numbers that they were traced with."""
    model.train_function = None
    model.test_function = None


def optimizer_of(model: keras.Model) -> Any:
    """The optimizer that holds the numbers."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def check_trainable(model: keras.Model) -> None:
    """Raise `InvalidInputError` unless there are weights to train."""
    if not model.trainable_variables:
        raise InvalidInputError("The model must have weights to train. It has none: set `trainable=True` somewhere.")


def check_number(model: keras.Model, number: str) -> None:
    """Raise `InvalidInputError` unless `number` can be swept over."""
    check_trainable(model)
    optimizer = optimizer_of(model)
    if number == "learning_rate":
        if isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            kind = type(optimizer._learning_rate).__name__
            raise InvalidInputError(
                f"The optimizer must have a plain learning rate. Its learning rate is a schedule ({kind}). Compile with a "
                "number for the test, and use what it finds as the schedule's peak."
            )
        return
    value = getattr(optimizer, number, None)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value == 0:
        raise InvalidInputError(
            f"The `number` must be a number that the optimizer {type(optimizer).__name__} has and uses. Its `{number}` is "
            f"{value!r}. Compile with a value above 0: without one the optimizer leaves that part out."
        )
