"""What a tuner adds to the callbacks of the user."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import pytest

from dialed.keras_tuner.engine.callbacks import SaveBestEpoch, TunerCallback, copied
from dialed.keras_tuner.engine.objective import Objective
from dialed.keras_tuner.errors import FatalValueError


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The number of each epoch whose weights were saved; the model of a callback is here that number."""
    found: list[str] = []
    monkeypatch.setattr("dialed.keras_tuner.engine.callbacks.save_weights", lambda model, path: found.append(model))
    return found


def told(callback: Any, logs: list[dict[str, float]]) -> None:
    """Call back as a training with these measurements would."""
    for epoch, measured in enumerate(logs):
        callback.set_model(f"epoch {epoch}")
        callback.on_epoch_end(epoch, measured)


@pytest.mark.parametrize(
    ("direction", "values", "kept"),
    [
        ("min", [3.0, 1.0, 2.0, 0.5], ["epoch 0", "epoch 1", "epoch 3"]),
        ("max", [0.1, 0.3, 0.2, 0.3], ["epoch 0", "epoch 1"]),
        ("max", [float("nan"), 0.2], ["epoch 0", "epoch 1"]),
    ],
)
def test_weights_are_saved_when_the_objective_improves(
    direction: str, values: list[float], kept: list[str], saved: list[str], tmp_path: Path
) -> None:
    """Strictly; the first epoch always, so that there is something to load."""
    callback = SaveBestEpoch(Objective("score", direction), tmp_path / "a.weights.h5")
    told(callback, [{"score": value} for value in values])
    assert saved == kept


def test_the_best_is_over_all_executions(saved: list[str], tmp_path: Path) -> None:
    """The same callback serves them one after the other."""
    callback = SaveBestEpoch(Objective("score", "min"), tmp_path / "a.weights.h5")
    told(callback, [{"score": 1.0}])
    told(callback, [{"score": 2.0}, {"score": 0.5}])
    assert saved == ["epoch 0", "epoch 1"]


def test_without_the_objective_in_the_logs_each_epoch_is_saved(saved: list[str], tmp_path: Path) -> None:
    """The last weights are then those that are kept."""
    told(SaveBestEpoch(Objective("score", "min"), tmp_path / "a.weights.h5"), [{"loss": 1.0}, {"loss": 2.0}])
    assert saved == ["epoch 0", "epoch 1"]


def test_the_tuners_hooks_are_called_with_trial_and_model() -> None:
    """Epochs and batches of training, each at its begin and its end."""
    calls: list[Any] = []

    class Hooked:
        def __getattr__(self, name: str) -> Any:
            return lambda trial, model, number, logs=None: calls.append((name, trial, model, number, logs))

    callback = TunerCallback(Hooked(), "trial")
    callback.set_model("model")
    callback.on_epoch_begin(2)
    callback.on_train_batch_begin(0, {"size": 1})
    callback.on_train_batch_end(0, {"loss": 1.0})
    callback.on_epoch_end(2, {"loss": 1.0})
    assert calls == [
        ("on_epoch_begin", "trial", "model", 2, None),
        ("on_batch_begin", "trial", "model", 0, {"size": 1}),
        ("on_batch_end", "trial", "model", 0, {"loss": 1.0}),
        ("on_epoch_end", "trial", "model", 2, {"loss": 1.0}),
    ]


def test_each_trial_has_callbacks_of_its_own() -> None:
    """What one remembers, the next does not know."""
    stop = keras.callbacks.EarlyStopping(patience=3)
    (mine,) = copied([stop])
    mine.patience = 5
    assert (stop.patience, type(mine)) == (3, keras.callbacks.EarlyStopping)


def test_a_callback_that_cannot_be_copied_is_refused() -> None:
    """As KerasTuner refuses it, with what stands in the way."""
    with pytest.raises(FatalValueError, match="`callbacks` must be deep-copyable.*cannot be\\s+copied: TypeError"):
        copied([SimpleNamespace(lock=threading.Lock())])
