"""One session of one study: the loop that joins strategy, store, engine and executor.

The way of one search: what the store remembers is folded into a history; the strategy decides; decisions become
events and members; the executor trains leased members, whose reports and outcomes become events; and again. Nothing
is kept here that the store does not know, so a session that is killed is continued by the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dialed.clock import Clock
from dialed.engine.protocol import Engine, Progress
from dialed.errors import StudyError
from dialed.events import Built, Event, SpaceSet, TrialContinued, TrialStarted, TrialStopped
from dialed.executor import Executor, train_leased
from dialed.observe.protocol import Observer
from dialed.search import Continue, Decision, Finish, History, Start, Stop, Strategy
from dialed.space import Space
from dialed.store import SqlStore
from dialed.study.budget import Budget, in_progress
from dialed.study.claim import LEASE_SECONDS
from dialed.trial import Report, State, Trial, Values

__all__ = ["Session"]


@dataclass(slots=True, kw_only=True)
class Session:
    """Drives a study until its budget or its strategy ends.

    Args:
        store: The study's record; this process holds the claim to it.
        worker: The name under which this process leases members.
        strategy: Chooses the trials.
        engine: Trains members.
        executor: Runs the training.
        budget: The limits of the search.
        clock: For the time budget.
        observer: Sees each event once it is stored.
        lanes: Trials to decide at once. Defaults to 1.
        max_consecutive_failures: Trials in a row that may fail for reasons that no other values would mend.
    """

    store: SqlStore
    worker: str
    strategy: Strategy
    engine: Engine
    executor: Executor
    budget: Budget
    clock: Clock
    observer: Observer
    history: History
    cursor: int = 0
    lanes: int = 1
    max_consecutive_failures: int = 5
    started: float = 0.0
    reason: str = ""

    @property
    def seconds(self) -> float:
        """Seconds searched so far, earlier sessions included."""
        return self.history.finished_seconds + self.clock.monotonic() - self.started

    @property
    def deadline(self) -> float | None:
        """When the time budget ends, on the monotonic clock; `None` without one."""
        if self.budget.max_seconds is None:
            return None
        return self.started + self.budget.max_seconds - self.history.finished_seconds

    @property
    def space(self) -> Space:
        """The space as the study knows it now."""
        if self.history.space_json is None:
            return Space(())
        return Space.from_json(self.history.space_json)

    def append(self, events: Sequence[Event]) -> None:
        """Store `events` and show them."""
        self.store.append(events)
        self.refresh()

    def refresh(self) -> None:
        """Fold what has been stored since the last look."""
        for recorded in self.store.history(after=self.cursor):
            self.cursor = recorded.cursor
            self.history.apply(recorded.event)
            self.observer.on_event(recorded.event)
            if isinstance(recorded.event, Built):
                self._grow(recorded.event)

    def search(self) -> str:
        """Search until the budget, the strategy or too many failures end it; return why, as a sentence."""
        self.refresh()
        while not (reason := self._stop_reason()):
            submitted = self._submit()
            self.executor.wait()
            self.refresh()
            self._drop_failed()
            self._refuse_broken_code()
            if not submitted and not in_progress(self.history):
                return self.reason or "the strategy has nothing more to try"
        return reason

    def train_waiting(self) -> str | None:
        """Train all that waits, decide nothing; return the budget's reason when it ended that early."""
        self.refresh()
        while in_progress(self.history):
            if reason := self.budget.spent(self.history, self.seconds):
                return reason
            if not self._submit_waiting():
                return None
            self.executor.wait()
            self.refresh()
            self._drop_failed()
        return None

    def _stop_reason(self) -> str | None:
        spent = self.budget.spent(self.history, self.seconds)
        if spent is None and not self.budget.may_start(self.history) and not in_progress(self.history):
            if not self._may_continue():
                return f"max_trials={self.budget.max_trials} is reached"
        return spent

    def _may_continue(self) -> bool:
        return any(t.state is State.PAUSED for t in self.history.trials)

    def _submit(self) -> bool:
        """Hand out work: what waits first, then what the strategy decides."""
        if not self.executor.free:
            return True
        if self._submit_waiting():
            return True
        events = self.decide()
        if not events:
            return False
        self.append(events)
        return self._submit_waiting() or any(isinstance(e, TrialStopped) for e in events)

    def _submit_waiting(self) -> bool:
        leased = self.store.lease(self.worker, limit=self.lanes, seconds=LEASE_SECONDS)
        self.refresh()
        if not leased:
            return False
        self.executor.submit(
            lambda: train_leased(self.store, self.engine, leased, worker=self.worker, pause=self._pause)
        )
        return True

    def _pause(self, progress: Progress) -> bool:
        """Called by the worker after each report: fold it at once, so that budgets hold to the epoch."""
        self.refresh()
        return isinstance(progress, Report) and self.budget.spent(self.history, self.seconds) is not None

    def decide(self) -> list[Event]:
        """What to begin, continue or stop now, as events: what is enqueued first, then the strategy's choice."""
        space, free = self.space, self.lanes
        if not self.budget.may_start(self.history) and not self._may_continue():
            self.reason = f"max_trials={self.budget.max_trials} is reached"
            return []
        if self.history.enqueued and self.budget.may_start(self.history):
            return [self._started(self.history.enqueued[0], space, 0, source="enqueued")]
        rng = np.random.default_rng([self.history.terms.seed, len(self.history)])
        decisions = self.strategy.decide(space, self.history, rng, free)
        finish = next((d for d in decisions if isinstance(d, Finish)), None)
        if finish is not None:
            self.reason = finish.reason
        return self._events_of(decisions, space)

    def _events_of(self, decisions: Sequence[Decision], space: Space) -> list[Event]:
        events: list[Event] = []
        begun = 0
        for decision in decisions:
            match decision:
                case Start() if self._has_room(begun):
                    events.append(self._started(decision.values, space, begun, until=decision.until, of=decision))
                    begun += 1
                case Continue():
                    events.append(TrialContinued(trial=decision.trial, until=decision.until))
                case Stop():
                    events.append(TrialStopped(trial=decision.trial))
                case _:
                    pass  # Finish is noted by the caller; a Start beyond max_trials is not begun
        return events

    def _has_room(self, begun: int) -> bool:
        limit = self.budget.max_trials
        return limit is None or len(self.history) + begun < limit

    def _started(
        self,
        values: Values,
        space: Space,
        offset: int,
        *,
        source: Any = "strategy",
        until: int | None = None,
        of: Start | None = None,
    ) -> TrialStarted:
        terms = self.history.terms
        complete = space.restrict(values)
        if source == "strategy" and self.history.baseline is None and _is_default(complete, space):
            source = "default"
        length = _length(complete, terms.epochs)
        return TrialStarted(
            trial=len(self.history) + offset,
            values=complete,
            until=min(until or length, length),
            epochs=length,
            seeds=(of.seeds if of else ()) or terms.seeds,
            folds=(of.folds if of else ()) or terms.folds,
            source=source,
        )

    def _grow(self, built: Built) -> None:
        """Take hyperparameters that only this build asked for into the study's space."""
        if built.space is None:
            return
        known = self.space
        found = Space.from_json(built.space)
        if all(name in known for name in found.names):
            return
        self.store.append([SpaceSet(space=known.merge(found).to_json())])

    def _drop_failed(self) -> None:
        """A trial with a failed member has failed: its other members need not be trained."""
        useless = [
            t.number
            for t in self.history.trials
            if t.state is State.FAILED and any(m.state is State.WAITING for m in t.members)
        ]
        if useless:
            self.append([TrialStopped(trial=number) for number in useless])

    def _refuse_broken_code(self) -> None:
        last = [t for t in self.history.trials if t.state.finished][-self.max_consecutive_failures :]
        if len(last) == self.max_consecutive_failures and all(_is_broken(t) for t in last):
            raise StudyError(
                f"The last {len(last)} trials failed, so something other than their values must be wrong. "
                f"The last one ({last[-1].cause}): {last[-1].message}\n"
                "Mend it and run the search again: the study goes on where it stopped."
            )


def _is_broken(trial: Trial) -> bool:
    return trial.cause is not None and trial.cause.counts_against_study


def _is_default(values: Values, space: Space) -> bool:
    return space.key(values) == space.key(space.default_values())


def _length(values: Values, epochs: int) -> int:
    """Epochs of this trial's full training: its own, where `epochs` is tuned."""
    own = values.get("epochs")
    return min(own, epochs) if isinstance(own, int) and not isinstance(own, bool) else epochs
