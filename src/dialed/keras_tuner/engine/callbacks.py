"""The callbacks that a tuner adds to those of the user: they call its hooks and keep the weights of the best epoch."""

from __future__ import annotations

import copy
import os
import warnings
from typing import Any

import keras

from dialed.keras_tuner.engine.objective import Objective
from dialed.keras_tuner.errors import FatalValueError

__all__ = ["SaveBestEpoch", "TunerCallback", "copied", "save_weights"]


def copied(callbacks: Any) -> list[Any]:
    """A copy of each callback: a trial must not go on with the state of another.

    Raises:
        FatalValueError: One cannot be copied.
    """
    try:
        return list(copy.deepcopy(callbacks))
    except Exception as error:  # whatever a user's object raises, the remedy is the same
        raise FatalValueError(
            f"`callbacks` must be deep-copyable, since each trial gets its own. Got {callbacks!r:.200}, which cannot be "
            f"copied: {type(error).__name__}: {error}. Keep files and locks out of them until training begins."
        ) from error


def save_weights(model: Any, path: str | os.PathLike[str]) -> None:
    """Save the weights of `model` as KerasTuner does, in a file of Keras."""
    with warnings.catch_warnings():  # keras 3.15 reads its own variables in a way that NumPy 2 warns of
        warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
        model.save_weights(str(path))


class TunerCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Calls the tuner's `on_epoch_*` and `on_batch_*`."""

    def __init__(self, tuner: Any, trial: Any) -> None:
        super().__init__()
        self.tuner = tuner
        self.trial = trial

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.tuner.on_epoch_begin(self.trial, self.model, epoch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.tuner.on_epoch_end(self.trial, self.model, epoch, logs=logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.tuner.on_batch_begin(self.trial, self.model, batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.tuner.on_batch_end(self.trial, self.model, batch, logs)


class SaveBestEpoch(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves the weights whenever the objective improves, over all executions; after each epoch where it is not known.

    Args:
        objective: What improves.
        filepath: Where to.
    """

    def __init__(self, objective: Objective, filepath: str | os.PathLike[str]) -> None:
        super().__init__()
        self.objective = objective
        self.filepath = str(filepath)
        self.best_value = float("-inf" if objective.direction == "max" else "inf")
        self.saved = False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self.objective.has_value(logs):
            value = self.objective.get_value(logs)
            if self.saved and not self.objective.better_than(value, self.best_value):
                return
            if self.objective.better_than(value, self.best_value):
                self.best_value = value
        self.saved = True
        save_weights(self.model, self.filepath)
