"""What people ask of a session while it runs: to give trials up, to rest, to spend more."""

from __future__ import annotations

from dataclasses import dataclass, field

from dialed.events import BudgetSet, Event, PauseSet, SessionStarted, StopAsked, TrialStopped

__all__ = ["Asked"]


@dataclass(slots=True)
class Asked:
    """The wishes that are not fulfilled yet, folded from a study's events.

    Attributes:
        stop: The trials to give up. A trial that was stopped is struck off.
        paused: Whether to rest.
        budget: The budget in the place of the session's own; `None` while nobody has set one.
    """

    stop: set[int] = field(default_factory=set)
    paused: bool = False
    budget: BudgetSet | None = None

    def apply(self, event: Event) -> None:
        """Count one more event. A session that begins owes nothing to what was asked of an earlier one."""
        match event:
            case StopAsked():
                self.stop.add(event.trial)
            case TrialStopped():
                self.stop.discard(event.trial)
            case PauseSet():
                self.paused = event.paused
            case BudgetSet():
                self.budget = event
            case SessionStarted():
                self.stop, self.paused, self.budget = set(), False, None
            case _:
                pass
