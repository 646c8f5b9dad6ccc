"""Cases of `exactness_cases.py` with callbacks: each lane has its own, and they do different things at different epochs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import callbacks


class Meddler(callbacks.Callback):  # type: ignore[misc]
    """Reads and assigns what a callback can, at each moment that a fused program has, and draws random numbers."""

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength
        self.seen: list[float] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.noise = np.random.normal(size=3)
        kernel, *rest = self.model.get_weights()
        self.model.set_weights([kernel * (1 - self.strength), *rest])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen += [float(keras.ops.sum(variable)) for variable in self.model.metrics_variables]
        self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) * (1 - self.strength * epoch)

    def on_test_begin(self, logs: Any = None) -> None:
        self.seen.append(float(self.model.get_metrics_result()["loss"]))
        bias = self.model.layers[-1].bias
        bias.assign(bias + self.strength)

    def on_test_end(self, logs: Any = None) -> None:
        self.seen.append(logs["loss"])
        bias = self.model.layers[-1].bias
        bias.assign(bias - self.strength)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["norm"] = float(keras.ops.sum(self.model.layers[0].kernel ** 2))
        self.model.layers[0].bias.assign(self.model.layers[0].bias + self.strength * np.random.normal())
        self.seen += [float(self.model.optimizer.iterations), float(self.model.get_metrics_result()["accuracy"])]


class Impatient(callbacks.Callback):  # type: ignore[misc]
    """Ends a training when its time has come."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training = epoch + 1 >= self.epochs


CALLBACKS: dict[str, list[Any]] = {
    "stops and restores": [
        lambda hp: callbacks.EarlyStopping(
            "val_loss",
            patience=(1, 2)[hp.get("lane")],
            min_delta=0.05,
            restore_best_weights=True,
            start_from_epoch=1,
            baseline=(None, 0.5)[hp.get("lane")],
        )
    ],
    "plateau": [
        lambda hp: callbacks.ReduceLROnPlateau(
            "val_accuracy", factor=(0.5, 0.2)[hp.get("lane")], patience=1, min_delta=0.2
        )
    ],
    "rate by epoch": [
        callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7**epoch),
        lambda hp: Impatient((2, 9)[hp.get("lane")]),
    ],
    "meddling": [
        lambda hp: Meddler((0.1, 0.2)[hp.get("lane")]),
        callbacks.History(),
        callbacks.EarlyStopping("loss", patience=9),
    ],
}
CALLBACKS["meddling with widths"] = CALLBACKS["meddling"]
EPOCHS = 4
