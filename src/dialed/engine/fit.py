"""The engine for everything: one `model.fit` for each member, on any backend."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from dialed.engine.assignment import Assignment
from dialed.engine.failures import MemberFailed
from dialed.engine.memory import Housekeeping
from dialed.engine.protocol import Batch, OnReport
from dialed.engine.seeding import seeded
from dialed.engine.state import Snapshot, Unusable
from dialed.engine.takeover import taken_over
from dialed.engine.training import Training
from dialed.errors import CheckpointError
from dialed.trial import Cause, Member, Outcome, State

__all__ = ["FitEngine"]

_log = logging.getLogger("dialed")


class FitEngine:
    """Trains members one after another, each with one call of `model.fit`.

    To choose: always possible. It is slow where models are small, because every member is traced and compiled anew.

    Args:
        assignment: What is trained, for what, and until when.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self._housekeeping = Housekeeping()

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        return [Batch(members=(member,), program="fit") for member in members]

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        for member in members:
            yield self._train(member, until, on_report)

    def _train(self, member: Member, until: int, on_report: OnReport) -> Outcome:
        if member.epoch >= until or self.assignment.is_late:
            return Outcome(key=member.key, state=State.PAUSED, epoch=member.epoch, last=member.checkpoint)
        try:
            return self._attempt(member, until, on_report, self._load(member))
        except MemberFailed as failure:  # its state cannot be taken over
            return failure.outcome_of(member)
        except Unusable as damaged:
            if member.inherits:
                unusable = f"The state that it goes on from cannot be used. {damaged}"
                return MemberFailed(Cause.ERROR, unusable).outcome_of(member)
            _log.warning("Trial %d begins again from its start: %s", member.key.trial, damaged)
        return self._attempt(member, until, on_report, None)

    def _load(self, member: Member) -> Snapshot | None:
        if member.checkpoint is None:
            return None
        try:
            arrays, meta = self.assignment.checkpoints.load(member.checkpoint)
        except CheckpointError as error:
            raise Unusable(str(error)) from error
        return taken_over(Snapshot(arrays=arrays, meta=meta), self.assignment, member)

    def _attempt(self, member: Member, until: int, on_report: OnReport, snapshot: Snapshot | None) -> Outcome:
        """Train `member` from `snapshot` on; let its model go before whatever comes next."""
        model_bytes = 0
        try:
            with seeded(member.key.seed):
                training = Training(self.assignment, member, until, on_report, snapshot)
                outcome = training.outcome()
                model_bytes = training.model_bytes
                del training
                return outcome
        finally:
            self._housekeeping.after_member(model_bytes)
