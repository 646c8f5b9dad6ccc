"""Projects of KerasTuner: its folders, read into a study."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from dialed.errors import InvalidInputError, StoreError
from dialed.events import Event, SpaceSet, TrialStarted
from dialed.keras_tuner.engine.files import load_json
from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.oracle_state import read_trials
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.engine.view import View, clean
from dialed.search import Terms
from dialed.store import open_catalog
from dialed.study import Study
from dialed.trial import Cause, Direction, MemberKey, Objective, Outcome, Report, State

__all__ = ["import_project"]


def import_project(
    folder: str | Path,
    *,
    name: str | None = None,
    store: str | None = None,
    objective: str | None = None,
    direction: Direction | None = None,
) -> Study:
    """Read a project of KerasTuner, or of the drop-in, into a new study: the space, and each trial's values and metrics.

    A trial that was running is left out. The project itself stays as it is.

    Args:
        folder: The project's folder, `directory/project_name`.
        name: The study's name. Defaults to the folder's.
        store: Where the study is kept. Defaults to `./dialed.db`.
        objective: The metric that was improved. Defaults to the one whose best values are the scores.
        direction: Which way is better. Defaults to what the project says of that metric.

    Raises:
        InvalidInputError: There is no project, or no telling what its objective was.
    """
    folder = Path(folder)
    trials = [
        trial for trial in read_trials(folder).values() if trial.status in (TrialStatus.COMPLETED, TrialStatus.FAILED)
    ]
    space = _space(folder, trials)
    terms = Terms(
        objective=_objective(trials, objective, direction), epochs=max([_epochs(t) for t in trials], default=1)
    )
    view = View(space.space)
    events: list[Event] = [SpaceSet(space=view.space.to_json())]
    for number, trial in enumerate(trials):
        events += _events(number, trial, view, terms.objective)
    record = open_catalog(store).create(name or folder.resolve().name, terms, {"imported": str(folder)})
    record.append(events)
    return Study(record)


def _space(folder: Path, trials: Sequence[Trial]) -> HyperParameters:
    """The space of oracle.json, and what only trials hold."""
    if not (folder / "oracle.json").exists() and not trials:
        raise InvalidInputError(
            f"`folder` must be a project of KerasTuner, which holds oracle.json and trial_* folders. Got '{folder}'. Pass "
            "`directory/project_name` of the tuner."
        )
    space = HyperParameters()
    try:
        space = HyperParameters.from_config(load_json(folder / "oracle.json")["hyperparameters"])
    except (StoreError, FileNotFoundError) as error:
        print(f"{error} The space is taken from the trials.")
    for trial in trials:
        space.merge(trial.hyperparameters, overwrite=False)
    return space


def _objective(trials: Sequence[Trial], name: str | None, direction: Direction | None) -> Objective:
    """The metric that was improved: where it was not named, the one whose best values are the trials' scores."""
    scored = [trial for trial in trials if trial.score is not None]
    fitting = [metric for metric in _metrics(scored) if all(_explains(metric, trial) for trial in scored)]
    fitting.sort(key=lambda metric: not metric.startswith("val_"))
    chosen = name or next(iter(fitting), None)
    if chosen is None:
        raise InvalidInputError(
            f"`objective` must be given: no metric of these trials explains their scores. They have {_metrics(scored)}."
        )
    if chosen not in _metrics(scored):
        raise InvalidInputError(f"`objective` must be one of {_metrics(scored)}. Got {chosen!r}.")
    known = next(trial.metrics.get_direction(chosen) for trial in scored if trial.metrics.exists(chosen))
    return Objective(name=chosen, direction=direction or ("max" if known == "max" else "min"))


def _metrics(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(name for trial in trials for name in trial.metrics.metrics))


def _explains(metric: str, trial: Trial) -> bool:
    if not trial.metrics.exists(metric) or trial.score is None:
        return False
    best = trial.metrics.get_best_value(metric)
    return best is not None and math.isclose(best, trial.score, rel_tol=1e-9)


def _epochs(trial: Trial) -> int:
    """Epochs until the trial's best one: no more is known of its training, but where Hyperband says so."""
    return max(int(trial.hyperparameters.values.get("tuner/epochs", 0)), (trial.best_step or 0) + 1)


def _events(number: int, trial: Trial, view: View, objective: Objective) -> Iterator[Event]:
    key, epochs = MemberKey(number, 0, 0), _epochs(trial)
    values = view.known(clean(trial.hyperparameters.values))
    yield TrialStarted(trial=number, values=values, until=epochs, epochs=epochs, seeds=(0,))
    if trial.status == TrialStatus.FAILED or not trial.metrics.exists(objective.name):
        message = (trial.message or "It has no score.").strip()
        yield Outcome(key=key, state=State.FAILED, epoch=0, cause=Cause.ERROR, message=message)
        return
    best = {name: trial.metrics.get_best_value(name) for name in trial.metrics.metrics}
    metrics = {name: float(value) for name, value in best.items() if value is not None}
    yield Report(key=key, epoch=epochs, metrics=metrics, final=True)
    yield Outcome(key=key, state=State.COMPLETED, epoch=epochs)
