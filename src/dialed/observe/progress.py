"""The state of a running search, from which terminal, lines and notebook are drawn.

The truth is a `History` folded from the events. Beside it stand only indices that follow from it (how many trials are
in each state, which members are in work, which trial leads), so that a look costs the same after 100,000 trials.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from dialed.clock import Clock
from dialed.events import Event, Returned, SessionEnded, SessionStarted
from dialed.observe.estimate import Gauge, Pace, seconds_left
from dialed.observe.failures import commonest
from dialed.observe.snapshot import STAGES, Active, BudgetView, Limits, Snapshot, active_of
from dialed.observe.trained import Trained
from dialed.search.history import History, Terms
from dialed.trial import Cause, MemberKey, State, Trial, Values

__all__ = ["BudgetView", "Change", "Limits", "Progress", "trial_of"]

RESTING = frozenset({State.PAUSED, State.COMPLETED, State.STOPPED, State.FAILED})
_RECENT = 8


class Change(NamedTuple):
    """A trial that an event touched, and the state it had before (`None`: it is new)."""

    trial: Trial
    before: State | None

    @property
    def came_to_rest(self) -> bool:
        """Whether the trial just ended or paused. One that is stopped while it was paused rested already."""
        now = self.trial.state
        return now in RESTING and now is not self.before and not (now is State.STOPPED and self.before in RESTING)


class _Counted(NamedTuple):
    """What a trial was last counted as."""

    state: State
    cause: Cause | None
    engine: str
    members: int


@dataclass(slots=True)
class _Index:
    """What follows from the history, kept up to date trial by trial."""

    counted: dict[int, _Counted] = field(default_factory=dict)
    states: Counter[State] = field(default_factory=Counter)
    causes: Counter[Cause] = field(default_factory=Counter)
    engines: Counter[str] = field(default_factory=Counter)
    members: Counter[str] = field(default_factory=Counter)
    active: dict[MemberKey, None] = field(default_factory=dict)
    judged: dict[int, None] = field(default_factory=dict)
    baseline: int | None = None
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def update(self, trial: Trial) -> State | None:
        """Count `trial` as it is now; return the state it was counted under before."""
        old = self.counted.get(trial.number)
        new = _Counted(trial.state, trial.cause, trial.engine, len(trial.members))
        if old != new:
            self._recount(old, -1)
            self._recount(new, +1)
            self.counted[trial.number] = new
        for member in trial.members:
            if member.state in (State.RUNNING, State.WAITING):
                self.active[member.key] = None
            else:
                self.active.pop(member.key, None)
        if trial.source == "default" and self.baseline is None:
            self.baseline = trial.number
        if trial.confirmations:
            self.judged[trial.number] = None
        return None if old is None else old.state

    def _recount(self, counted: _Counted | None, step: int) -> None:
        if counted is None:
            return
        self.states[counted.state] += step
        if counted.cause is not None:
            self.causes[counted.cause] += step
        if counted.engine:
            self.engines[counted.engine] += step
            self.members[counted.engine] += step * counted.members


class Progress:
    """Folds events, and gives a `Snapshot` to whoever draws. Safe to use from two threads.

    Args:
        terms: What the study trains each trial for.
        clock: Where the time comes from.
        budget: The limits of the search. Defaults to those of `terms`, without one in time.
        name: The study's name. Defaults to "study".
    """

    def __init__(
        self,
        terms: Terms,
        *,
        clock: Clock,
        budget: Limits | None = None,
        name: str = "study",
    ) -> None:
        self.history = History(terms)
        self.name = name
        self.budget = budget or BudgetView(max_trials=terms.max_trials, max_epochs=terms.max_epochs)
        self._clock = clock
        self._lock = threading.RLock()
        self._index = _Index()
        self._best: Trial | None = None
        self._events = 0
        self._returned = 0
        self._workers = 1
        self._ended: str | None = None
        self._pace: Pace | None = None

    @property
    def best(self) -> Trial | None:
        """The trial with the best score so far."""
        return self._best

    def recall(self, events: Iterable[Event]) -> None:
        """Count `events` of earlier sessions: what they found and cost, not the time that passes meanwhile."""
        with self._lock:
            for event in events:
                self._fold(event)

    def begin(self) -> None:
        """Start the clock of this session. Its first event does so too."""
        with self._lock:
            self._pace = Pace(self._clock.monotonic(), self.history.epochs, self._worked())
            self._ended = None

    def apply(self, event: Event) -> Change | None:
        """Count one more event; return the trial that it touched, if it is about one."""
        with self._lock:
            if isinstance(event, SessionStarted) or (self._pace is None and self._ended is None):
                self.begin()
            change = self._fold(event)
            if isinstance(event, SessionEnded):
                self._pace, self._ended = None, event.reason
            return change

    def snapshot(self, *, most_active: int = 1000) -> Snapshot:
        """Return the state as it is now, with at most `most_active` members in work."""
        with self._lock:
            index = self._index
            return Snapshot(
                name=self.name,
                objective=self.history.objective,
                events=self._events,
                trials=len(self.history),
                counts={s: index.states[s] for s in State if index.states[s]},
                failures={c: index.causes[c] for c in Cause if index.causes[c]},
                trained=Trained.counted(index.engines, index.members),
                active=self._active()[:most_active],
                best=self._best,
                defaults=self._defaults(),
                finished=self._finished(),
                gauges=self._gauges(),
                epochs=self.history.epochs,
                seconds=self._seconds(),
                seconds_left=self._seconds_left(),
                returned=self._returned,
                ended=self._ended,
                died=self._died(),
                workers=self._workers + len(self.history.joined),
            )

    def _died(self) -> tuple[str, ...]:
        hopeless = self._ended is not None and self._best is None
        return tuple(commonest(self.history.trials)) if hopeless else ()

    def _fold(self, event: Event) -> Change | None:
        self.history.apply(event)
        self._events += 1
        if isinstance(event, Returned):
            self._returned += 1
        if isinstance(event, SessionStarted):
            self._workers = int(event.settings.get("workers", 1))
        number = trial_of(event)
        if number is None:
            return None
        trial = self.history.trial(number)
        change = Change(trial, self._index.update(trial))
        if change.came_to_rest:
            self._index.recent.append(number)
        self._compare(trial)
        return change

    def _compare(self, trial: Trial) -> None:
        """Keep the best trial; look through all of them only when the leader itself got worse."""
        best = self._best
        if best is not None and trial.number == best.number:
            worse = trial.score is None or self.history.objective.better(best.score or 0.0, trial.score)
            self._best = self.history.best_trial if worse else trial
        elif trial.score is not None and (best is None or self._leads(trial, best)):
            self._best = trial

    def _leads(self, trial: Trial, best: Trial) -> bool:
        if trial.score is None or best.score is None:
            return False
        tie = trial.score == best.score and trial.number < best.number
        return tie or self.history.objective.better(trial.score, best.score)

    def _defaults(self) -> Values | None:
        number = self._index.baseline
        return None if number is None else self.history.trial(number).values

    def _finished(self) -> tuple[Trial, ...]:
        numbers = dict.fromkeys(reversed(self._index.recent))
        trials = (self.history.trial(n) for n in numbers)
        return tuple(t for t in trials if t.state in RESTING)

    def _active(self) -> tuple[Active, ...]:
        found = [active_of(self.history.trial(key.trial), key) for key in self._index.active]
        return tuple(sorted(found, key=lambda a: STAGES.index(a.stage)))

    def _seconds(self) -> float:
        now = 0.0 if self._pace is None else self._clock.monotonic() - self._pace.begun
        return self.history.finished_seconds + now

    def _worked(self) -> float:
        """Trials done, those in work counted by the part of their epochs that they have."""
        in_work = {key.trial for key in self._index.active}
        parts = (_part_done(self.history.trial(n)) for n in in_work)
        return len(self.history) - len(in_work) + sum(parts)

    def _gauges(self) -> tuple[Gauge, ...]:
        limits = self.budget
        resting = sum(self._index.states[s] for s in RESTING)
        judges = [m for n in self._index.judged for m in self.history.trial(n).confirmations]
        known = (
            Gauge("trials", resting - self.history.copies, limits.max_trials),
            Gauge("epochs", self.history.epochs, limits.max_epochs),
            Gauge("time", self._seconds(), limits.max_seconds),
            Gauge("confirm", sum(m.state.finished for m in judges), len(judges) or None),
        )
        return tuple(g for g in known if g.limit is not None)

    def _seconds_left(self) -> float | None:
        if self._pace is None or self._index.judged:
            return None
        return seconds_left(
            self._pace, self._clock.monotonic(), self._gauges(), epochs=self.history.epochs, trials=self._worked()
        )


def trial_of(event: Event) -> int | None:
    """Return the number of the trial that `event` is about, if it is about one."""
    key = getattr(event, "key", None)
    number = key.trial if isinstance(key, MemberKey) else getattr(event, "trial", None)
    return number if isinstance(number, int) else None


def _part_done(trial: Trial) -> float:
    searched = [m for m in trial.members if m.purpose == "search"]
    return sum(min(m.epoch / m.length, 1.0) for m in searched if m.length) / max(len(searched), 1)
