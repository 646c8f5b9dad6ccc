"""One member in a fused program: what it starts from, what it tells after each epoch, and how it ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np

from dialed.engine.failures import MemberFailed, failure_from
from dialed.engine.fused.callbacks.company import Company
from dialed.engine.fused.division import Candidate
from dialed.engine.fused.generators import Generators
from dialed.engine.fused.lifted import Number
from dialed.engine.fused.order import BatchOrder
from dialed.engine.fused.padding.fit import Fit
from dialed.engine.fused.resident import Part
from dialed.engine.memory import peak_memory_bytes
from dialed.engine.objective import metric_key
from dialed.engine.packing import Arrays
from dialed.engine.state import Snapshot, weights_of
from dialed.engine.watch import Run
from dialed.events import Built
from dialed.trial import Cause, Member, Outcome, Report, State

__all__ = ["HostState", "Lane", "Measured", "Setting"]

_Result = TypeVar("_Result")

HostState: TypeAlias = tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]
"""Trainable, non-trainable and optimizer's variables on the host, in Keras's order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """What a member trains on, and what its training was told apart from the model's numbers.

    `key` is equal for members whose batches have the same shapes and data.
    """

    training: Part
    validation: Part | None
    batch_size: int
    validation_batch_size: int
    validation_freq: int | Sequence[int]
    key: tuple[Any, ...]

    def validates(self, epoch: int) -> bool:
        """Whether validation follows the epoch that makes `epoch` complete ones."""
        if self.validation is None:
            return False
        every = self.validation_freq
        return epoch % every == 0 if isinstance(every, int) else epoch in every


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One lane's epoch: its logs by name, the loss of its first batch, and its share of the time.

    Nobody but callbacks hears of `arrays`, the logs that are no single numbers, and of `variables`, what those of the
    metrics hold.
    """

    metrics: Mapping[str, float]
    first_loss: float
    seconds: float
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    variables: Sequence[np.ndarray] = ()


@dataclass(slots=True, kw_only=True, eq=False)
class Lane:
    """A member in training.

    Args:
        member: The member.
        candidate: Its model, until a program took over.
        numbers: The numbers of its model, by path.
        built: What is told when training begins.
        setting: What it trains on.
        order: In which order.
        state: Its variables after its last epoch, on the host.
        generators: Its random generators.
        run: How far it is.
        company: Its callbacks, where it has any.
        own_end: The member's own number of epochs, where that is tuned and less than it was asked to reach.
        fit: Its places in its program, where that is wider than its own model.
    """

    member: Member
    candidate: Candidate | None
    numbers: Mapping[str, Number]
    built: Built
    setting: Setting
    order: BatchOrder
    state: HostState
    generators: Generators
    run: Run
    company: Company | None = None
    own_end: int | None = None
    fit: Fit | None = None
    failure: MemberFailed | None = None

    def begin(self) -> None:
        """Call back that training begins."""
        if self.company is not None:
            self._guarded(self.company.begin, self.state)

    def begin_epoch(self) -> None:
        """Call back that an epoch begins. If a callback may have drawn, the epoch's order is to be drawn again."""
        if self.company is not None and self.failure is None:
            self._guarded(self.company.begin_epoch, self.run.epoch, self.state)

    def begin_validation(self, measured: Measured, state: HostState) -> None:
        """Call back that the epoch is trained, and its validation begins; `state` is then as callbacks left it."""
        if self.company is not None and math.isfinite(measured.metrics.get("loss", 0.0)):
            self._guarded(self.company.begin_test, state, measured.variables)

    def end_epoch(self, measured: Measured, state: HostState) -> Outcome | None:
        """Take in one epoch; the outcome, where that ends the member."""
        run = self.run
        self.order.settle()
        metrics = self._guarded(self._checked, measured, state)
        if metrics is None:
            assert self.failure is not None, "what raised is the failure"
            return self.fail(self.failure)
        run.epoch += 1
        self.state = state
        self._keep(metrics)
        run.tell(
            Report(
                key=run.key,
                epoch=run.epoch,
                metrics=metrics,
                seconds=measured.seconds,
                memory_bytes=peak_memory_bytes(),
            )
        )
        impatient = run.patience is not None and run.epoch - run.best_epoch >= run.patience
        run.stopped_early = impatient or (self.company is not None and self.company.stops)
        if run.ended or run.stopped_early or run.epoch >= run.target:
            return self.end()
        run.keeper.write_if_due(run.deadline(), measured.seconds)
        return None

    def end(self) -> Outcome:
        """Write what is not on the disk yet; the outcome of a member that ends well, or pauses."""
        if self.company is not None:
            self._guarded(self.company.end, self.state)
            if self.failure is not None:
                return self.fail(self.failure)
        self.run.keeper.write()
        at_own_end = self.own_end is not None and self.run.epoch >= self.own_end
        completed = self.run.stopped_early or at_own_end
        return self._outcome(State.COMPLETED if completed else State.PAUSED)

    def fail(self, failure: MemberFailed) -> Outcome:
        """The outcome of a member that failed. Where it is tried again, it goes on from here."""
        self.leave()
        if failure.cause is Cause.OUT_OF_MEMORY:
            self.run.keeper.write()
        return self._outcome(State.FAILED, failure.cause, failure.message)

    def leave(self) -> None:
        """Training does not go on here."""
        if self.company is not None:
            self.company.leave()

    def _guarded(self, work: Callable[..., _Result], *arguments: Any) -> _Result | None:
        """What `work` returns; where it raises, that is the member's failure: it runs callbacks."""
        try:
            return work(*arguments)
        except Exception as error:  # whatever a user's callback raises is this member's failure
            if self.company is None and not isinstance(error, MemberFailed):
                raise
            self.failure = failure_from(error)
            return None

    def _checked(self, measured: Measured, state: HostState) -> dict[str, float]:
        """The epoch's metrics, once callbacks have heard of them. Raises `MemberFailed` where they are no numbers."""
        run, loss = self.run, measured.metrics.get("loss", 0.0)
        if self.failure is not None:
            raise self.failure
        run.health.note_batch(0, {"loss": measured.first_loss})
        if not math.isfinite(loss):  # a running mean stays broken once a batch's loss was
            run.health.note_batch(1, {"loss": loss})
        metrics = measured.metrics
        if self.company is None or not self.company.minds_nan:
            run.health.check_batches(run.epoch)
        if self.company is not None:
            logs = {**metrics, **measured.arrays}
            metrics = self.company.end_epoch(run.epoch, logs, state, measured.variables)
        named = self._named(metrics)
        run.health.check_epoch(run.epoch + 1, named)
        return named

    def _named(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """The logs, with the objective under the name that the study uses (Keras may have numbered it)."""
        objective = self.run.objective.name
        key = metric_key(objective, metrics)
        return dict(metrics) if key is None else {**metrics, objective: metrics[key]}

    def _keep(self, metrics: Mapping[str, float]) -> None:
        run, score = self.run, metrics.get(self.run.objective.name)
        improved = score is not None and run.objective.better(score, run.best_score)
        if improved:
            run.best_score, run.best_epoch = score, run.epoch
        snapshot = self._snapshot()
        run.keeper.keep_last(run.epoch, snapshot)
        if improved and score is not None:
            best = {name: np.array(array) for name, array in weights_of(snapshot).items()}
            run.keeper.keep_best(run.epoch, best, score)

    def _snapshot(self) -> Snapshot:
        """The whole state, as `engine.state.capture` would take it of a model that is trained alone."""
        parts = zip(("trainable", "other", "optimizer"), self.state, strict=True)
        arrays: Arrays = {f"{part}/{i}": array for part, group in parts for i, array in enumerate(group)}
        random = self.generators.to_json(arrays)
        callbacks = [] if self.company is None else self.company.to_json(arrays)
        meta = {**self.run.to_json(), "random": random, "callbacks": callbacks}
        return Snapshot(arrays=arrays, meta=meta)

    def _outcome(self, state: State, cause: Cause | None = None, message: str = "") -> Outcome:
        run = self.run
        return Outcome(
            key=run.key,
            state=state,
            epoch=run.epoch,
            cause=cause,
            message=message,
            last=run.keeper.last,
            best=run.keeper.best,
        )
