"""Callbacks: each member has its own, and those that would go wrong are refused before any training."""

from __future__ import annotations

import threading
from typing import Any

import keras
import pytest

from dialed.engine.arguments import check_callbacks, make_callbacks, refuse_schedule_conflict
from dialed.errors import InvalidInputError
from dialed.space import HyperParameters

STOP = keras.callbacks.EarlyStopping


def made(callbacks: Any) -> list[Any]:
    check_callbacks(callbacks)
    return make_callbacks(callbacks, HyperParameters({"patience": 4}))


def test_objects_are_copied() -> None:
    given = STOP(patience=3)
    (first,), (second,) = made([given]), made(given)
    assert first is not given and first is not second and first.patience == 3


def test_functions_and_classes_make_them() -> None:
    callbacks = made(
        [
            lambda: STOP(patience=2),
            lambda hp: STOP(patience=hp.Int("patience", 1, 9)),
            keras.callbacks.TerminateOnNaN,
            lambda: [STOP(patience=7), STOP(patience=8)],
            lambda: None,
        ]
    )
    assert [getattr(c, "patience", None) for c in callbacks] == [2, 4, None, 7, 8]


def test_nothing_is_nothing() -> None:
    assert made(None) == made([]) == []


class Locked(keras.callbacks.Callback):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


def test_what_cannot_be_copied_is_refused_with_a_way_out() -> None:
    with pytest.raises(InvalidInputError, match=r"Locked cannot be: .*Pass a function .*callbacks=\[lambda: Locked"):
        check_callbacks([Locked()])


@pytest.mark.parametrize("entry", ["stop", 3])
def test_what_is_no_callback_is_refused(entry: Any) -> None:
    with pytest.raises(InvalidInputError, match="`callbacks` must hold callbacks of Keras"):
        check_callbacks([entry])


def test_a_function_must_make_callbacks() -> None:
    with pytest.raises(InvalidInputError, match="`callbacks` must hold callbacks of Keras"):
        made([lambda: 3])


def test_keras_own_way_of_going_on_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="Got BackupAndRestore, which would load the state of another trial"):
        check_callbacks([keras.callbacks.BackupAndRestore("/tmp/backup")])


def compiled(rate: Any, *, scaled: bool = False) -> keras.Model:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(rate)
    model.compile(keras.optimizers.LossScaleOptimizer(optimizer) if scaled else optimizer, "mse")
    return model


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(
    "callback", [keras.callbacks.ReduceLROnPlateau(), keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)]
)
def test_a_schedule_and_a_callback_must_not_both_set_the_rate(callback: Any, *, scaled: bool) -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(InvalidInputError, match="where the optimizer follows a schedule. Got .* with ExponentialDecay"):
        refuse_schedule_conflict(compiled(schedule, scaled=scaled), [callback])
    refuse_schedule_conflict(compiled(0.1, scaled=scaled), [callback])
    refuse_schedule_conflict(compiled(schedule, scaled=scaled), [STOP()])
