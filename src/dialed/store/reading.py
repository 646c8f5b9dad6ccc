"""What can be asked of a study: its events, its history, and the derived rows for whoever only wants to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from dialed.clock import Clock
from dialed.errors import StoreError
from dialed.search.history import History, Terms
from dialed.store.codec import decode, decode_json, decode_terms
from dialed.store.database import Database
from dialed.store.folders import artifact_folder
from dialed.store.patience import Away, Patience, patient
from dialed.store.protocol import Recorded
from dialed.store.queries import Queries
from dialed.store.remote import RemoteFolder
from dialed.store.rows import StudyInfo, info_of, trial_from
from dialed.trial import Trial

__all__ = ["StudyReader"]

_PAGE = 1000


class StudyReader:
    """The part of a study's store that only reads.

    Args:
        database: Where the study is.
        queries: The statements for that database.
        clock: For what is recorded, and for leases.
        study: The study's row in the database.
        name: The study's name.
        terms: What it trains for, as JSON.
        settings: Its settings, as JSON.
        artifacts: The folder of its checkpoints.
    """

    def __init__(
        self,
        database: Database,
        queries: Queries,
        clock: Clock,
        *,
        study: int,
        name: str,
        terms: str,
        settings: str,
        artifacts: Path | RemoteFolder,
    ) -> None:
        self._database = database
        self._queries = queries
        self._clock = clock
        self._study = study
        self._terms = decode_terms(terms)
        self._settings = decode_json(settings)
        self.name = name
        self.artifacts = artifacts

    @property
    def terms(self) -> Terms:
        """What the study trains each trial for."""
        return self._terms

    @property
    def address(self) -> str | None:
        """Where other processes find it: a database URL, its password included; `None` where they cannot."""
        return None if self._database.in_memory else self._database.address

    @property
    def settings(self) -> Mapping[str, Any]:
        """The study's settings, as they were when it was made or last changed."""
        return self._settings

    @property
    @patient
    def info(self) -> StudyInfo:
        """The study at a glance, as it is now."""
        with self._database.reading() as cursor:
            row = cursor.execute(self._queries.study, {"at_study": self._study}).fetchone()
            best = self._best(cursor)
        if row is None:
            raise self._deleted()
        if self._terms.judges:  # by what is not in the rows
            trial = self.load_history().best_trial
            return info_of(row, None if trial is None else (trial.number, trial.score), self._clock.now())
        return info_of(row, best and (best[0], best[5]), self._clock.now())

    @property
    def waiting(self) -> int:
        """How many members wait for a worker, of any purpose."""
        with self._database.reading() as cursor:
            row = cursor.execute(self._queries.count_waiting, {"at_study": self._study}).fetchone()
        return int(row[0])

    def history(self, after: int = 0) -> list[Recorded]:
        """Return the events after the cursor `after`, in order."""
        return list(self._recorded(self._queries.events, after))

    def events_of_trial(self, trial: int, after: int = 0) -> list[Recorded]:
        """Return the events of one trial after the cursor `after`, in order, without reading the others."""
        return list(self._recorded(self._queries.events_of_trial, after, at_trial=trial))

    def load_history(self) -> History:
        """Return the history, folded from all events."""
        history = History(self._terms)
        self.fold_into(history)
        return history

    def fold_into(self, history: History, *, after: int = 0) -> int:
        """Apply the events after the cursor `after` to `history`, and return the cursor of the last."""
        for recorded in self._recorded(self._queries.events, after):
            history.apply(recorded.event)
            after = recorded.cursor
        return after

    def load_rows(self) -> History:
        """Return the history as the rows know it, without reading a report: for a first look at a large study.

        Its trials have no members but those of a confirmation, and no curves. Where the study keeps metrics beside the
        score, which are not in rows, all events are folded instead.
        """
        if self._terms.kept:
            return self.load_history()
        history = History(self._terms, (r.event for r in self._recorded(self._queries.events_of_no_trial, 0)))
        confirming: dict[int, list[Any]] = {}
        with self._database.reading() as cursor:
            for row in cursor.execute(self._queries.confirming, {"at_study": self._study}).fetchall():
                confirming.setdefault(row[0], []).append(row)
            where = {"at_study": self._study, "at_most": 2**62, "at_offset": 0}
            rows = cursor.execute(self._queries.trials_by_number, where).fetchall()
        history.take(trial_from(row, confirming.get(row[0], ())) for row in rows)
        return history

    def trial_rows(
        self, *, order: Literal["number", "score"] = "number", limit: int | None = None, offset: int = 0
    ) -> list[Trial]:
        """Return trials from their rows, without folding the events: for lists of many.

        Args:
            order: "score" gives those that have one, the best first. Defaults to the order in which they were begun.
            limit: How many at most. Defaults to all.
            offset: How many to skip.

        Returns:
            Trials without their members. `trial_row` gives one with them.
        """
        queries = self._queries
        by_score = queries.trials_by_score[self._terms.objective.direction]
        statement = queries.trials_by_number if order == "number" else by_score
        most = 2**62 if limit is None else limit
        with self._database.reading() as cursor:
            where = {"at_study": self._study, "at_most": most, "at_offset": offset}
            return [trial_from(row) for row in cursor.execute(statement, where).fetchall()]

    @patient
    def trial_row(self, number: int) -> Trial | None:
        """Return one trial from its row, with its members but without their curves; `None` if there is none."""
        where = {"at_study": self._study, "at_trial": number}
        with self._database.reading() as cursor:
            row = cursor.execute(self._queries.trial, where).fetchone()
            members = cursor.execute(self._queries.members, where).fetchall()
        return None if row is None else trial_from(row, members)

    @patient
    def best_row(self) -> Trial | None:
        """Return the trial with the best score, the earlier one on ties, by an index; `None` while there is none.

        Where there are constraints, or folds are raced, the events are folded: rows do not know who counts.
        """
        if self._terms.judges:
            trial = self.load_history().best_trial
            return None if trial is None else self.trial_row(trial.number)
        with self._database.reading() as cursor:
            row = self._best(cursor)
        return None if row is None else self.trial_row(row[0])

    def beside(self, prefix: str) -> list[Self]:
        """Return the other studies of the same database whose names begin with `prefix`, the oldest first."""
        with self._database.reading() as cursor:
            rows = cursor.execute(self._queries.studies).fetchall()
        found = [row for row in rows if row[0].startswith(prefix) and row[0] != self.name]
        return [
            type(self)(
                self._database,
                self._queries,
                self._clock,
                study=row[11],
                name=row[0],
                terms=row[3],
                settings=row[4],
                artifacts=self.artifacts.with_name(artifact_folder(row[0])),
            )
            for row in found
        ]

    def _best(self, cursor: Any) -> Any:
        statement = self._queries.best_trial[self._terms.objective.direction]
        return cursor.execute(statement, {"at_study": self._study}).fetchone()

    def _recorded(self, statement: str, after: int, **where: int) -> Iterator[Recorded]:
        """The events after a cursor; where the server goes away meanwhile, those after the last that was read."""
        patience = Patience(self._database.patience_seconds)
        while True:
            try:
                for recorded in self._pages(statement, after, **where):
                    yield recorded
                    after = recorded.cursor
                return
            except Away as error:
                patience.wait(error)

    def _pages(self, statement: str, after: int, **where: int) -> Iterator[Recorded]:
        """Read events page by page, so that a long history is never in memory twice."""
        with self._database.reading(once=True) as cursor:
            cursor.execute(statement, {"at_study": self._study, "at_cursor": after, **where})
            while rows := cursor.fetchmany(_PAGE):
                for number, time, kind, body in rows:
                    yield Recorded(cursor=number, time=time, event=decode(kind, body))

    def _deleted(self) -> StoreError:
        return StoreError(f"The study {self.name!r} must be in the store, but it was deleted. Start a new one.")
