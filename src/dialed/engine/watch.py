"""What sits in `model.fit` while a member is trained: the last of its callbacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from dialed.clock import Clock
from dialed.engine.assignment import Assignment
from dialed.engine.feeding import LoaderOrder, Order
from dialed.engine.health import Health
from dialed.engine.keeping import Keeper
from dialed.engine.memory import peak_memory_bytes
from dialed.engine.objective import metric_key
from dialed.engine.protocol import Progress
from dialed.engine.state import Snapshot, capture, restore, weights_of
from dialed.trial import Member, MemberKey, Objective, Report

__all__ = ["Ended", "Run", "Watcher", "numbers_in"]


class Ended(BaseException):
    """Leave `fit` at once. No `Exception`, so that a training loop of the user's does not swallow it."""


@dataclass(slots=True, kw_only=True)
class Run:
    """One member's training: what it was asked for, and how far it is.

    `tell` sends progress; it sets `ended` where the member is told to pause. `deadline` says when to stop, on the
    monotonic clock. `others` are the user's callbacks.
    """

    key: MemberKey
    objective: Objective
    target: int
    clock: Clock
    tell: Callable[[Progress], None]
    deadline: Callable[[], float | None]
    keeper: Keeper
    health: Health
    marked: float
    patience: int | None = None
    order: Order | LoaderOrder | None = None
    others: Sequence[Any] = ()
    epoch: int = 0
    best_score: float | None = None
    best_epoch: int = 0
    stopped_early: bool = False
    ended: bool = False

    @classmethod
    def of(
        cls,
        assignment: Assignment,
        member: Member,
        target: int,
        tell: Callable[[Progress], None],
        *,
        is_continued: bool,
    ) -> Run:
        """A training of `member` until `target` epochs. One that `is_continued` goes on from the member's checkpoint."""
        clock, objective = assignment.clock, assignment.objective
        keeper = Keeper(
            assignment.checkpoints,
            member.key,
            clock=clock,
            seconds=assignment.checkpoint_seconds,
            tell=tell,
            last=member.checkpoint if is_continued else None,
        )
        return cls(
            key=member.key,
            objective=objective,
            target=target,
            clock=clock,
            tell=tell,
            deadline=assignment.deadline,
            keeper=keeper,
            health=Health(objective=objective.name),
            marked=clock.monotonic(),
        )

    def to_json(self) -> dict[str, Any]:
        """What a checkpoint must hold of it, besides the order."""
        return {
            "epoch": self.epoch,
            "best_score": self.best_score,
            "best_epoch": self.best_epoch,
            "start": self.health.start,
            "high_epochs": self.health.high_epochs,
        }

    def take_up(self, meta: Mapping[str, Any]) -> None:
        """Go on from what `to_json` wrote."""
        self.epoch = meta["epoch"]
        self.best_score, self.best_epoch = meta["best_score"], meta["best_epoch"]
        self.health.start, self.health.high_epochs = meta["start"], meta["high_epochs"]


class Watcher(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports each epoch, keeps states, and ends the training in time. Must be the last callback of its list.

    Keras hands batch results to callbacks that call themselves safe in threads of their own, as Python numbers, so
    looking at each batch's loss costs the training no wait for the device; the main thread finds out at the next batch.
    """

    async_safe = True

    def __init__(self, run: Run, *, began: Callable[[], None], snapshot: Snapshot | None = None) -> None:
        """`began` is called once, when the model is built and training begins."""
        super().__init__()
        self.run = run
        self._call_when_begun = began
        self._snapshot = snapshot
        self._began = False

    def on_train_begin(self, logs: Any = None) -> None:
        """Every other callback is reset and every variable built: now the state of a checkpoint can be put in place."""
        self._leave_if_ended()
        if self._began:
            return  # a second `fit` of a hypermodel that trains in phases
        self._began = True
        self._call_when_begun()
        if self._snapshot is not None:
            restore(self._snapshot, self.model, self.run.others)
            if self.run.order is not None and "order" in self._snapshot.meta:  # JAX draws from the generators alone
                self.run.order.take_up(self._snapshot.meta["order"], self._snapshot.arrays)
            self._snapshot = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._leave_if_ended()
        if self.run.order is not None:
            self.run.order.begin_epoch()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.run.health.check_batches(self.run.epoch)
        self._leave_if_ended(or_late=True)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.run.health.note_batch(batch, logs or {})

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._leave_if_ended(or_late=True)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._leave_if_ended()
        if not self._began:
            self.on_train_begin()  # a training loop of the user's that begins with epochs
        run = self.run
        metrics = self._metrics(logs or {})
        run.health.check_epoch(run.epoch + 1, metrics)
        run.epoch += 1
        self._keep(metrics)
        seconds = self._lap()
        run.tell(
            Report(key=run.key, epoch=run.epoch, metrics=metrics, seconds=seconds, memory_bytes=peak_memory_bytes())
        )
        run.stopped_early = bool(self.model.stop_training) or self._is_out_of_patience()
        run.ended |= run.stopped_early or self._is_late() or run.epoch >= run.target
        if not run.ended:
            run.keeper.write_if_due(run.deadline(), seconds)
        if run.ended:
            self.model.stop_training = True

    def _metrics(self, logs: Mapping[str, Any]) -> dict[str, float]:
        """The logs, with the objective under the name that the study uses (Keras may have numbered it)."""
        metrics = numbers_in(logs)
        key = metric_key(self.run.objective.name, metrics)
        if key is not None:
            metrics[self.run.objective.name] = metrics[key]
        return metrics

    def _keep(self, metrics: Mapping[str, float]) -> None:
        """Copy the state to the host, and hold it; as the best weights too where the score is the best so far."""
        run, score = self.run, metrics.get(self.run.objective.name)
        best = score if score is not None and run.objective.better(score, run.best_score) else None
        if best is not None:
            run.best_score, run.best_epoch = best, run.epoch
        snapshot = capture(self.model, run.others, run.to_json())
        if run.order is not None:
            snapshot.meta["order"] = run.order.to_json(snapshot.arrays)
        run.keeper.keep_last(run.epoch, snapshot)
        if best is not None:
            run.keeper.keep_best(run.epoch, weights_of(snapshot), best)

    def _is_out_of_patience(self) -> bool:
        run = self.run
        return run.patience is not None and run.epoch - run.best_epoch >= run.patience

    def _lap(self) -> float:
        now = self.run.clock.monotonic()
        seconds, self.run.marked = now - self.run.marked, now
        return seconds

    def _is_late(self) -> bool:
        deadline = self.run.deadline()
        return deadline is not None and self.run.clock.monotonic() >= deadline

    def _leave_if_ended(self, *, or_late: bool = False) -> None:
        if self.run.ended or (or_late and self._is_late()):
            self.run.ended = True
            raise Ended


def numbers_in(logs: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among what callbacks are told of an epoch, by name."""
    return {str(name): float(value) for name, value in logs.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
