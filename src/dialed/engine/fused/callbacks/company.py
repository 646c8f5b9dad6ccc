"""The callbacks of one lane, called when and with what `model.fit` would call them."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from dialed.engine.fused.callbacks.directions import Directions
from dialed.engine.fused.callbacks.methods import (
    asks_for_direction,
    asks_for_metrics,
    catch_up,
    log_files,
    moments_of,
    open_moments,
)
from dialed.engine.fused.callbacks.view import View
from dialed.engine.fused.generators import Generators
from dialed.engine.packing import Arrays
from dialed.engine.seeding import preserved
from dialed.engine.state import Snapshot, callback_states, restore_callbacks
from dialed.engine.watch import numbers_in

__all__ = ["Company", "Stage"]

_log = logging.getLogger("dialed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What a member goes on from: its checkpoint; and its generators as they are where it was only built."""

    snapshot: Snapshot
    generators: Generators


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What callbacks are told of the training: the epoch that it goes to, and the batches of an epoch and a validation."""

    epochs: int
    steps: int
    validation_steps: int


class Company:
    """A lane's callbacks between its epochs.

    What they assign to the model's variables is put into the state that they are shown, and noted in `changed` until
    the program has it.

    Args:
        callbacks: The member's own, as `Realised.arguments` has them.
        view: The member's model.
        stage: What they are told of the training.
        generators: The lane's: put in place for callbacks that may draw from them.
        directions: What is known of the metrics of models of the same `digest`.
        digest: The digest of the model's anatomy.

    Attributes:
        resumed: What the member goes on from, until training begins. `None` where it is new.
        changed: The variables that were assigned to, as (group, position).
        begun: Whether training has begun for them, and has not ended.
    """

    def __init__(
        self,
        callbacks: Sequence[Any],
        view: View,
        *,
        stage: Stage,
        generators: Generators,
        directions: Directions,
        digest: str,
    ) -> None:
        self.callbacks = callbacks
        self.view = view
        self.changed: set[tuple[int, int]] = set()
        self.begun = False
        self._stage = stage
        self._generators = generators
        self._directions = directions
        self._digest = digest
        self.resumed: Resumed | None = None
        self._moments = moments_of(callbacks)
        self._open = open_moments(callbacks)
        self._heard = _Heard()
        self._list: Any = None
        self._logs: Mapping[str, Any] | None = None
        self._epoch_begun: int | None = None
        self._test_begun = False

    @property
    def draws(self) -> bool:
        """Whether they may draw random numbers, and so change the order of the lane's samples."""
        return bool(self._open)

    @property
    def sees_metrics(self) -> bool:
        """Whether they may look at the variables of the model's metrics."""
        return any(asks_for_metrics(callback) for callback in self.callbacks)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that they write line by line, while training goes on."""
        return log_files(self.callbacks)

    @property
    def splits_validation(self) -> bool:
        """Whether they want to be called between an epoch and its validation."""
        return "on_test_begin" in self._moments

    @property
    def stops(self) -> bool:
        """Whether one of them has set `model.stop_training`."""
        return bool(self.view.model.stop_training)

    @property
    def minds_nan(self) -> bool:
        """Whether one of them ends a training whose loss is no number: then the others hear of its last epoch."""
        return any(isinstance(callback, keras.callbacks.TerminateOnNaN) for callback in self.callbacks)

    def begin(self, state: Sequence[list[np.ndarray]]) -> None:
        """Training begins. Once; later calls do nothing.

        A member that goes on shows its callbacks the model as it was built, and then puts model and callbacks into the
        state of its checkpoint, as engine "fit" does.
        """
        if self.begun:
            return
        if self.sees_metrics:
            self.view.prepare()
        self._list = keras.callbacks.CallbackList(
            [*self.callbacks, self._heard],
            add_history=True,
            verbose=0,
            epochs=self._stage.epochs,
            steps=self._stage.steps,
            model=self.view.model,
        )
        for callback in self.callbacks:
            if asks_for_direction(callback):
                self._directions.tell(callback, self._digest, self.view)
        self.view.model.stop_training = False
        if self.resumed is None:
            with self._calling(state, "on_train_begin"):
                self._list.on_train_begin()
        else:
            with self.resumed.generators.in_place():
                self._list.on_train_begin()
            restore_callbacks(self.resumed.snapshot, self.callbacks)
            self.resumed = None
        self.begun = True

    def begin_epoch(self, epoch: int, state: Sequence[list[np.ndarray]]) -> None:
        """An epoch begins; `epoch` counts the complete ones. Where it begins a second time, nobody is told."""
        if self._epoch_begun != epoch and "on_epoch_begin" in self._moments:
            self._epoch_begun = epoch
            with self._calling(state, "on_epoch_begin"):
                self._list.on_epoch_begin(epoch)

    def begin_test(self, state: Sequence[list[np.ndarray]], metrics: Sequence[np.ndarray] = ()) -> None:
        """The epoch is trained, and its validation begins. `metrics` are what the variables of metrics hold."""
        self._count(training=self._stage.steps)
        self._test_begun = True
        with self._calling(state, "on_test_begin", metrics):
            self._list.on_test_begin()

    def end_epoch(
        self,
        epoch: int,
        logs: Mapping[str, Any],
        state: Sequence[list[np.ndarray]],
        metrics: Sequence[np.ndarray] = (),
    ) -> dict[str, float]:
        """The epoch, and its validation where `logs` speak of one, are over.

        Args:
            epoch: How many were complete before it.
            logs: What it measured, as Keras names it.
            state: The lane's, after it.
            metrics: What the variables of metrics hold. Defaults to what they hold when an epoch begins.

        Returns:
            Those of the logs that are numbers, as the callbacks left them: some write into them.
        """
        if self.minds_nan and not math.isfinite(logs.get("loss", 0.0)):
            self.view.model.stop_training = True
        judged = {name.removeprefix("val_"): v for name, v in logs.items() if name.startswith("val_")}
        self._end_test(judged, state, metrics)
        self._logs = logs
        with self._calling(state, "on_epoch_end", metrics):
            self._list.on_epoch_end(epoch, logs)
        return self._heard.metrics

    def end(self, state: Sequence[list[np.ndarray]]) -> None:
        """Training ends."""
        if self.begun and self._logs is not None:
            with self._calling(state, "on_train_end"):
                self._list.on_train_end(self._logs)
            self.begun = False
        self.leave()

    def leave(self) -> None:
        """Let them close their files: training is left in the middle."""
        if self.begun:
            self.begun = False
            with preserved():
                for callback in self.callbacks:
                    _end(callback)

    def to_json(self, arrays: Arrays) -> list[Any]:
        """What a checkpoint holds of them; their arrays go into `arrays`."""
        return callback_states(self.callbacks, arrays)

    def _end_test(self, logs: dict[str, Any], state: Sequence[list[np.ndarray]], metrics: Sequence[np.ndarray]) -> None:
        if not self._test_begun:
            self._count(training=self._stage.steps)
        if not logs:
            return
        self._count(validation=self._stage.validation_steps)
        if self._test_begun or "on_test_end" in self._moments:
            with self._calling(state, "on_test_end", metrics):
                if not self._test_begun:
                    self._list.on_test_begin()  # nobody listens, but it is counted
                self._list.on_test_end(logs)
        self._test_begun = False

    def _count(self, **batches: int) -> None:
        for callback in self.callbacks:
            catch_up(callback, **batches)

    @contextmanager
    def _calling(
        self, state: Sequence[list[np.ndarray]], moment: str, metrics: Sequence[np.ndarray] = ()
    ) -> Iterator[None]:
        """While active, the model is in `state` and the generators are the lane's; then `state` is as it was left."""
        called = moment in self._moments
        if called:
            self.view.show(state, metrics)
        in_epoch = moment == "on_test_begin"
        with self._generators.in_place(in_epoch=in_epoch) if moment in self._open else nullcontext():
            yield
        if called and moment != "on_train_end":
            self.changed |= self.view.take(state)
            if moment in self._open:
                self.view.check_variables()


def _end(callback: Any) -> None:
    try:
        callback.on_train_end({})
    except Exception:  # noqa: BLE001 - a user's callback, after its training: nothing depends on it any more
        _log.warning("%s.on_train_end raised after its training was left", type(callback).__name__, exc_info=True)


class _Heard(keras.callbacks.Callback):  # type: ignore[misc]
    """The last of the callbacks: keeps what the others made of an epoch's logs."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics: dict[str, float] = {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.metrics = numbers_in(logs or {})
