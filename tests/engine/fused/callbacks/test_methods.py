"""What can be called between epochs is told from what cannot, by the methods that a callback has of its own."""

from __future__ import annotations

import keras
import pytest
from keras import callbacks

from dialed.engine.fused.callbacks.methods import (
    asks_for_direction,
    asks_for_metrics,
    catch_up,
    log_files,
    moments_of,
    open_moments,
    reason_against_callbacks,
    runs_user_code,
)


class Epochs(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        """Looks at epochs."""

    def on_predict_batch_end(self, batch, logs=None):
        """Is not called by `fit`."""


class Batches(callbacks.Callback):
    def on_test_batch_begin(self, batch, logs=None):
        """Looks at batches."""


class Patient(callbacks.EarlyStopping):
    def on_batch_end(self, batch, logs=None):
        """The old name of `on_train_batch_end`."""


class Saver(callbacks.ModelCheckpoint):
    """One of Keras's, with nothing for batches of its own."""


@pytest.mark.parametrize(
    "fine",
    [
        Epochs(),
        callbacks.EarlyStopping(),
        callbacks.ReduceLROnPlateau(),
        callbacks.LearningRateScheduler(lambda epoch: 0.1),
        callbacks.TerminateOnNaN(),
        callbacks.ModelCheckpoint("m.keras"),
        Saver("m.keras"),
        callbacks.CSVLogger("log.csv"),
        callbacks.TensorBoard("logs"),
        callbacks.History(),
        callbacks.ProgbarLogger(),
        callbacks.LambdaCallback(on_epoch_end=print, on_train_begin=print),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_what_epochs_are_enough_for_runs_in_a_lane(fine):
    assert reason_against_callbacks([fine]) == ""


@pytest.mark.parametrize(
    ("callback", "named"),
    [
        (Batches(), "Batches.on_test_batch_begin"),
        (Patient(), "Patient.on_batch_end"),
        (callbacks.LambdaCallback(on_train_batch_end=print), "LambdaCallback.on_train_batch_end"),
        (callbacks.ModelCheckpoint("m.keras", save_freq=3), "ModelCheckpoint.on_train_batch_end"),
        (callbacks.TensorBoard("logs", update_freq="batch"), "TensorBoard.on_train_batch_begin"),
        (callbacks.TerminateOnNaN(raise_error=True), "TerminateOnNaN.on_batch_end"),
    ],
)
def test_what_wants_batches_is_named_with_its_method(callback, named):
    assert reason_against_callbacks([Epochs(), callback]).startswith(f"{named} is called for each batch")


def test_only_what_somebody_listens_to_is_called():
    assert moments_of([Epochs(), callbacks.EarlyStopping()]) == {"on_train_begin", "on_epoch_end", "on_train_end"}
    assert moments_of([callbacks.TensorBoard("logs")]) >= {"on_test_end", "on_epoch_begin"}
    assert "on_test_begin" not in moments_of([callbacks.TensorBoard("logs"), callbacks.ProgbarLogger()])
    assert "on_test_begin" in moments_of([callbacks.SwapEMAWeights()])


def test_functions_of_the_users_count_as_their_code():
    assert runs_user_code(Epochs())
    assert runs_user_code(Saver("m.keras"))
    assert runs_user_code(callbacks.LambdaCallback())
    assert runs_user_code(callbacks.LearningRateScheduler(lambda epoch: 0.1))
    assert not runs_user_code(callbacks.EarlyStopping())


def test_a_schedule_is_the_users_and_the_rest_of_its_callback_is_not():
    scheduler = callbacks.LearningRateScheduler(lambda epoch: 0.1)
    assert moments_of([scheduler]) == {"on_epoch_begin", "on_epoch_end"}
    assert open_moments([scheduler, callbacks.EarlyStopping()]) == {"on_epoch_begin"}
    assert open_moments([Epochs()]) == {"on_epoch_end"}


def test_metrics_are_built_only_where_a_direction_is_read_off_them():
    assert asks_for_metrics(Epochs())
    assert asks_for_metrics(Patient("val_accuracy"))
    assert not asks_for_metrics(callbacks.EarlyStopping("val_accuracy"))
    assert not asks_for_metrics(callbacks.CSVLogger("log.csv"))
    assert asks_for_direction(callbacks.EarlyStopping("val_accuracy"))
    assert not asks_for_direction(callbacks.EarlyStopping("val_loss"))
    assert not asks_for_direction(callbacks.ReduceLROnPlateau("val_accuracy", mode="max"))
    assert not asks_for_direction(Epochs())


def test_what_callbacks_of_keras_count_is_counted():
    board, bar = callbacks.TensorBoard("logs"), callbacks.ProgbarLogger()
    board._should_write_train_graph = True
    for callback in (board, bar, keras.callbacks.History()):
        catch_up(callback, training=5)
        catch_up(callback, validation=2)
    assert (board._global_train_batch, board._global_test_batch, bar.seen) == (5, 2, 5)
    assert not board._should_write_train_graph


def test_a_log_is_known_by_its_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    logs = [callbacks.CSVLogger("log.csv"), callbacks.CSVLogger(tmp_path / "log.csv"), Epochs()]
    assert set(log_files(logs)) == {str(tmp_path / "log.csv")}
