"""A search of the drop-in, trained by Dialed: the oracle chooses, the engines train many trials in one program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dialed.errors import SpaceError
from dialed.keras_tuner.distribute.chief import Calling
from dialed.keras_tuner.engine import results
from dialed.keras_tuner.engine.asked import Build
from dialed.keras_tuner.engine.asking import Asking
from dialed.keras_tuner.engine.base_tuner import BaseTuner
from dialed.keras_tuner.engine.files import load_json, save_json
from dialed.keras_tuner.engine.hypermodel import HyperModel
from dialed.keras_tuner.engine.objective import DefaultObjective, MultiObjective
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.errors import FailedTrialError, FatalTypeError
from dialed.trial import Cause, Objective, Report, State
from dialed.trial import Trial as Trained

if TYPE_CHECKING:
    from dialed.keras_tuner.engine.tuner import Tuner
    from dialed.study import Study
    from dialed.study import Tuner as Driver

__all__ = ["Lanes", "reason_against", "search"]

_OWN_TRAINING = (
    "_build_and_fit_model",
    "_build_hypermodel",
    "_override_compile_args",
    "_run_and_update_trial",
    "_try_build",
    "_try_run_and_update_trial",
    "load_model",
    "on_batch_begin",
    "on_batch_end",
    "on_epoch_begin",
    "on_epoch_end",
    "run_trial",
)
"""Methods with which a subclass takes the training into its own hands."""

_ARGUMENTS = (
    *("x", "y", "epochs", "batch_size", "callbacks", "class_weight", "shuffle", "sample_weight", "steps_per_epoch"),
    *("validation_data", "validation_split", "validation_batch_size", "validation_freq", "validation_steps", "verbose"),
)
"""What Dialed's search takes of `model.fit`'s arguments."""

_OWN_FOLDERS = ("BackupAndRestore", "TensorBoard")
"""Callbacks that need a folder of their own for each trial."""


def reason_against(tuner: Tuner, args: Sequence[Any], arguments: Mapping[str, Any]) -> str:
    """Why trials are trained one after another by `model.fit`; empty where Dialed's engines can train them."""
    if tuner.engine == "fit":
        return "engine='fit'"
    own = [name for name in _OWN_TRAINING if not _is_ours(getattr(type(tuner), name))]
    if own:
        return f"{type(tuner).__name__} has its own `{own[0]}`"
    fit = getattr(tuner.hypermodel.fit, "__func__", None)
    if fit is not HyperModel.fit:
        return "the hypermodel has its own `fit`"
    if isinstance(tuner.oracle.objective, MultiObjective):
        return "several objectives"
    if tuner.distribution_strategy is not None:
        return "a distribution strategy"
    return _reason_in_arguments(args, arguments) or _reason_in_space(tuner)


def _is_ours(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("dialed.keras_tuner.")


def _reason_in_arguments(args: Sequence[Any], arguments: Mapping[str, Any]) -> str:
    unknown = [name for name in arguments if name not in _ARGUMENTS]
    if unknown or len(args) > 2 or not (args or "x" in arguments):
        return f"`search` was given {unknown[0] if unknown else 'positional arguments beyond x and y'}"
    if hasattr(args[0] if args else arguments["x"], "__next__"):
        return "a generator, which can be read once"
    named = [type(c).__name__ for c in arguments.get("callbacks") or () if type(c).__name__ in _OWN_FOLDERS]
    return f"the callback {named[0]}" if named else ""


def _reason_in_space(tuner: Tuner) -> str:
    ranges: dict[str, Any] = {}
    for hp in tuner.oracle.hyperparameters.space:
        if not ranges.setdefault(hp.name, hp.domain).same_range(hp.domain):
            return f"`{hp.name}` has different ranges in different scopes"
    return ""


def search(tuner: Tuner, x: Any = None, y: Any = None, **arguments: Any) -> None:
    """Search, trained by Dialed.

    Raises:
        FatalTypeError: There is no objective to find in what `model.fit` measures.
    """
    if isinstance(tuner.oracle.objective, DefaultObjective):
        raise FatalTypeError(
            "`objective` must name a metric where `model.fit` trains: HyperModel.fit() returns a `History`, and not a "
            "single float. `objective` is left unspecified. Pass for example objective='val_loss'."
        )
    verbose = arguments.pop("verbose", None)
    if verbose is not None:
        tuner.oracle.verbose = verbose
    tuner._lanes = Lanes(tuner)
    try:
        tuner._lanes.run(x, y, arguments)
    except SpaceError as error:
        if tuner._lanes.asking.begun:
            raise
        print(f"Each trial is trained by itself: {error}")
        tuner._lanes = None
        BaseTuner.search(tuner, x, y, **arguments)
        return
    tuner.on_search_end()


class Lanes:
    """One search: members are lanes of Dialed's engines, and the oracle is told what was trained.

    Args:
        tuner: The tuner.
    """

    def __init__(self, tuner: Tuner) -> None:
        self.tuner = tuner
        self.oracle = tuner.oracle
        self.build = Build(tuner, tuner._declared)
        self.asking = Asking(tuner, self._numbers_now, self._end, before=self.build.end_if_fatal)
        self._driver: Any = None
        self._name = next(reversed(self.oracle.members), "")

    @property
    def study(self) -> Study:
        """The record of all that was trained."""
        if self._driver is not None:
            return self._driver.study  # type: ignore[no-any-return]
        from dialed.study import load

        return load(self._name, str(self._database))

    @property
    def _database(self) -> Path:
        return Path(self.tuner.project_dir, "dialed.db")

    def _numbers_now(self) -> dict[str, int]:
        """The numbers of the trials in the study."""
        return self.oracle.members.setdefault(self._name, {})

    @property
    def _numbers(self) -> dict[str, int]:
        return self._numbers_now()

    def run(self, x: Any, y: Any, arguments: dict[str, Any]) -> None:
        """Search until the oracle stops. A chief leaves all training to the workers."""
        self._driver = self.driver(arguments)
        if self.tuner.role != "chief":
            self._search(x, y, arguments)
            return
        calling = Calling(self.tuner.project_dir, self._name, "lanes")
        self.asking.after = calling.say
        with calling.until_over():
            self._search(x, y, arguments)

    def _search(self, x: Any, y: Any, arguments: Mapping[str, Any]) -> None:
        try:
            self._driver.search(x, y, **arguments)
        finally:
            self.build.end_if_fatal()
        self.asking.settle(self.study.record)
        self._finish()

    def driver(self, arguments: dict[str, Any]) -> Driver:
        """Dialed's tuner of this search. Puts into `arguments` for how many epochs it trains."""
        from dialed.keras_tuner.engine.callbacks import copied
        from dialed.study import Tuner as Driver

        copied(arguments.get("callbacks") or [])
        arguments["epochs"] = getattr(self.oracle, "max_epochs", None) or arguments.get("epochs", 1)
        self._name = f"{self.oracle.objective.name}-{arguments['epochs']}x{self.tuner.executions_per_trial}"
        return Driver(
            self.build,
            Objective(name=self.oracle.objective.name, direction=_direction(self.oracle.objective.direction)),
            strategy=self.asking,
            repeats=self.tuner.executions_per_trial,
            confirm=self.tuner.confirm,
            engine=self.tuner.engine,
            workers=0 if self.tuner.role == "chief" else 1,
            seed=abs(self.oracle.seed),
            name=self._name,
            store=str(self._database),
            max_consecutive_failures=2**31,
            verbose=0,
        )

    def _end(self, trial: Trial, trained: Trained) -> None:
        trial.hyperparameters.values |= trained.values
        if self.tuner.role == "chief":
            self._take_in(trial)
        if trained.state is State.FAILED:
            refused = trained.cause is Cause.TOO_LARGE or self._refuses(trained.message)
            trial.status = TrialStatus.FAILED if refused else TrialStatus.INVALID
            trial.message = f"{trained.cause}: {trained.message}"
        else:
            metrics, step = self._measured(trained)
            self.oracle.update_trial(trial.trial_id, metrics, step=step)
            trial.status = TrialStatus.COMPLETED
        self.tuner.on_trial_end(trial)

    def _refuses(self, message: str) -> bool:
        """Whether a trial that failed asked not to be tried again, here or in a worker."""
        return self.build.refuses(message) or message.startswith(f"{FailedTrialError.__name__}: ")

    def _take_in(self, trial: Trial) -> None:
        """Find what a worker's build asked for that is not in the oracle's space: by building, here."""
        if all(name in self.oracle.hyperparameters._hps for name in trial.hyperparameters.values):
            return
        hp = trial.hyperparameters.copy()
        self.tuner.hypermodel.build(hp)
        self.oracle.update_space(hp)

    def _measured(self, trained: Trained) -> tuple[dict[str, float], int]:
        """The metrics of the members' best epochs and the number of that epoch, averaged over the members."""
        reports = [r for r in self.study.history(trained.number) if r.key in {m.key for m in _searched(trained)}]
        best = [_best(reports, member.key, self.oracle.objective) for member in _searched(trained)]
        return results.average([r.metrics for r in best]), int(np.mean([r.epoch - 1 for r in best]))

    def _finish(self) -> None:
        """Keep the weights of the best trial as KerasTuner does, and say what a confirmation found."""
        from dialed.keras_tuner.engine.callbacks import save_weights

        if self.tuner.confirm and self.study.confirmation is not None:
            winner = self.study.confirmation.winner
            self.oracle.winner = next((i for i, n in self._numbers.items() if n == winner), None)
            print(self.study.summary())
        best = self.oracle.get_best_trials(1)
        if best and best[0].status == TrialStatus.COMPLETED and best[0].trial_id in self._numbers:
            model = self.model_of(best[0])
            save_weights(model, self.tuner._get_checkpoint_fname(best[0].trial_id))
            save_json(self._shapes, model.get_build_config())
            save_json(self.tuner._get_build_config_fname(best[0].trial_id), model.get_build_config())
        self.tuner.save()

    @property
    def _shapes(self) -> Path:
        return Path(self.tuner.project_dir, "build_config.json")

    def model_of(self, trial: Trial) -> Any:
        """The model of a trial with the weights of its best epoch."""
        self._name = next(name for name, numbers in self.oracle.members.items() if trial.trial_id in numbers)
        trained = self.study.record.trial(self._numbers[trial.trial_id])
        if self._driver is not None:
            return self._driver.results.model(trained)
        return self._model_of_earlier(trained)

    def _model_of_earlier(self, trained: Trained) -> Any:
        """The same in a session that has not searched."""
        from dialed.engine.export import load_model
        from dialed.engine.recipe import Recipe
        from dialed.store import Checkpoints, open_catalog

        store = open_catalog(str(self._database)).open(self._name)
        member = min(_searched(trained), key=lambda m: (m.best is None, m.key))
        arrays, _ = Checkpoints(store.artifacts).load(member.best)
        return load_model(Recipe(self._built), trained.values, member.key.seed, arrays)

    def _built(self, asked: Any) -> Any:
        model = self.build(asked)
        if not model.built:
            model.build_from_config(load_json(self._shapes))
        return model


def _searched(trained: Trained) -> list[Any]:
    return [member for member in trained.members if member.purpose == "search"]


def _best(reports: Sequence[Report], key: Any, objective: Any) -> Report:
    own = [report for report in reports if report.key == key and objective.name in report.metrics]
    return own[results.best_epoch_of([report.metrics for report in own], objective)]


def _direction(direction: str) -> Any:
    return direction
