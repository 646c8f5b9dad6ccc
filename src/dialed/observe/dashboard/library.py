"""The studies that people look at: each read once from its rows, then kept up to date by its events."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from dialed.analysis import Importance, what_mattered
from dialed.analysis.observations import thinned
from dialed.analysis.views.naming import ranked
from dialed.events import Event
from dialed.search.history import History
from dialed.space import Space
from dialed.store import Catalog, Recorded, SqlStore, StudyInfo
from dialed.store.fold import trial_of
from dialed.study.confirm import Confirmation, confirmation_of
from dialed.study.study import Study
from dialed.trial import MemberKey, Report, Trial

__all__ = ["Library", "Look"]

T = TypeVar("T")

BEHIND = 5_000
"""So many events are followed one by one; from more on, the rows are read anew, which is quicker."""


@dataclass(slots=True, kw_only=True)
class Look:
    """One study as it is shown: its history as rows know it, up to the event `cursor`. Safe for many threads."""

    store: SqlStore
    created: float
    history: History
    cursor: int
    lock: threading.RLock = field(default_factory=threading.RLock)
    _known: dict[str, tuple[int, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The study's name."""
        return self.store.name

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials, by number."""
        return self.history.trials

    @property
    def space(self) -> Space:
        """What may vary."""
        known = self.history.space_json
        return Space(()) if known is None else Space.from_json(known)

    @property
    def study(self) -> Study:
        """The study, for questions that need all of its events."""
        return Study(self.store)

    @property
    def confirmation(self) -> Confirmation | None:
        """What fresh seeds said of the finalists."""
        return confirmation_of(self.history)

    @property
    def winner(self) -> Trial | None:
        """The trial to use."""
        confirmed = self.confirmation
        return self.history.best_trial if confirmed is None else self.history.trial(confirmed.winner)

    def refresh(self, info: StudyInfo | None = None) -> StudyInfo:
        """Read what has happened since, and return the study at a glance.

        Raises:
            StoreError: The study was deleted, or the store does not answer.
        """
        info = self.store.info if info is None else info
        with self.lock:
            if info.cursor - self.cursor > BEHIND:
                self.history, self.cursor = self.store.load_rows(), info.cursor
            elif info.cursor > self.cursor:
                self._follow(self.store.history(self.cursor))
        return info

    def _follow(self, recorded: Sequence[Recorded]) -> None:
        events = [record.event for record in recorded]
        if self.history.terms.kept:
            for event in events:
                self.history.apply(event)
        else:
            self._take(events)
        self.cursor = recorded[-1].cursor if recorded else self.cursor

    def _take(self, events: Iterable[Event]) -> None:
        touched = {trial for event in events if (trial := trial_of(event)) is not None}
        for event in events:
            if trial_of(event) is None:
                self.history.apply(event)
        rows = [self.store.trial_row(number) for number in sorted(touched)]
        self.history.take(replace(row, members=row.confirmations) for row in rows if row is not None)  # as rows have it

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` makes of the study as it is: made again only when something has happened."""
        known = self._known.get(name)
        if known is None or known[0] != self.cursor:
            known = self._known[name] = (self.cursor, make())
        found: T = known[1]
        return found

    @property
    def mattered(self) -> Importance | None:
        """Which hyperparameters mattered; `None` while that cannot be told."""
        return self.once("mattered", lambda: what_mattered(thinned(self.history), self.space))

    @property
    def plane(self) -> tuple[str, ...]:
        """The two hyperparameters to look at together: those that mattered most, or the first that vary."""
        return tuple(ranked(self.mattered, self.space)[:2])

    def detailed(self, numbers: Iterable[int], reports: Iterable[Report]) -> History:
        """These trials with their members and curves, made of `reports`; of the others those that won or compare."""
        name = self.history.objective.name
        curves: dict[MemberKey, dict[int, float]] = {}
        for report in reports:
            curves.setdefault(report.key, {})[report.epoch] = report.metrics.get(name, math.nan)
        special = [self.history.best_trial, self.history.baseline, *(t for t in self.trials if t.confirmations)]
        shown = {trial.number: trial for trial in special if trial is not None}
        rows = (self.store.trial_row(number) for number in numbers)
        shown |= {row.number: _with_curves(row, curves) for row in rows if row is not None}
        history = History(self.history.terms)
        history.take(shown[number] for number in sorted(shown))
        return history

    def reports(self, numbers: Iterable[int]) -> list[Report]:
        """Every report of these trials."""
        found = (record.event for number in numbers for record in self.store.events_of_trial(number))
        return [event for event in found if isinstance(event, Report)]


def _with_curves(trial: Trial, curves: Mapping[MemberKey, Mapping[int, float]]) -> Trial:
    members = []
    for member in trial.members:
        known = curves.get(member.key, {})
        curve = tuple(known.get(epoch, math.nan) for epoch in range(1, max(known, default=0) + 1))
        members.append(replace(member, curve=curve))
    return replace(trial, members=tuple(members))


class Library:
    """The studies of one store.

    Args:
        catalog: The store.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._looks: dict[str, Look] = {}
        self._lock = threading.Lock()

    def studies(self) -> list[StudyInfo]:
        """All studies at a glance, the one changed last first."""
        return sorted(self.catalog.studies(), key=lambda info: -info.changed)

    def look(self, name: str) -> tuple[Look, StudyInfo]:
        """One study, as it is now.

        Raises:
            StudyError: There is none of that name.
            StoreError: The store does not answer.
        """
        store = self.catalog.open(name)
        info = store.info
        with self._lock:
            look = self._looks.get(name)
            if look is None or look.created != info.created:  # another study may have come in its place
                look = self._looks[name] = self._open(store, info)
        look.refresh(info)
        return look, info

    def _open(self, store: SqlStore, info: StudyInfo) -> Look:
        return Look(store=store, created=info.created, history=store.load_rows(), cursor=info.cursor)
