"""One member's training: equal to `model.fit`, with the user's callbacks, and ended in time."""

from __future__ import annotations

import logging
from typing import Any

import keras
import numpy as np
import pytest

import dialed
from dialed.engine.data import Data
from dialed.engine.seeding import preserved
from dialed.errors import StoreError
from dialed.events import Built, Saved
from dialed.space import Int
from dialed.testing.engines import SteppingClock
from dialed.trial import Cause, Objective, Report, State

BACKEND = keras.backend.backend()
LOSS = Objective(name="loss", direction="min")


def eager(hp: Any, *, rate: float = 0.05, **compiled: Any) -> keras.Model:
    """Runs op by op: for so little data that is quicker than compiling."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True, **compiled)
    return model


@pytest.mark.skipif(BACKEND == "tensorflow", reason="there Dialed draws the order of samples itself")
def test_training_is_what_model_fit_does(bench: Any) -> None:
    """The same curve and the same weights, bit for bit, for a model that its first batch builds."""

    def build(hp: Any) -> keras.Model:
        layers = [keras.layers.Dense(5, activation="relu"), keras.layers.Dropout(0.4), keras.layers.Dense(1)]
        model = keras.Sequential(layers)
        model.compile("adam", "mse", metrics=["mae"])
        return model

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    outcome = bench.train(build, 3, data=Data.of(x, y, validation_data=(x[:9], y[:9])))
    with preserved():
        keras.utils.set_random_seed(7)
        model = build(None)
        history = model.fit(x, y, batch_size=8, epochs=3, validation_data=(x[:9], y[:9]), verbose=0).history
    assert bench.curve == [{name: values[i] for name, values in history.items()} for i in range(3)]
    arrays, _ = bench.state(outcome.last)
    for i, expected in enumerate(model.trainable_variables):
        assert np.array_equal(arrays[f"trainable/{i}"], keras.ops.convert_to_numpy(expected))


def test_early_stopping_completes_a_member(bench: Any) -> None:
    stop = keras.callbacks.EarlyStopping("loss", patience=1, min_delta=1e9)
    outcome = bench.train(eager, 9, callbacks=[stop])
    assert (outcome.state, outcome.epoch) == (State.COMPLETED, 2)


def test_patience_counts_epochs_without_a_better_objective(bench: Any) -> None:
    def still(hp: Any) -> keras.Model:
        return eager(hp, rate=0.0)

    outcome = bench.train(still, 9, patience=3)
    assert (outcome.state, outcome.epoch, outcome.best.epoch) == (State.COMPLETED, 4, 1)


def test_patience_goes_on_counting_after_a_pause(bench: Any) -> None:
    def still(hp: Any) -> keras.Model:
        return eager(hp, rate=0.0)

    paused = bench.train(still, 2, patience=3)
    outcome = bench.train(still, 9, start=paused.last, patience=3)
    assert (outcome.state, outcome.epoch) == (State.COMPLETED, 4)
    assert outcome.best is None  # the checkpoint of the first part still is the best


def test_the_best_epoch_is_kept_apart_from_the_last(bench: Any) -> None:
    def worse_and_worse(epoch: int, rate: float) -> float:
        return 0.05 if epoch == 0 else -0.5

    schedule = keras.callbacks.LearningRateScheduler(worse_and_worse)
    outcome = bench.train(eager, 3, callbacks=[schedule])
    best, last = bench.state(outcome.best), bench.state(outcome.last)
    assert (outcome.best.epoch, outcome.last.epoch) == (1, 3)
    assert best[1] == {"score": bench.curve[0]["val_loss"]}
    assert not np.array_equal(best[0]["trainable/0"], last[0]["trainable/0"])
    assert not any(name.startswith("optimizer") for name in best[0])


def test_the_clock_decides_when_checkpoints_are_written(bench: Any) -> None:
    bench.train(eager, 4, checkpoint_seconds=0.0)
    saved = [p.checkpoint.epoch for p in bench.told.told if isinstance(p, Saved) and p.kind == "last"]
    assert saved == [1, 2, 3, 4]
    bench.train(eager, 4, checkpoint_seconds=1e9)
    saved = [p.checkpoint.epoch for p in bench.told.told if isinstance(p, Saved) and p.kind == "last"]
    assert saved == [4]


def test_a_trial_is_told_once_it_is_known(bench: Any) -> None:
    def build(hp: Any) -> keras.Model:
        hp.Choice("colour", ["red", "blue"])
        return eager(hp)

    bench.train(build, 1, values={"colour": "blue"}, shuffle=dialed.Boolean(default=True))
    (built,) = (p for p in bench.told.told if isinstance(p, Built))
    assert built.values == {"shuffle": True, "colour": "blue"}
    assert (built.parameters, built.engine) == (5, "fit")
    assert [h["name"] for h in built.space["hyperparameters"]] == ["shuffle", "colour"]


def test_a_numbered_metric_has_the_name_of_the_objective(bench: Any) -> None:
    """Two AUCs of one process are "auc" and "auc_1"; the study knows one name."""
    objective = Objective(name="val_mean_absolute_error_3", direction="min")

    def build(hp: Any) -> keras.Model:
        return eager(hp, metrics=[keras.metrics.MeanAbsoluteError()])

    bench.train(build, 1, objective=objective)
    (metrics,) = bench.curve
    assert metrics["val_mean_absolute_error_3"] == metrics["val_mean_absolute_error"]


def test_epochs_without_a_validation_have_no_objective(bench: Any) -> None:
    outcome = bench.train(eager, 3, validation_freq=2)
    assert ["val_loss" in metrics for metrics in bench.curve] == [False, True, False]
    assert outcome.best.epoch == 2


def test_a_loss_that_is_no_number_ends_inside_the_epoch(bench: Any) -> None:
    seen: list[int] = []

    class Count(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(batch)

    outcome = bench.train(lambda hp: eager(hp, rate=1e30), 3, callbacks=[lambda: Count()])
    assert (outcome.state, outcome.cause, outcome.epoch) == (State.FAILED, Cause.NAN, 0)
    assert "NaN or infinite in epoch 1" in outcome.message
    assert len(seen) < 4 and not bench.curve


def test_an_error_in_training_names_the_line(bench: Any) -> None:
    class Broken(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise OSError("no such sensor")

    outcome = bench.train(eager, 3, callbacks=[Broken()])
    assert (outcome.state, outcome.cause, outcome.epoch) == (State.FAILED, Cause.ERROR, 1)
    assert outcome.message.startswith("OSError: no such sensor (line ")
    assert 'raise OSError("no such sensor")' in outcome.message


def test_memory_that_ran_out_keeps_what_was_trained(bench: Any) -> None:
    class Greedy(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise MemoryError

    outcome = bench.train(eager, 3, callbacks=[Greedy()])
    assert outcome.cause is Cause.OUT_OF_MEMORY
    assert outcome.last is not None and outcome.last.epoch == 1


def test_too_large_a_model_is_found_before_training_even_without_an_input_shape(bench: Any) -> None:
    def build(hp: Any) -> keras.Model:
        model = keras.Sequential([keras.layers.Dense(100), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    outcome = bench.train(build, 1, max_parameters=100)
    assert outcome.cause is Cause.TOO_LARGE and not bench.told.told


def test_ctrl_c_passes_through_once_the_state_is_safe(bench: Any) -> None:
    class Interrupt(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if self.params["epochs"] and self.epoch == 2:
                raise KeyboardInterrupt

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

    with pytest.raises(KeyboardInterrupt):
        bench.train(eager, 9, callbacks=[Interrupt()])
    saved = {p.kind: p.checkpoint.epoch for p in bench.told.told if isinstance(p, Saved)}
    assert saved["last"] == 2 == len(bench.curve)


def test_a_disk_that_is_full_is_not_the_members_failure(bench: Any) -> None:
    class Full:
        def save(self, *args: Any) -> Any:
            raise StoreError("no space left")

    bench.checkpoints = Full()
    with pytest.raises(StoreError, match="no space left"):
        bench.train(eager, 2, checkpoint_seconds=0.0)


def test_a_deadline_in_the_middle_of_an_epoch_costs_that_epoch_only(bench: Any) -> None:
    clock = SteppingClock()
    ends: list[float] = []

    class Late(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 1 and self.epoch == 2:
                ends.append(clock.time)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

    outcome = bench.train(eager, 9, callbacks=[lambda: Late()], clock=clock, deadline=lambda: ends[0] if ends else None)
    assert (outcome.state, outcome.epoch, outcome.last.epoch) == (State.PAUSED, 2, 2)
    assert len(bench.curve) == 2


def test_a_deadline_that_has_passed_trains_nothing(bench: Any) -> None:
    outcome = bench.train(eager, 9, deadline=lambda: 0.0)
    assert (outcome.state, outcome.epoch) == (State.PAUSED, 0) and not bench.told.told


def test_callbacks_may_close_their_files_when_training_is_left(bench: Any, tmp_path: Any) -> None:
    path = tmp_path / "log.csv"
    outcome = bench.train(
        lambda hp: eager(hp, rate=1e30), 3, callbacks=[lambda: keras.callbacks.CSVLogger(str(path)), Closing]
    )
    assert outcome.cause is Cause.NAN and Closing.closed == 1


class Closing(keras.callbacks.Callback):  # type: ignore[misc]
    closed = 0

    def on_train_end(self, logs: Any = None) -> None:
        Closing.closed += 1


def test_a_callback_that_fails_to_close_is_said_aloud(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_end(self, logs: Any = None) -> None:
            raise OSError("still open")

    with caplog.at_level(logging.WARNING, "dialed"):
        bench.train(lambda hp: eager(hp, rate=1e30), 3, callbacks=[Stuck()])
    assert "Stuck.on_train_end raised" in caplog.text


def test_who_watches_cannot_change_what_is_trained(bench: Any) -> None:
    def build(hp: Any) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        return model

    bench.train(build, 3)
    quiet = bench.curve

    def noisy(progress: Any) -> bool:
        np.random.random(100)
        return bool(bench.told(progress))

    bench.train(build, 3, on_report=noisy)
    assert bench.curve == quiet


class Phases(dialed.HyperModel):
    """Trains with a hyperparameter that only its own `fit` asks for."""

    def build(self, hp: Any) -> keras.Model:
        return eager(hp)

    def fit(self, hp: Any, model: Any, x: Any, y: Any, **kwargs: Any) -> Any:
        kwargs["batch_size"] = hp.Choice("size", [4, 8])
        return model.fit(x, y, **kwargs)


def test_a_fit_of_the_users_own_may_ask_for_more(bench: Any) -> None:
    outcome = bench.train(Phases(), 2, values={"size": 8})
    (built,) = (p for p in bench.told.told if isinstance(p, Built))
    assert built.values == {"size": 8} and len(bench.curve) == 2 and outcome.state is State.PAUSED


def test_a_fit_of_the_users_own_is_continued_where_it_passes_on_what_it_gets(bench: Any) -> None:
    bench.train(Phases(), 3)
    whole = bench.curve
    paused = bench.train(Phases(), 1)
    first = bench.curve
    bench.train(Phases(), 3, start=paused.last)
    assert BACKEND == "tensorflow" or [*first, *bench.curve] == whole


class Loop(Phases):
    """No `model.fit` at all: it returns what it found."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def fit(self, hp: Any, model: Any, x: Any, y: Any, epochs: int, callbacks: Any, **kwargs: Any) -> Any:
        model.train_on_batch(x, y)
        return self.result


def test_a_loop_of_the_users_own_may_return_metrics(bench: Any) -> None:
    outcome = bench.train(Loop({"val_loss": 0.25, "extra": 1}), 4)
    (report,) = bench.told.reports(outcome.key)
    assert (report.epoch, report.final, dict(report.metrics)) == (4, True, {"val_loss": 0.25, "extra": 1.0})
    assert outcome.state is State.COMPLETED and outcome.best.epoch == 4


def test_a_loop_of_the_users_own_may_call_the_callbacks(bench: Any) -> None:
    class Calling(Phases):
        def fit(self, hp: Any, model: Any, x: Any, y: Any, callbacks: Any, **kwargs: Any) -> Any:
            for callback in callbacks:
                callback.set_model(model)
            for epoch in range(100):
                for callback in callbacks:
                    callback.on_epoch_end(epoch, {"val_loss": 1.0 / (1 + epoch)})

    outcome = bench.train(Calling(), 3)
    assert (outcome.state, outcome.epoch) == (State.PAUSED, 3)
    assert [metrics["val_loss"] for metrics in bench.curve] == [1.0, 0.5, 1 / 3]


def test_a_fit_that_says_nothing_is_told_what_to_do(bench: Any) -> None:
    outcome = bench.train(Loop(None), 1)
    assert outcome.cause is Cause.ERROR
    assert "`HyperModel.fit` must pass `callbacks` on to `model.fit`, or return the objective" in outcome.message


def test_a_fit_without_room_for_options_does_not_get_them(bench: Any) -> None:
    class Narrow(Phases):
        def fit(
            self,
            hp: Any,
            model: Any,
            x: Any,
            y: Any,
            epochs: int,
            callbacks: Any,
            validation_data: Any,
            batch_size: int,
        ) -> Any:
            return model.fit(x, y, epochs=epochs, callbacks=callbacks, validation_data=validation_data, verbose=0)

    assert bench.train(Narrow(), 1).epoch == 1


def test_seconds_begin_with_the_build(bench: Any) -> None:
    """What a trial costs is all that was waited for, compiling included."""
    clock = SteppingClock(step=0.0)

    def slow(hp: Any) -> keras.Model:
        clock.time += 100.0
        return eager(hp)

    bench.train(slow, 2, clock=clock)
    assert [p.seconds for p in bench.told.told if isinstance(p, Report)] == [100.0, 0.0]
    assert all((p.memory_bytes or 1) > 2**20 for p in bench.told.told if isinstance(p, Report))


def test_a_member_with_own_epochs_that_are_trained_already_is_complete(bench: Any) -> None:
    epochs = Int(1, 9, default=2)
    paused = bench.train(eager, 2, epochs=epochs)
    again = bench.train(eager, 9, start=paused.last, epochs=epochs)
    assert paused.state is State.PAUSED
    assert (again.state, again.epoch, again.last) == (State.COMPLETED, 2, paused.last)
