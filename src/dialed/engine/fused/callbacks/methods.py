"""Which of a callback's methods do something, and which of those cannot be called from a fused program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import keras

__all__ = [
    "MOMENTS",
    "asks_for_direction",
    "asks_for_metrics",
    "catch_up",
    "log_files",
    "moments_of",
    "open_moments",
    "reason_against_callbacks",
    "runs_user_code",
]

MOMENTS = ("on_train_begin", "on_epoch_begin", "on_test_begin", "on_test_end", "on_epoch_end", "on_train_end")
"""What is called between epochs, in Keras's order."""

_OF_BATCHES = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


def reason_against_callbacks(callbacks: Sequence[Any]) -> str:
    """Why callbacks cannot run between the epochs of a fused program; empty where they can."""
    for callback in callbacks:
        for name in _OF_BATCHES:
            if _does_something(callback, name) and not _is_idle(callback, name):
                kind = type(callback).__name__
                return f"{kind}.{name} is called for each batch; only callbacks of epochs can be called between them"
    return ""


def moments_of(callbacks: Sequence[Any]) -> frozenset[str]:
    """Which of `MOMENTS` any of the callbacks wants to know of."""
    return frozenset(name for name in MOMENTS for callback in callbacks if _wants(callback, name))


def runs_user_code(callback: Any) -> bool:
    """Whether calling it runs code that Keras does not have: that may draw random numbers, and change anything."""
    of_users = (keras.callbacks.LambdaCallback, keras.callbacks.LearningRateScheduler)
    return type(callback) in of_users or not type(callback).__module__.startswith("keras.")


def asks_for_direction(callback: Any) -> bool:
    """Whether it asks the model's metrics whether less or more of one is better, and nothing else of them."""
    of_loss = getattr(callback, "monitor", "loss").removeprefix("val_") == "loss"
    if type(callback) not in _monitors() or of_loss:
        return False
    return callback.mode == "auto" and callback.monitor_op is None


def asks_for_metrics(callback: Any) -> bool:
    """Whether it may look at the model's metrics in other ways. They take milliseconds to build: some are known not to."""
    own = keras.callbacks
    return type(callback) not in (
        *_monitors(),
        own.CSVLogger,
        own.History,
        own.LearningRateScheduler,
        own.TerminateOnNaN,
    )


def open_moments(callbacks: Sequence[Any]) -> frozenset[str]:
    """The moments at which code of the users runs."""
    scheduler = keras.callbacks.LearningRateScheduler  # the schedule is the user's, and is asked as an epoch begins
    return frozenset(
        moment
        for callback in callbacks
        if runs_user_code(callback)
        for moment in moments_of([callback])
        if type(callback) is not scheduler or moment == "on_epoch_begin"
    )


def log_files(callbacks: Sequence[Any]) -> tuple[str, ...]:
    """The files that callbacks keep open and write line by line."""
    loggers = (callback for callback in callbacks if isinstance(callback, keras.callbacks.CSVLogger))
    return tuple(str(Path(logger.filename).absolute()) for logger in loggers)


def catch_up(callback: Any, *, training: int = 0, validation: int = 0) -> None:
    """Set what a callback of Keras would have counted in so many batches."""
    if isinstance(callback, keras.callbacks.TensorBoard):
        callback._global_train_batch += training
        callback._global_test_batch += validation
        callback._should_write_train_graph &= not training
    elif isinstance(callback, keras.callbacks.ProgbarLogger) and training:
        callback.seen = training


def _does_something(callback: Any, name: str) -> bool:
    """Keras marks the methods that do nothing (keras/src/utils/python_utils.py)."""
    return not getattr(getattr(callback, name), "_is_default", False)


def _wants(callback: Any, name: str) -> bool:
    if not _does_something(callback, name):
        return False
    return name != "on_test_begin" or _owner(callback, name) not in _before_tests()


def _owner(callback: Any, name: str) -> type | None:
    """The class whose method it is; `None` for a function that hangs on the object, as those of `LambdaCallback`."""
    if name in vars(callback):
        return None
    return next(kind for kind in type(callback).__mro__ if name in vars(kind))


def _is_idle(callback: Any, name: str) -> bool:
    """Whether it is a method of Keras's that does nothing as the callback is set up, or nothing that is not known."""
    condition = _idle().get(_owner(callback, name))
    return condition is not None and condition(callback)


@cache
def _idle() -> Mapping[type | None, Callable[[Any], bool]]:
    """The callbacks of Keras's with methods for batches, and when these are of no consequence between epochs."""
    own = keras.callbacks
    return {
        own.ModelCheckpoint: lambda c: c.save_freq == "epoch",
        own.ProgbarLogger: lambda _: True,  # Dialed trains with `verbose=0`
        own.TensorBoard: lambda c: c.update_freq == "epoch" and not c._should_trace,
        own.TerminateOnNaN: lambda c: not getattr(c, "raise_error", False),  # the lane looks at its loss
    }


@cache
def _monitors() -> tuple[type, ...]:
    return (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)


@cache
def _before_tests() -> tuple[type, ...]:
    """The callbacks of Keras's whose `on_test_begin` does nothing inside `fit` where nothing is done for batches."""
    return (keras.callbacks.ProgbarLogger, keras.callbacks.TensorBoard)
