"""A study that nobody stores: a strategy's decisions become events, and these a history, in memory alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from dialed.events import Event, TrialContinued, TrialStarted, TrialStopped
from dialed.search.decisions import Continue, Copy, Decision, Start, Stop
from dialed.search.history import History, Terms, copy_event
from dialed.search.protocol import Strategy, generator
from dialed.space import Space
from dialed.trial import State, Values

__all__ = ["Unstored"]


class Unstored:
    """What a simulated search decides.

    Args:
        strategy: Chooses the trials.
        space: What they vary. It may be replaced on the way, as a study's space grows.
        terms: What a trial is trained for; `max_trials` among them is the budget.
        on_event: Is told each event once it is counted. Defaults to nobody.
    """

    def __init__(
        self, strategy: Strategy, space: Space, terms: Terms, *, on_event: Callable[[Event], object] | None = None
    ) -> None:
        self.strategy = strategy
        self.space = space
        self.history = History(terms)
        self._on_event = on_event

    def record(self, event: Event) -> None:
        """Count one more event."""
        self.history.apply(event)
        if self._on_event is not None:
            self._on_event(event)

    def begin_enqueued(self, places: int) -> list[Event]:
        """Begin what the user asked for, in at most so many places."""
        begun: list[Event] = []
        while len(begun) < places and self.history.enqueued and self._room > 0:
            begun.append(self._start(self.history.enqueued[0], self.history.terms.epochs, source="enqueued"))
        return begun

    def choose(self, places: int) -> list[Decision]:
        """What the strategy would do with so many free places; only those for which the budget has a trial."""
        room = self._room
        if room < places and not any(trial.state is State.PAUSED for trial in self.history.unfinished):
            places = int(room)
        if places < 1:
            return []
        return self.strategy.decide(self.space, self.history, generator(self.history), places)

    def carry_out(self, decisions: Sequence[Decision]) -> list[Event]:
        """Do it, and return what happened. A `Finish` shows itself: nothing is begun."""
        done = [self._carry_out(decision) for decision in decisions]
        return [event for event in done if event is not None]

    def _carry_out(self, decision: Decision) -> Event | None:
        event: Event
        match decision:
            case Start() if self._room > 0:
                return self._start(decision.values, decision.until, seeds=decision.seeds, folds=decision.folds)
            case Copy():
                event = copy_event(decision, self.space, self.history, number=len(self.history))
            case Continue():
                event = TrialContinued(trial=decision.trial, until=decision.until)
            case Stop():
                event = TrialStopped(trial=decision.trial)
            case _:  # a Start beyond the budget, or a Finish
                return None
        self.record(event)
        return event

    @property
    def _room(self) -> float:
        """How many trials may still begin."""
        most = self.history.terms.max_trials
        return math.inf if most is None else most - self.history.begun

    def _start(
        self,
        values: Values,
        until: int,
        *,
        source: Literal["default", "enqueued", "strategy"] = "strategy",
        seeds: tuple[int, ...] = (),
        folds: tuple[int, ...] = (),
    ) -> TrialStarted:
        terms = self.history.terms
        complete = self.space.restrict(values)
        if source == "strategy" and self.history.baseline is None and complete == self.space.default_values():
            source = "default"
        event = TrialStarted(
            trial=len(self.history),
            values=complete,
            until=until,
            epochs=terms.epochs,
            seeds=seeds or terms.seeds,
            folds=folds or terms.folds,
            source=source,
        )
        self.record(event)
        return event
