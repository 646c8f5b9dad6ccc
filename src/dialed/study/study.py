"""A study: everything recorded about one search, and the way to go on with it by hand (`ask` and `tell`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from dialed.errors import InvalidInputError
from dialed.events import Enqueued
from dialed.objectives import Constraint
from dialed.observe import summary_text
from dialed.search import History, Strategy, strategy_from
from dialed.search.front import front_of
from dialed.space import Space
from dialed.store import Recorded, SqlStore
from dialed.study.asking import Asking
from dialed.study.budget import Budget
from dialed.study.confirm import Confirmation, confirmation_of
from dialed.study.fronts import Front
from dialed.study.schedule import Schedule
from dialed.study.wishes import check_enqueued, write_note
from dialed.trial import Objective, Report, Trial

if TYPE_CHECKING:
    import pandas as pd

    from dialed.analysis import Comparison, Diagnosis, Importance, Plots
    from dialed.engine.hypermodel import Hypermodel

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
        """The metric that is improved; of several the first, which is the score."""
        return self._store.terms.objective

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All metrics that are improved, the score first."""
        return self._store.terms.objectives

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """What the winner must keep."""
        return self._store.terms.constraints

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
        """The trial with the best score in the search, of those that keep the constraints; `None` while there is none.

        With several objectives the score is the first of them; `best_trials` are the front.
        """
        return self.record.best_trial

    @property
    def best_trials(self) -> list[Trial]:
        """The trials that no other betters in one objective without losing in another, the best score first.

        Only those count that keep the constraints. With one objective, the trials that share the best score.
        """
        return front_of(self.trials, self.record.terms)

    def front(self) -> Front:
        """The front as values: what each trial on it has of each objective, and the volume that it dominates."""
        return Front.of(self.best_trials, self.record.terms)

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

    def events(self, after: int = 0) -> list[Recorded]:
        """Every event of the study behind the cursor `after`, in order, each with its cursor and its time."""
        return self._store.history(after=after)

    def beside(self, prefix: str) -> list[Study]:
        """The other studies of the same store whose names begin with `prefix`, the oldest first."""
        return [Study(store) for store in self._store.beside(prefix)]

    @property
    def plot(self) -> Plots:
        """Pictures: `study.plot.history()`, `.curves()`, `.parallel()`, `.importance()` and more; see `dir(study.plot)`."""
        from dialed.analysis import Plots

        return Plots(self)

    def report(self, file: str | Path) -> Path:
        """Write one HTML file that shows the study: the answer, then its pictures. It opens anywhere, without a network.

        Args:
            file: Where to write it, "study.html" for example.

        Returns:
            The path of the file.

        Raises:
            OSError: The file cannot be written.
        """
        from dialed.observe.dashboard.report import write_report

        return write_report(self, file)

    def history(self, trial: Trial | int) -> list[Report]:
        """Every report of a trial's members: all metrics of each epoch, with its seconds and memory."""
        number = trial if isinstance(trial, int) else trial.number
        return [r.event for r in self._store.events_of_trial(number) if isinstance(r.event, Report)]

    def schedule(self, trial: Trial | int | None = None) -> Schedule:
        """What a trial was trained with, epoch by epoch: a schedule where a population changed its values on the way.

        Args:
            trial: The trial, or its number. Defaults to the winner.

        Raises:
            InvalidInputError: There is no such trial.
        """
        number = trial.number if isinstance(trial, Trial) else trial
        chosen = self.winner if number is None else next((t for t in self.trials if t.number == number), None)
        if chosen is None:
            known = f"trials 0 to {len(self.trials) - 1}" if self.trials else "no trials"
            raise InvalidInputError(f"The `trial` must be one of the study, which has {known}. Got {number}.")
        return Schedule.of(chosen)

    def enqueue(self, values: Mapping[str, Any]) -> None:
        """Try `values` before what the strategy would choose; what is left out gets its default."""
        check_enqueued(values, self.space)
        self._store.append([Enqueued(values=dict(values))])

    def note(self, trial: Trial | int, text: str | None = None, *, tags: Sequence[str] | None = None) -> Trial:
        """Write a note and tags on a trial, in the place of those it had, and return the trial.

        Args:
            trial: The trial, or its number.
            text: The note. Defaults to the one it has.
            tags: Short words to find trials by. Defaults to those it has.

        Raises:
            InvalidInputError: There is no such trial, or the note is too long.
        """
        number = trial if isinstance(trial, int) else trial.number
        write_note(self._store, number, text, tags)
        return self.record.trial(number)

    def ask(self) -> Trial:
        """Return the next trial to evaluate: what was enqueued or left unfinished first, then the strategy's choice.

        Raises:
            StudyError: The strategy has nothing more to try.
        """
        if self._asking is None:
            self._asking = Asking(self._store, self._strategy)
        return self._asking.ask()

    def tell(
        self, trial: Trial | int, result: float | Sequence[float] | Mapping[str, float] | Exception | str
    ) -> Trial:
        """Record the result of a trial that `ask` gave, and return the trial as it stands then.

        Args:
            trial: The trial, or its number.
            result: The objective, all objectives in their order, or a dict of metrics that holds them and what is
                constrained; for a failure an exception or a text.
        """
        number = trial if isinstance(trial, int) else trial.number
        if self._asking is None or not self._asking.holds(number):
            raise InvalidInputError(
                f"The `trial` must be one that `ask` of this study gave and that was not told yet. Got {number}."
            )
        self._asking.tell(number, result)
        return self.record.trial(number)

    def to_pandas(self) -> pd.DataFrame:
        """One row a trial: number, state, score, spread, the values, epochs, seconds, parameters, latency, cause.

        Beside the score, what it has of each further objective and of what is constrained; whether it keeps the
        constraints (`feasible`), and whether it is on the front (`front`).

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        from dialed.study.tables import trials_frame

        return trials_frame(self.trials, self.space, self.record.terms)

    def export_tensorboard(self, folder: str | Path, *, images: bool = False) -> Path:
        """Write the study for TensorBoard (no TensorFlow needed), and return its folder: pass that to `--logdir`.

        What an earlier export wrote is kept, and only what is new is added.

        Args:
            folder: Where to make it; the study gets a folder of its own name in it.
            images: Whether to add pictures of the study, which needs Matplotlib. Defaults to False.

        Raises:
            MissingDependencyError: The package `tensorboard`, or Matplotlib for `images`, is not installed.
        """
        from dialed.observe.tensorboard import write_study

        pictures = self.plot.as_png() if images else {}
        return write_study(self.events(), folder, name=self.name, terms=self._store.terms, images=pictures)

    def summary(self) -> str:
        """The answer as text: the winner, its gain over the defaults, the best trials, failures and cost."""
        winner = self.winner
        gap = None if winner is None else self._gap(winner)
        gaps = {} if winner is None or gap is None else {winner.number: gap}
        return summary_text(
            self.record,
            name=self.name,
            confirmation=self.confirmation,
            gaps=gaps,
            budget=self.budget,
            mattered=self._mattered(),
        )

    def importance(self, method: str = "ped-anova", *, seed: int = 0) -> Importance:
        """Which hyperparameters mattered, each with a 95 % interval, and what chance alone would give.

        Args:
            method: "ped-anova" costs a tenth of a second and tells the best tenth of the trials from the others;
                "fanova" takes some seconds, speaks of the whole space, and knows interactions. Defaults to
                "ped-anova".
            seed: Of what is random in it. Defaults to 0.

        Raises:
            StudyError: Fewer than 10 trials have a score.
        """
        from dialed.analysis import importance_of

        return importance_of(self.record, self.space, method=method, seed=seed)

    def diagnose(self) -> Diagnosis:
        """What is the matter with the trainings, trial by trial and over the study, and what the space has against it.

        Overfitting, underfitting, divergence, trainings that end too early, stand still, are noisy or never learn; the
        gap between training and validation; and where the winner stands at an end of a range, the range to try next.
        """
        from dialed.analysis import diagnosis_of

        reports = (r.event for r in self._store.history() if isinstance(r.event, Report))
        return diagnosis_of(self.record, self.space, reports, winner=self.winner)

    def compare(
        self,
        other: Study,
        *,
        hypermodel: Hypermodel | None = None,
        x: Any = None,
        y: Any = None,
        cv: Any = None,
        repeats: int = 8,
        **arguments: Any,
    ) -> Comparison:
        """Whether the results of `other` are different from those of this study, and what else is.

        Spaces and data come first, then how the best score went, then the winners: by the fresh seeds of their
        confirmations, and nothing is trained. Given what this study was searched with, both winners are trained anew
        under the same fresh seeds, as `tuner.compare` does after a search.

        Args:
            other: Another study; to train anew, its winner must lie inside the space of this one.
            hypermodel: What built the models, to train anew. Defaults to training nothing.
            x: The data of this study, as `search` took them.
            y: Their targets. Defaults to None.
            cv: The tuner's. Defaults to none.
            repeats: Fresh seeds for each winner. Defaults to 8.
            **arguments: What else this study's `search` was given.

        Raises:
            InvalidInputError: `other` improves another metric, or `hypermodel` or `x` is missing.
            StudyError: It was searched on other terms or data, or a study has no winner.
            SpaceError: A winner's values lie outside of the space.
        """
        from dialed.analysis import compare, compare_rebuilt

        given = {"y": y, "cv": cv, **arguments}
        if hypermodel is None and x is None and all(value is None for value in given.values()):
            return compare(self, other)
        return compare_rebuilt(self, other, hypermodel=hypermodel, x=x, repeats=repeats, **given)

    def _mattered(self) -> str:
        """The sentence on importance; empty where the trials are too few for one."""
        from dialed.analysis import what_mattered

        found = what_mattered(self.record, self.space)
        return "" if found is None else found.sentence

    @property
    def budget(self) -> Budget:
        """The limits that the latest session was given, or that somebody set while it ran."""
        limits = {name: self.settings.get(name) for name in ("max_trials", "max_epochs", "max_seconds")}
        return Budget(**limits).now(self.record)

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
