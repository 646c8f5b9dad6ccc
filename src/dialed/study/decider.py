"""What to train next: the strategy's decisions about a folded history, turned into events.

Nothing is kept here that the store does not know: the history is what the events say, and a decision follows from the
history, the space and the study's seed alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialed.events import (
    Built,
    Event,
    SessionStarted,
    SpaceSet,
    TrialContinued,
    TrialStarted,
    TrialStopped,
)
from dialed.observe import Guarded
from dialed.search import Continue, Copy, Decision, Finish, History, Start, Stop, Strategy, generator
from dialed.search.history import copy_event
from dialed.space import Space
from dialed.store import SqlStore
from dialed.study.budget import Budget
from dialed.study.fold_race import first_folds, race_folds
from dialed.trial import State, Values

__all__ = ["Decider"]


@dataclass(slots=True, kw_only=True)
class Decider:
    """Folds a study's events, and decides what to begin, continue or stop.

    Args:
        store: The study's record.
        strategy: Chooses the trials.
        budget: Its limit on trials is held here; those on epochs and time by whoever trains.
        observers: See each event once it is stored.
        history: What has happened so far, folded up to the event `cursor`.
        reason: Why the strategy finished, once it has.
        settings: Those of the session before this one; `None` where there was none.
    """

    store: SqlStore
    strategy: Strategy
    budget: Budget
    observers: Guarded
    history: History
    cursor: int = 0
    reason: str = ""
    settings: Mapping[str, Any] | None = None
    _space: tuple[Mapping[str, object] | None, Space] = (None, Space(()))

    @property
    def space(self) -> Space:
        """The space as the study knows it now."""
        known = self.history.space_json
        if known is not None and known is not self._space[0]:
            self._space = (known, Space.from_json(known))
        return self._space[1]

    def append(self, events: Sequence[Event]) -> None:
        """Store `events` and show them."""
        self.store.append(events)
        self.refresh()

    def recall(self) -> None:
        """Fold what earlier sessions have stored; observers take note of it, but do not show it as new."""
        earlier = self.store.history(after=self.cursor)
        for recorded in earlier:
            self.cursor = recorded.cursor
            self.history.apply(recorded.event)
            if isinstance(recorded.event, SessionStarted):
                self.settings = recorded.event.settings
        self.observers.recall([recorded.event for recorded in earlier])

    def refresh(self) -> None:
        """Fold what has been stored since the last look, and show it."""
        for recorded in self.store.history(after=self.cursor):
            self.cursor = recorded.cursor
            self.history.apply(recorded.event)
            self.observers.on_event(recorded.event)
            if isinstance(recorded.event, Built):
                self._grow(recorded.event)

    @property
    def may_begin(self) -> bool:
        """Whether the limit on trials leaves room for a new one, or a paused trial may be continued."""
        return self.budget.now(self.history).may_start(self.history) or any(
            t.state is State.PAUSED for t in self.history.unfinished
        )

    def decide(self, free: int) -> list[Event]:
        """What to begin, continue or stop now, as events: folds of candidates that are in play first, then what is enqueued,
        then the strategy's choice."""
        raced = race_folds(self.history)
        if raced:
            return raced
        if not self.may_begin:
            self.reason = f"max_trials={self.budget.now(self.history).max_trials} is reached"
            return []
        space = self.space
        if self.history.enqueued and self.budget.now(self.history).may_start(self.history):
            if len(self.history):
                return self._enqueued(space, free)
            free = 1  # the defaults alone come before what is enqueued
        decisions = self.strategy.decide(space, self.history, generator(self.history), free)
        finish = next((d for d in decisions if isinstance(d, Finish)), None)
        if finish is not None:
            self.reason = finish.reason
        return self._events_of(decisions, space)

    def _enqueued(self, space: Space, free: int) -> list[Event]:
        """What is enqueued, the oldest first, as far as there is room."""
        return [
            self._started(Start(values=values, until=0), space, begun, source="enqueued")
            for begun, values in enumerate(self.history.enqueued[:free])
            if self._has_room(begun)
        ]

    def _events_of(self, decisions: Sequence[Decision], space: Space) -> list[Event]:
        events: list[Event] = []
        begun = copies = 0
        for decision in decisions:
            match decision:
                case Start() if self._has_room(begun):
                    events.append(self._started(decision, space, begun + copies))
                    begun += 1
                case Copy():
                    events.append(copy_event(decision, space, self.history, number=len(self.history) + begun + copies))
                    copies += 1
                case Continue():
                    events.append(TrialContinued(trial=decision.trial, until=decision.until))
                case Stop():
                    events.append(TrialStopped(trial=decision.trial))
                case _:
                    pass  # Finish is noted by the caller; a Start beyond max_trials is not begun
        return events

    def _has_room(self, begun: int) -> bool:
        limit = self.budget.now(self.history).max_trials
        return limit is None or self.history.begun + begun < limit

    def _started(self, start: Start, space: Space, offset: int, *, source: Any = "strategy") -> TrialStarted:
        terms = self.history.terms
        values = space.restrict(start.values)
        if source == "strategy" and self.history.baseline is None and _is_default(values, space):
            source = "default"
        length = _length(values, terms.epochs)
        return TrialStarted(
            trial=len(self.history) + offset,
            values=values,
            until=min(start.until or length, length),
            epochs=length,
            seeds=start.seeds or terms.seeds,
            folds=start.folds or (terms.folds if source == "default" else first_folds(terms)),
            source=source,
        )

    def _grow(self, built: Built) -> None:
        """Take hyperparameters that only this build asked for into the study's space."""
        if built.space is None:
            return
        known = self.space
        found = Space.from_json(built.space)
        if not all(name in known for name in found.names):
            self.append([SpaceSet(space=known.merge(found).to_json())])


def _is_default(values: Values, space: Space) -> bool:
    return space.key(values) == space.key(space.default_values())


def _length(values: Values, epochs: int) -> int:
    """Epochs of this trial's full training: its own, where `epochs` is tuned."""
    own = values.get("epochs")
    return min(own, epochs) if isinstance(own, int) and not isinstance(own, bool) else epochs
