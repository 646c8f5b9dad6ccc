"""How long a trial may take, looked at when it reports. What does not report can only be killed, from outside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from dialed.clock import Clock
from dialed.engine.protocol import Progress
from dialed.trial import Cause, MemberKey, Outcome, Report, State

__all__ = ["TrialTime", "too_long"]


def too_long(seconds: float, members: int) -> str:
    """The sentence for a trial that took longer than `seconds`, where `members` were trained together."""
    together = f" ({members} were trained together, and had {members} times as long)" if members > 1 else ""
    return f"The trial took longer than `max_trial_time`, {seconds:g} s{together}."


@dataclass(slots=True, kw_only=True)
class TrialTime:
    """The time of one job: `seconds` for each of its `members`, from when it began.

    Members that are trained together share their time, so nobody can say which of them took it.
    """

    seconds: float
    members: int
    clock: Clock
    began: float
    late: set[MemberKey] = field(default_factory=set)

    @classmethod
    def of(cls, seconds: float | None, members: int, clock: Clock) -> Self | None:
        """The time of a job that begins now; `None` without a limit."""
        if seconds is None:
            return None
        return cls(seconds=seconds, members=members, clock=clock, began=clock.monotonic())

    def is_over(self, progress: Progress) -> bool:
        """Whether the time is over now that a member tells of its progress; that member is then late."""
        if not isinstance(progress, Report) or self.clock.monotonic() - self.began <= self.seconds * self.members:
            return False
        self.late.add(progress.key)
        return True

    def judged(self, outcome: Outcome, until: int) -> Outcome:
        """`outcome`; a failure for a member that was late, and paused for that before `until`."""
        if outcome.key not in self.late or outcome.state is not State.PAUSED or outcome.epoch >= until:
            return outcome
        message = too_long(self.seconds, self.members)
        return replace(outcome, state=State.FAILED, cause=Cause.TIME_LIMIT, message=message)
