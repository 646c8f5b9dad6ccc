"""A study: everything recorded about one search, and the way to go on with it by hand (`ask` and `tell`)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from dialed.errors import InvalidInputError, SpaceError
from dialed.events import Enqueued
from dialed.observe import summary_text
from dialed.search import History, Strategy, strategy_from
from dialed.space import Space
from dialed.store import SqlStore
from dialed.study.asking import Asking
from dialed.study.budget import Budget
from dialed.study.confirm import Confirmation, confirmation_of
from dialed.trial import Objective, Report, Trial

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Study"]


class Study:
    """The record of one search.

    Get one from `dialed.load(name)`, `tuner.study`, `dialed.optimize(...)` or `dialed.create_study(...)`.

    Args:
        store: The study's record.
        strategy: Chooses what `ask` gives. Defaults to "auto".

    Example:
        >>> import dialed
        >>> study = dialed.create_study({"x": dialed.Float(-1.0, 1.0)}, direction="min", store="sqlite:///:memory:")
        >>> for _ in range(5):
        ...     trial = study.ask()
        ...     _ = study.tell(trial, trial.values["x"] ** 2)
        >>> study.best_trial.score <= 1.0
        True
    """

    def __init__(self, store: SqlStore, *, strategy: str | Strategy = "auto") -> None:
        self._store = store
        self._strategy = strategy_from(strategy)
        self._history = History(store.terms)
        self._cursor = 0
        self._asking: Asking | None = None

    @property
    def name(self) -> str:
        """The study's name in its store."""
        return self._store.name

    @property
    def record(self) -> History:
        """The folded history, up to date."""
        for recorded in self._store.history(after=self._cursor):
            self._cursor = recorded.cursor
            self._history.apply(recorded.event)
        return self._history

    @property
    def objective(self) -> Objective:
        """The metric that is improved."""
        return self._store.terms.objective

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the latest session was asked to do, as JSON values."""
        return self._store.settings

    @property
    def space(self) -> Space:
        """What may vary, as known now."""
        known = self.record.space_json
        return Space(()) if known is None else Space.from_json(known)

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials, in the order of their numbers."""
        return self.record.trials

    @property
    def best_trial(self) -> Trial | None:
        """The trial with the best score in the search; `None` while there is none."""
        return self.record.best_trial

    @property
    def baseline(self) -> Trial | None:
        """The trial of the default values."""
        return self.record.baseline

    @property
    def confirmation(self) -> Confirmation | None:
        """What fresh seeds said of the finalists; `None` while they have not been asked."""
        return confirmation_of(self.record)

    @property
    def winner(self) -> Trial | None:
        """The trial to use: the confirmed winner where there is one, the best trial otherwise."""
        confirmed = self.confirmation
        return self.best_trial if confirmed is None else self.record.trial(confirmed.winner)

    @property
    def best_values(self) -> dict[str, Any]:
        """The values of the winner; empty while there is none."""
        winner = self.winner
        return {} if winner is None else dict(winner.values)

    def history(self, trial: Trial | int) -> list[Report]:
        """Every report of a trial's members: all metrics of each epoch, with its seconds and memory."""
        number = trial if isinstance(trial, int) else trial.number
        return [r.event for r in self._store.events_of_trial(number) if isinstance(r.event, Report)]

    def enqueue(self, values: Mapping[str, Any]) -> None:
        """Try `values` before what the strategy would choose; what is left out gets its default."""
        check_enqueued(values, self.space)
        self._store.append([Enqueued(values=dict(values))])

    def ask(self) -> Trial:
        """Return the next trial to evaluate: what was enqueued or left unfinished first, then the strategy's choice.

        Raises:
            StudyError: The strategy has nothing more to try.
        """
        if self._asking is None:
            self._asking = Asking(self._store, self._strategy)
        return self._asking.ask()

    def tell(self, trial: Trial | int, result: float | Mapping[str, float] | Exception | str) -> Trial:
        """Record the result of a trial that `ask` gave, and return the trial as it stands then.

        Args:
            trial: The trial, or its number.
            result: The objective, or a dict of metrics that holds it; for a failure an exception or a text.
        """
        number = trial if isinstance(trial, int) else trial.number
        if self._asking is None or not self._asking.holds(number):
            raise InvalidInputError(
                f"The `trial` must be one that `ask` of this study gave and that was not told yet. Got {number}."
            )
        self._asking.tell(number, result)
        return self.record.trial(number)

    def to_pandas(self) -> pd.DataFrame:
        """One row a trial: number, state, score, spread, the values, epochs, seconds, parameters, cause.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        from dialed.study.tables import trials_frame

        return trials_frame(self.trials, self.space)

    def summary(self) -> str:
        """The answer as text: the winner, its gain over the defaults, the best trials, failures and cost."""
        winner = self.winner
        gap = None if winner is None else self._gap(winner)
        gaps = {} if winner is None or gap is None else {winner.number: gap}
        return summary_text(self.record, name=self.name, confirmation=self.confirmation, gaps=gaps, budget=self.budget)

    @property
    def budget(self) -> Budget:
        """The limits that the latest session was given."""
        limits = {name: self.settings.get(name) for name in ("max_trials", "max_epochs", "max_seconds")}
        return Budget(**limits)

    def _gap(self, trial: Trial) -> tuple[float, float] | None:
        """The objective's metric on the training and the validation data, over the members at their best epochs."""
        name = self.objective.name
        if not name.startswith("val_"):
            return None
        best = {m.key: m.best_epoch for m in trial.members if m.purpose == "search"}
        reports = [r.metrics for r in self.history(trial) if r.epoch == best.get(r.key)]
        pairs = [(m[name.removeprefix("val_")], m[name]) for m in reports if name.removeprefix("val_") in m]
        if not pairs:
            return None
        training, validation = zip(*pairs, strict=True)
        return fmean(training), fmean(validation)

    def close(self) -> None:
        """Give back what `ask` holds. The study can be read, and asked, again."""
        if self._asking is not None:
            self._asking.close()
            self._asking = None

    def __repr__(self) -> str:
        best = self.best_trial
        score = "no score yet" if best is None else f"best {best.score:.6g}"
        return f"<Study '{self.name}': {len(self.trials)} trials, {self.objective.name}, {score}>"

    def _repr_html_(self) -> str:
        from dialed.observe.notebook import study_html

        return study_html(self.record, name=self.name)


def check_enqueued(values: Mapping[str, Any], space: Space) -> None:
    """Raise `SpaceError` for a name that the space lacks, or a value outside its range."""
    for name, value in values.items():
        if name not in space:
            near = difflib.get_close_matches(name, space.names, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise SpaceError(
                f"The enqueued `values` must name hyperparameters of the space: {', '.join(space.names)}. "
                f"Got '{name}'.{hint}"
            )
        if not space[name].domain.contains(value):
            raise SpaceError(f"The enqueued value of '{name}' must be one of {space[name].domain}. Got {value!r}.")
