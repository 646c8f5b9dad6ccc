"""One session of one study: the loop that joins strategy, store, engine and executor.

The way of one search: what the store remembers is folded into a history; what waits is trained; otherwise the strategy
decides, and its decisions become events and members; the executor trains leased members, whose reports and outcomes
become events; and again. A session that is killed is continued by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from dialed.clock import Clock
from dialed.engine.protocol import Engine, Progress
from dialed.errors import StudyError
from dialed.events import TrialStopped
from dialed.executor import Executor, train_leased
from dialed.search import History
from dialed.store import Leased
from dialed.study.budget import Budget
from dialed.study.claim import LEASE_SECONDS
from dialed.study.confirm import reserved
from dialed.study.decider import Decider
from dialed.trial import Purpose, Report, State, Trial

__all__ = ["Session"]


@dataclass(slots=True, kw_only=True)
class Session:
    """Drives a study until its budget or its strategy ends.

    Args:
        decider: Folds the history and decides.
        worker: The name under which this process leases members.
        engine: Trains members.
        executor: Runs the training.
        budget: The limits of the search.
        clock: For the time budget.
        lanes: Members to hand to the engine at once. Defaults to 1.
        max_consecutive_failures: Trials in a row that may fail for reasons that no other values would mend.
        tidy: Called when a member has ended: removes checkpoints that are not needed any more.
        started: When the session began, on the monotonic clock.
        keeps_for_confirmation: Whether the search leaves a part of the budget for a confirmation.
    """

    decider: Decider
    worker: str
    engine: Engine
    executor: Executor
    budget: Budget
    clock: Clock
    lanes: int = 1
    max_consecutive_failures: int = 5
    tidy: Callable[[History], object] | None = None
    started: float = 0.0
    keeps_for_confirmation: bool = False

    @property
    def history(self) -> History:
        """What has happened so far."""
        return self.decider.history

    @property
    def seconds(self) -> float:
        """Seconds searched so far, earlier sessions included."""
        return self.history.finished_seconds + self.clock.monotonic() - self.started

    @property
    def deadline(self) -> float | None:
        """When the time budget ends, on the monotonic clock; `None` without one."""
        limit = self.limits.max_seconds
        return None if limit is None else self.started + limit - self.history.finished_seconds

    @property
    def limits(self) -> Budget:
        """What may be used now: the budget, or what a search may use of it."""
        if not self.keeps_for_confirmation:
            return self.budget
        return reserved(self.budget, self.history, seconds=self.seconds)

    def search(self) -> str:
        """Search until the budget, the strategy or too many failures end it; return why, as a sentence."""
        while not (reason := self._spent()):
            submitted = self._submit_waiting("search") or self._submit_decided()
            self._wait()
            self._refuse_broken_code()
            if not submitted and not self._searching():
                return self.decider.reason or "the strategy has nothing more to try"
        return reason

    def _searching(self) -> bool:
        """Whether a member of the search waits or is trained."""
        return any(trial.state in (State.WAITING, State.RUNNING) for trial in self.history.busy)

    def confirm(self) -> str | None:
        """Train the members of the confirmation, decide nothing; the budget's reason when it ended that early."""
        while not (reason := self._spent()):
            if not self._submit_waiting("confirm"):
                return None
            self._wait()
        return reason

    def _spent(self) -> str | None:
        limits = self.limits
        reason = limits.spent(self.history, self.seconds)
        kept = reason is not None and limits != self.budget
        return f"the search's part of the budget is spent ({reason})" if kept else reason

    def _submit_decided(self) -> bool:
        """Carry out what the strategy decides; whether there is now something to do, or to decide again."""
        events = self.decider.decide(self.lanes)
        if not events:
            return False
        self._submit(self.decider.store.begin(events, worker=self.worker, limit=self.lanes, seconds=LEASE_SECONDS))
        return True

    def _submit_waiting(self, purpose: Purpose) -> bool:
        """Lease what waits, and hand it to the executor; whether there was any."""
        if not self.executor.free:
            return True
        leased = self.decider.store.lease(self.worker, limit=self.lanes, seconds=LEASE_SECONDS, purpose=purpose)
        self._submit(leased)
        return bool(leased)

    def _submit(self, leased: Sequence[Leased]) -> None:
        self.decider.refresh()
        if leased:
            store = self.decider.store
            self.executor.submit(
                lambda: train_leased(store, self.engine, leased, worker=self.worker, pause=self._pause)
            )

    def _pause(self, progress: Progress) -> bool:
        """Called by the worker after each report: fold it at once, so that budgets hold to the epoch."""
        self.decider.refresh()
        return isinstance(progress, Report) and self._spent() is not None

    def _wait(self) -> None:
        """Let the executor work until something ended, and clear up behind it."""
        ended = self.executor.wait()
        self.decider.refresh()
        self._drop_failed()
        if ended and self.tidy is not None:
            self.tidy(self.history)

    def _drop_failed(self) -> None:
        """A trial with a failed member has failed: its other members need not be trained."""
        useless = [
            t.number
            for t in self.history.busy
            if t.state is State.FAILED and any(m.state is State.WAITING and m.purpose == "search" for m in t.members)
        ]
        if useless:
            self.decider.append([TrialStopped(trial=number) for number in useless])

    def _refuse_broken_code(self) -> None:
        broken = list(takewhile(_is_broken, self._latest_finished()))
        if len(broken) >= self.max_consecutive_failures:
            raise StudyError(
                f"The last {len(broken)} trials failed, so something other than their values must be wrong. "
                f"The last one ({broken[0].cause}): {broken[0].message}\n"
                "Mend it and run the search again: the study goes on where it stopped."
            )

    def _latest_finished(self) -> Iterator[Trial]:
        """The trials that are over, the latest first, no more than the check for broken code needs."""
        latest = (self.history.trial(number) for number in range(len(self.history) - 1, -1, -1))
        return islice((trial for trial in latest if trial.state.finished), self.max_consecutive_failures)


def _is_broken(trial: Trial) -> bool:
    return trial.cause is not None and trial.cause.counts_against_study
