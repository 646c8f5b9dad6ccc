"""Events of a study as calls of a tracker: each report once, each end once, whoever tracked before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dialed.errors import InvalidInputError
from dialed.events import Event, SessionEnded, TrialStopped
from dialed.observe.snapshot import member_label
from dialed.search.history import History, Terms
from dialed.trial import MemberRecord, Outcome, Report, Trial

__all__ = ["Held", "Sink", "Tracker", "member_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a tracker holds of a study already: the last epoch of each member by its name, and the ends it knows."""

    steps: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)


class Sink(Protocol):
    """Where a tracker writes. A member's name is `member_name`; a trial's is its number as text."""

    def open(self, study: str, terms: Terms) -> Held:
        """Begin with a study, and say what is there of it."""
        ...

    def report(self, trial: Trial, member: str, record: MemberRecord, report: Report) -> None:
        """One epoch of one member."""
        ...

    def member_ended(self, trial: Trial, member: str, record: MemberRecord) -> None:
        """Nothing more is expected of a member."""
        ...

    def trial_ended(self, trial: Trial) -> None:
        """Nothing more is expected of a trial's search."""
        ...

    def close(self, history: History, *, finished: bool) -> None:
        """The session is over; `finished` says that nothing is left to do."""
        ...


class Tracker:
    """An observer that hands each report and each end to a sink, once.

    Args:
        sink: Where it goes.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._history: History | None = None
        self._held = Held()

    def watch(self, name: str, terms: Terms) -> None:
        """Begin with the study `name`."""
        self._history = History(terms)
        self._held = self._sink.open(name, terms)

    def recall(self, events: Sequence[Event]) -> None:
        """Track what earlier sessions did and nobody tracked."""
        for event in events:
            self._count(event)

    def on_event(self, event: Event) -> None:
        """Track what follows from `event`."""
        self._count(event)
        if isinstance(event, SessionEnded) and self._history is not None:
            self._sink.close(self._history, finished=event.finished)

    def _count(self, event: Event) -> None:
        if self._history is None:
            raise InvalidInputError("A tracker must be told its study by `watch` before it sees events.")
        self._history.apply(event)
        match event:
            case Report():
                self._report(self._history, event)
            case Outcome(key=key):
                self._ends(self._history, key.trial)
            case TrialStopped(trial=trial):
                self._ends(self._history, trial)

    def _report(self, history: History, report: Report) -> None:
        trial, record = history.trial(report.key.trial), history.member(report.key)
        name = member_name(trial, record)
        if report.epoch > self._held.steps.get(name, 0):
            self._sink.report(trial, name, record, report)
            self._held.steps[name] = report.epoch

    def _ends(self, history: History, number: int) -> None:
        trial = history.trial(number)
        for record in trial.members:
            name = member_name(trial, record)
            if record.state.finished and name not in self._held.ended:
                self._sink.member_ended(trial, name, record)
                self._held.ended.add(name)
        if trial.state.finished and str(number) not in self._held.ended:
            self._sink.trial_ended(trial)
            self._held.ended.add(str(number))


def member_name(trial: Trial, record: MemberRecord) -> str:
    """A member as one word: "trial-0007", "trial-0007-repeat-2-fold-1", "trial-0007-confirm-1"."""
    label = member_label(trial, record).split(" ")
    return "-".join(["trial", f"{trial.number:04d}", *label[1:]])
