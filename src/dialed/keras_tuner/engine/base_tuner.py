"""`BaseTuner`: asks an oracle for trials, runs them, and tells it what came of them."""

from __future__ import annotations

import os
import shutil
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dialed.keras_tuner.distribute import chief, worker
from dialed.keras_tuner.distribute.client import OracleClient
from dialed.keras_tuner.distribute.role import role_of
from dialed.keras_tuner.engine import discovery, results
from dialed.keras_tuner.engine.hypermodel import get_hypermodel
from dialed.keras_tuner.engine.hyperparameters import HyperParameter, HyperParameters
from dialed.keras_tuner.engine.oracle import Oracle
from dialed.keras_tuner.engine.stateful import Stateful
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.errors import FailedTrialError, FatalError, FatalRuntimeError

__all__ = ["BaseTuner"]


class BaseTuner(Stateful):
    """Tunes anything: subclass it and write `run_trial`.

    Args:
        oracle: Chooses the values.
        hypermodel: A `HyperModel` or a build function, for `run_trial` to use. Defaults to None.
        directory: The folder of projects. Defaults to the current one.
        project_name: The project's folder in it. Defaults to "untitled_project".
        overwrite: Whether a project of that name is deleted, instead of gone on with. Defaults to False.

    Raises:
        ValueError: `oracle` is none, or an argument is unknown.
    """

    def __init__(
        self,
        oracle: Oracle,
        hypermodel: Any = None,
        directory: Any = None,
        project_name: str | None = None,
        overwrite: bool = False,
        **kwargs: Any,
    ) -> None:
        if not isinstance(oracle, Oracle):
            raise ValueError(  # noqa: TRY004 - KerasTuner's kind of error
                f"Expected `oracle` argument to be an instance of `Oracle`. Got {oracle!r} ({type(oracle).__name__})."
            )
        self.logger = kwargs.pop("logger", None)
        if self.logger is not None:
            warnings.warn("`logger` is no longer supported and is ignored.", DeprecationWarning, stacklevel=2)
        if kwargs:
            raise ValueError(f"Unrecognized arguments {list(kwargs)} for `{type(self).__name__}`. Leave them out.")
        self.role = role_of(os.environ)
        self.oracle = oracle
        self._declared: list[HyperParameter] = []
        self.hypermodel: Any = get_hypermodel(hypermodel)
        self.directory = directory or "."
        self.project_name = project_name or "untitled_project"
        self.oracle._set_project_dir(self.directory, self.project_name)
        if overwrite and self.role != "worker":  # whose chief has begun anew, or will
            shutil.rmtree(Path(str(self.directory), self.project_name), ignore_errors=True)
        self.tuner_id = os.environ.get("KERASTUNER_TUNER_ID", "tuner0")
        if any(Path(file).exists() for file in (oracle._get_oracle_fname(), self._get_tuner_fname())):
            print(f"Reloading Tuner from {self._get_tuner_fname()}")
            self._reload_and_renew()
        else:
            self._populate_initial_space()
        if self.role == "worker":
            self.oracle = OracleClient(oracle)  # type: ignore[assignment]

    def _reload_and_renew(self) -> None:
        """Read the project; ranges that the code changed since then count from now on, and are said aloud."""
        given = self.oracle.hyperparameters.copy()
        self.reload()
        saved = self.oracle.hyperparameters
        if self.hypermodel is None:
            return
        self.oracle.hyperparameters = given
        self._populate_initial_space()
        for name in self.oracle.hyperparameters._hps.keys() - saved._hps.keys():  # earlier trials could not ask for it
            self.oracle.known_since[name] = len(self.oracle.start_order)
        for change in discovery.renewed(self.oracle.hyperparameters, saved):
            print(f"The search space changed: {change}. Trials so far keep counting where they fit.")

    def _populate_initial_space(self) -> None:
        """Find the space by building."""
        if self.hypermodel is None:
            return
        hp = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(hp)
        self.oracle.update_space(hp)
        self._declared = list(self.oracle.hyperparameters.space)
        self._activate_all_conditions()

    def _activate_all_conditions(self) -> None:
        discovery.discover(self.oracle, self.hypermodel.build)

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Search. What is passed here is passed on to `run_trial`.

        A chief (`KERASTUNER_TUNER_ID`) leaves that to its workers, and a worker trains until the chief's search is over.
        """
        if "verbose" in fit_kwargs:
            self.oracle.verbose = fit_kwargs["verbose"]
        if self.role == "worker":
            worker.work(self, fit_args, fit_kwargs)
            return
        if self.role == "chief":
            chief.coordinate(self)
            return
        self.on_search_begin()
        while True:
            self.pre_create_trial()
            trial = self.oracle.create_trial(self.tuner_id)
            if trial.status == TrialStatus.STOPPED:
                break
            if trial.status == TrialStatus.IDLE:
                self._check_somebody_works()
                continue
            self.on_trial_begin(trial)
            self._try_run_and_update_trial(trial, *fit_args, **fit_kwargs)
            self.on_trial_end(trial)
        self.on_search_end()

    def _check_somebody_works(self) -> None:
        """An oracle that waits while nothing runs would wait for ever."""
        if not self.oracle.ongoing_trials:
            raise FatalRuntimeError(
                f"`{type(self.oracle).__name__}.populate_space` must not answer 'IDLE' while no trial is running. Return "
                "'STOPPED' when nothing is left to try."
            )

    def _try_run_and_update_trial(self, trial: Trial, *fit_args: Any, **fit_kwargs: Any) -> None:
        try:
            self._run_and_update_trial(trial, *fit_args, **fit_kwargs)
            trial.status = TrialStatus.COMPLETED
        except FatalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a user's code raises is this trial's failure
            failed = isinstance(error, FailedTrialError)
            trial.status = TrialStatus.FAILED if failed else TrialStatus.INVALID
            trial.message = traceback.format_exc()

    def _run_and_update_trial(self, trial: Trial, *fit_args: Any, **fit_kwargs: Any) -> None:
        outcome = self.run_trial(trial, *fit_args, **fit_kwargs)
        objective = self.oracle.objective
        if self.oracle.get_trial(trial.trial_id).metrics.exists(objective.name):
            warnings.warn(
                "`run_trial` must return the metrics. It called `oracle.update_trial`. Please remove the call, and return "
                "them.",
                DeprecationWarning,
                stacklevel=2,
            )
            return
        results.check_results(outcome, objective, "Tuner.run_trial()")
        step = results.best_step_of(outcome, objective)
        self.oracle.update_trial(trial.trial_id, results.metrics_of(outcome, objective), step=step)

    def run_trial(self, trial: Trial, *fit_args: Any, **fit_kwargs: Any) -> Any:
        """Train with the values of `trial` and return what was measured. Must be written by the subclass."""
        raise NotImplementedError(f"`{type(self).__name__}.run_trial(trial, ...)` must be written by the subclass.")

    def save_model(self, trial_id: str, model: Any, step: int = 0) -> None:
        """Keep the model of a trial. Must be written by the subclass."""
        raise NotImplementedError(f"`{type(self).__name__}.save_model(...)` must be written by the subclass.")

    def load_model(self, trial: Trial) -> Any:
        """The model that was kept of a trial. Must be written by the subclass."""
        raise NotImplementedError(f"`{type(self).__name__}.load_model(trial)` must be written by the subclass.")

    def pre_create_trial(self) -> None:
        """Called before the oracle is asked for a trial."""

    def on_trial_begin(self, trial: Trial) -> None:
        """Called at the begin of a trial."""

    def on_trial_end(self, trial: Trial) -> None:
        """Called at the end of a trial: tells the oracle."""
        self.oracle.end_trial(trial)
        self.save()

    def on_search_begin(self) -> None:
        """Called at the begin of a search."""

    def on_search_end(self) -> None:
        """Called at the end of a search."""

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        """The models of the best trials, the best first; fewer where fewer trials were completed."""
        best = self.oracle.get_best_trials(num_models)
        return [self.load_model(trial) for trial in best if trial.status == TrialStatus.COMPLETED]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """The values of the best trials, the best first. `tuner.hypermodel.build` takes them."""
        return [trial.hyperparameters for trial in self.oracle.get_best_trials(num_trials)]

    def search_space_summary(self, extended: bool = False) -> None:
        """Print the space. `extended` changes nothing."""
        space = self.oracle.get_space().space
        print("Search space summary")
        print(f"Default search space size: {len(space)}")
        for hp in space:
            config = hp.get_config()
            print(f"{config.pop('name')} ({type(hp).__name__})")
            print(config)

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials with their values and scores."""
        print("Results summary")
        print(f"Results in {self.project_dir}")
        print(f"Showing {num_trials} best trials")
        print(f"{self.oracle.objective}")
        for trial in self.oracle.get_best_trials(num_trials):
            print()
            trial.summary()

    @property
    def remaining_trials(self) -> int | None:
        """How many trials are left; `None` without a limit."""
        return self.oracle.remaining_trials()

    def get_state(self) -> dict[str, Any]:
        """Nothing: the oracle keeps all."""
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Nothing: the oracle keeps all."""

    def save(self, fname: Any = None) -> str:
        """Write the oracle's state and the tuner's."""
        self.oracle.save()
        return super().save(self._get_tuner_fname() if fname is None else fname)

    def reload(self, fname: Any = None) -> None:
        """Read the project's folder."""
        self.oracle.reload()
        if Path(self._get_tuner_fname()).exists():
            super().reload(self._get_tuner_fname())

    @property
    def project_dir(self) -> str:
        """The project's folder."""
        return self.oracle._project_dir

    def get_trial_dir(self, trial_id: str) -> str:
        """The folder of a trial, made if it is not there."""
        folder = Path(self.project_dir, f"trial_{trial_id}")
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def _get_tuner_fname(self) -> str:
        return str(Path(str(self.directory), self.project_name, f"{self.tuner_id}.json"))
