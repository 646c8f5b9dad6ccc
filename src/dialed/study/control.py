"""What people ask of a search while it runs: to give a trial up, to rest, to spend another budget.

A wish is an event like any other, so it reaches the session with the next look at the store, from whatever process or
machine. A budget is read where limits are (`Budget.now`); this file does the rest.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from dialed.events import Event, TrialStopped
from dialed.search.history import History
from dialed.trial import MemberKey, State

if TYPE_CHECKING:
    from dialed.study.session import Session

__all__ = ["asked_to_rest", "obey"]

LOOK_SECONDS = 0.25
"""How often a session that rests looks whether it may go on."""


def asked_to_rest(history: History, key: MemberKey) -> bool:
    """Whether the member should pause after this report: its trial is given up, or the whole study rests."""
    return history.asked.paused or key.trial in history.asked.stop


def obey(session: Session) -> bool:
    """Give up the trials that somebody asked to stop; rest for a moment where the study is paused, and say whether so.

    Time spent resting is not time spent searching.
    """
    _give_up(session)
    if not session.history.asked.paused:
        return False
    session.rest()
    began = session.clock.monotonic()
    threading.Event().wait(LOOK_SECONDS)
    session.started += session.clock.monotonic() - began
    session.decider.refresh()
    return True


def _give_up(session: Session) -> None:
    history = session.history
    if running := history.asked.stop & {t.number for t in history.unfinished if t.state is State.RUNNING}:
        session.executor.cancel(running)
    unfinished = {t.number for t in history.unfinished if t.state is not State.RUNNING}
    stopped: list[Event] = [TrialStopped(trial=number) for number in sorted(history.asked.stop & unfinished)]
    if stopped:
        session.decider.append(stopped)
