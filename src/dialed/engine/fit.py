"""The engine for everything: one `model.fit` for each member, on any backend."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dialed.clock import Clock
from dialed.engine.keeping import CheckpointStore
from dialed.engine.memory import Housekeeping
from dialed.engine.protocol import Batch, OnReport
from dialed.engine.recipe import Recipe
from dialed.engine.seeding import seeded
from dialed.engine.state import Snapshot, Unusable
from dialed.engine.training import Training
from dialed.errors import CheckpointError
from dialed.trial import Member, Objective, Outcome, State

__all__ = ["FitEngine"]

_log = logging.getLogger("dialed")


class FitEngine:
    """Trains members one after another, each with one call of `model.fit`.

    To choose: always possible. It is slow where models are small, because every member is traced and compiled anew.

    Args:
        recipe: How trials are made from values.
        data: What each fold trains on: `data.fold(index)` has `x`, `y`, `sample_weight`, `validation`, `samples`.
        objective: The metric to improve.
        checkpoints: Where checkpoints lie.
        clock: Time.
        checkpoint_seconds: The longest time between two checkpoints of a member, while its epochs end. Defaults to 30.
        deadline: Returns when training must stop, on the clock's monotonic time, or None. Defaults to never.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Any,
        *,
        objective: Objective,
        checkpoints: CheckpointStore,
        clock: Clock,
        checkpoint_seconds: float = 30.0,
        deadline: Callable[[], float | None] | None = None,
    ) -> None:
        self.recipe = recipe
        self.data = data
        self.objective = objective
        self.checkpoints = checkpoints
        self.clock = clock
        self.checkpoint_seconds = checkpoint_seconds
        self.deadline = deadline or _never
        self._housekeeping = Housekeeping()

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        return [Batch(members=(member,), program="fit") for member in members]

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        for member in members:
            yield self._train(member, until, on_report)

    def _train(self, member: Member, until: int, on_report: OnReport) -> Outcome:
        if member.epoch >= until or self._is_late():
            return Outcome(key=member.key, state=State.PAUSED, epoch=member.epoch, last=member.checkpoint)
        try:
            return self._attempt(member, until, on_report, self._load(member))
        except Unusable as damaged:
            _log.warning("Trial %d begins again from its start: %s", member.key.trial, damaged)
        return self._attempt(member, until, on_report, None)

    def _load(self, member: Member) -> Snapshot | None:
        if member.checkpoint is None:
            return None
        try:
            arrays, meta = self.checkpoints.load(member.checkpoint)
        except CheckpointError as error:
            raise Unusable(str(error)) from error
        return Snapshot(arrays=arrays, meta=meta)

    def _attempt(self, member: Member, until: int, on_report: OnReport, snapshot: Snapshot | None) -> Outcome:
        """Train `member` from `snapshot` on; let its model go before whatever comes next."""
        model_bytes = 0
        try:
            with seeded(member.key.seed):
                training = Training(self, member, until, on_report, snapshot)
                outcome = training.outcome()
                model_bytes = training.model_bytes
                del training
                return outcome
        finally:
            self._housekeeping.after_member(model_bytes)

    def _is_late(self) -> bool:
        deadline = self.deadline()
        return deadline is not None and self.clock.monotonic() >= deadline


def _never() -> None:
    return None
