"""How many members to hand to a worker at once: what fits into a program, into the budget, and between the workers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from dialed.executor import Job
from dialed.search import History
from dialed.study.budget import Budget
from dialed.trial import MemberKey, MemberRecord, Purpose, State

__all__ = ["Room", "epochs_of", "waiting_members"]

FIRST_GROUP = 4
"""Members of the first group under a budget in time: few enough to end soon, and as many as pay for their program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The room of one worker now.

    A budget in epochs pays for whole trainings, so that it holds to the epoch: the last ones are trained alone, and none
    is begun that those of the other workers may leave nothing for. What a budget in time pays for is not known
    beforehand. So the groups grow with what has been trained: the first result comes soon, and no group is larger than
    all before it.

    Args:
        history: What has happened so far.
        limits: What may be used now.
        lanes: Members that a worker trains at once.
        workers: How many workers there are. They share what is left of a budget in trials.
        jobs: What is trained now.
    """

    history: History
    limits: Budget
    lanes: int
    workers: int
    jobs: Sequence[Job]

    @property
    def each(self) -> int:
        """How many members a trial has."""
        return len(self.history.terms.seeds) * len(self.history.terms.folds)

    @property
    def epochs_left(self) -> int | None:
        """Epochs that nobody has been promised yet; `None` without such a budget."""
        if self.limits.max_epochs is None:
            return None
        promised = sum(epochs_of(job, self.history) for job in self.jobs) + self._by_others
        return self.limits.max_epochs - self.history.epochs - promised

    @property
    def _by_others(self) -> int:
        """Epochs that members are still to have which workers train that came by themselves."""
        if not self.history.joined:
            return 0
        taken = {leased.member.key for job in self.jobs for leased in job.leased}
        records = (record for trial in self.history.busy for record in trial.members if record.key not in taken)
        return sum(max(r.length - r.epoch, 0) for r in records if r.state is State.RUNNING)

    def members(self) -> int:
        """How many members to hand over now. None only where others train what the budget can still pay for."""
        room, left = self.lanes, self.epochs_left
        if left is not None:
            room = min(room, left // self.history.terms.epochs)
        if self.limits.max_seconds is not None:
            room = min(room, max(FIRST_GROUP, len(self.history) * self.each))
        others = bool(self.jobs) or self._by_others > 0
        return max(0 if others and left is not None else 1, room)

    def new(self) -> int:
        """How many members of new trials to begin now: workers share what is left of a budget in trials."""
        room = self.members()
        if self.limits.max_trials is None or self.workers <= 1:
            return room
        return min(room, ceil(max(self.limits.max_trials - self.history.begun, 1) / self.workers) * self.each)

    def again(self, purpose: Purpose, *, free: int) -> int:
        """How many of the members that wait to hand over now, where `free` workers could take some.

        A group whose worker died is tried again in smaller parts, until what kills its worker is alone.
        """
        room = self.members()
        if self.workers == 1 and not self.jobs:
            return room
        taken = {leased.member.key for job in self.jobs for leased in job.leased}
        waiting = list(waiting_members(self.history, purpose, taken))
        attempts = max((record.attempts for record in waiting[:room]), default=0)
        return max(min(1, room), min(room >> attempts, ceil(len(waiting) / max(free, 1))))


def waiting_members(history: History, purpose: Purpose, taken: Collection[MemberKey] = ()) -> Iterator[MemberRecord]:
    """The members that wait for a worker, those of the oldest trials first; but for those that are `taken`."""
    for trial in history.busy:
        for record in trial.members:
            if record.purpose == purpose and record.state is State.WAITING and record.key not in taken:
                yield record


def epochs_of(job: Job, history: History) -> int:
    """How many epochs `job` may still add to those that are counted: functions train to their end, whatever the rung."""
    records = (history.member(leased.member.key) for leased in job.leased)
    return sum(
        max(record.length - record.epoch, 0) for record in records if record.state in (State.WAITING, State.RUNNING)
    )
