"""`Oracle`: chooses the values of the trials, and keeps what became of them."""

from __future__ import annotations

import functools
import hashlib
import math
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from dialed.keras_tuner.engine import oracle_state
from dialed.keras_tuner.engine.display import Display
from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.objective import MultiObjective, Objective, create_objective
from dialed.keras_tuner.engine.stateful import Stateful
from dialed.keras_tuner.engine.trial import Trial, TrialStatus

__all__ = ["Objective", "Oracle", "synchronized"]

_Method = TypeVar("_Method", bound=Callable[..., Any])

_LOCKS: WeakKeyDictionary[Any, threading.RLock] = WeakKeyDictionary()  # type: ignore[type-arg, unused-ignore]
_MAX_COLLISIONS = 20
"""So many random draws that were all tried before mean that nothing is left to try."""


def synchronized(func: _Method) -> _Method:
    """Let one thread at a time call the decorated methods of an oracle. They may call each other."""

    @functools.wraps(func)
    def alone(self: Any, *args: Any, **kwargs: Any) -> Any:
        if func.__name__ == "end_trial":
            args, kwargs = _trial_of_old_call(self, args, kwargs)
        with _LOCKS.setdefault(self, threading.RLock()):
            return func(self, *args, **kwargs)

    return alone  # type: ignore[return-value]


def _trial_of_old_call(oracle: Oracle, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """`end_trial(trial_id, status)`, as it was called once, with a `Trial` instead."""
    trial_id = kwargs.get("trial_id", args[0] if args else None)
    if not isinstance(trial_id, str):
        return args, kwargs
    status = kwargs.get("status", args[1] if len(args) > 1 else TrialStatus.COMPLETED)
    return (Trial(oracle.trials[trial_id].hyperparameters, trial_id, status),), {}


class Oracle(Stateful):
    """Chooses the values of the trials. Subclass it and write `populate_space`.

    Args:
        objective: A metric's name, an `Objective`, a list of them, or `None` for the number that is returned.
        max_trials: The most trials. Defaults to no limit.
        hyperparameters: A space that goes before what is asked for. Defaults to none.
        allow_new_entries: Whether more than that may be asked for. Defaults to True.
        tune_new_entries: Whether that is tuned; its default is used where not. Defaults to True.
        seed: Makes the choice repeatable; 0 is a seed like any other. Defaults to a fresh one.
        max_retries_per_trial: How often a trial that crashed is tried again. Defaults to 0.
        max_consecutive_failed_trials: So many failed trials in a row end the search. Defaults to 3.

    Raises:
        ValueError: `hyperparameters` are missing where nothing else may be tuned.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        hyperparameters: HyperParameters | None = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        seed: int | None = None,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
    ) -> None:
        self.objective = create_objective(objective)
        self.max_trials = max_trials
        _check_space_given(hyperparameters, tune_new_entries=tune_new_entries, allow_new_entries=allow_new_entries)
        self.hyperparameters = hyperparameters or HyperParameters()
        self.allow_new_entries = allow_new_entries
        self.tune_new_entries = tune_new_entries
        self.trials: dict[str, Trial] = {}
        self.ongoing_trials: dict[str, Trial] = {}
        self.start_order: list[str] = []
        self.end_order: list[str] = []
        self._run_times: dict[str, int] = {}
        self._retry_queue: list[str] = []
        self.tuner_ids: set[str] = set()
        self.seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        self._seed_state = 0
        self._tried_so_far: set[str] = set()
        self._id_to_hash: dict[str, str] = {}
        self.directory: Any = None
        self.project_name: str | None = None
        self.multi_worker = False
        self.should_report = True
        self.max_retries_per_trial = max_retries_per_trial
        self.max_consecutive_failed_trials = max_consecutive_failed_trials
        self.members: dict[str, dict[str, int]] = {}
        self.known_since: dict[str, int] = {}
        self.winner: str | None = None
        self._display = Display(oracle=self)

    @property
    def verbose(self) -> int:
        """Whether the course of the search is printed."""
        return self._display.verbose

    @verbose.setter
    def verbose(self, value: Any) -> None:
        self._display.verbose = 1 if value == "auto" else int(value)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Choose the values of the trial `trial_id`. Must be written by the subclass.

        Returns:
            A dict: `{"status": "RUNNING", "values": {...}}`, `{"status": "IDLE"}` to wait for a running trial, or
            `{"status": "STOPPED"}` when nothing is left to try.
        """
        raise NotImplementedError(f"`{type(self).__name__}.populate_space(trial_id)` must be written by the subclass.")

    def _populate_space(self, trial_id: str) -> dict[str, Any]:
        warnings.warn("`_populate_space` is now `populate_space`.", DeprecationWarning, stacklevel=2)
        return self.populate_space(trial_id)

    def score_trial(self, trial: Trial) -> None:
        """Give a completed trial its `score` and `best_step`: those of the best value of the objective."""
        trial.score = trial.metrics.get_best_value(self.objective.name)
        trial.best_step = trial.metrics.get_best_step(self.objective.name)

    def _score_trial(self, trial: Trial) -> None:
        warnings.warn("`_score_trial` is now `score_trial`.", DeprecationWarning, stacklevel=2)
        self.score_trial(trial)

    @synchronized
    def create_trial(self, tuner_id: str) -> Trial:
        """The next trial for the worker `tuner_id`; the same one again until it has ended.

        Returns:
            A trial whose `status` is "RUNNING", or one without values whose status says that there is none.
        """
        if tuner_id in self.ongoing_trials:
            return self.ongoing_trials[tuner_id]
        self.tuner_ids.add(tuner_id)
        trial = self._again() if self._retry_queue else self._new()
        if trial.status == TrialStatus.RUNNING:
            self.ongoing_trials[tuner_id] = trial
            self._save_trial(trial)
            self.save()
            self._display.on_trial_begin(trial)
        elif trial.status == TrialStatus.STOPPED:
            self.tuner_ids.discard(tuner_id)
        return trial

    def _again(self) -> Trial:
        trial = self.trials[self._retry_queue.pop()]
        trial.status, trial.message = TrialStatus.RUNNING, None
        return trial

    def _new(self) -> Trial:
        trial_id = f"{len(self.trials):0{len(str(self.max_trials))}d}"
        response: Mapping[str, Any] = {"status": TrialStatus.STOPPED}
        if not self.max_trials or len(self.trials) < self.max_trials:
            response = self.populate_space(trial_id)
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = dict(response.get("values") or {})
        trial = Trial(hyperparameters, trial_id, response["status"])
        if trial.status == TrialStatus.RUNNING:
            self._record_values(trial)
            self.trials[trial_id] = trial
            self.start_order.append(trial_id)
        return trial

    @synchronized
    def update_trial(self, trial_id: str, metrics: Mapping[str, Any], step: int = 0) -> Trial:
        """Record what a trial measured at a step.

        Raises:
            ValueError: The objective is not among `metrics`.
        """
        trial = self.trials[trial_id]
        self._check_objective_found(metrics)
        for name, value in metrics.items():
            if not trial.metrics.exists(name):
                trial.metrics.register(name, direction=self._direction_of(name))
            trial.metrics.update(name, value, step=step)
        self._save_trial(trial)
        return trial

    @synchronized
    def end_trial(self, trial: Trial) -> None:
        """Take note that a trial has ended: give it a score, or send it to be tried again.

        Args:
            trial: Its `status` is "COMPLETED", "INVALID" or "FAILED".

        Raises:
            RuntimeError: Too many trials in a row have failed.
        """
        known = self.trials[trial.trial_id]
        known.hyperparameters, known.status, known.message = trial.hyperparameters, trial.status, trial.message
        trial = known
        self.update_space(trial.hyperparameters)
        if trial.status == TrialStatus.COMPLETED:
            self.score_trial(trial)
            if trial.score is None or math.isnan(trial.score):
                trial.status, trial.message = TrialStatus.INVALID, trial.message or "The objective is not a number."
        self._record_values(trial)
        self._run_times[trial.trial_id] = self._run_times.get(trial.trial_id, 0) + 1
        again = self._retry(trial)
        if not again:
            self.end_order.append(trial.trial_id)
        self.ongoing_trials = {n: t for n, t in self.ongoing_trials.items() if t.trial_id != trial.trial_id}
        self._save_trial(trial)
        self.save()
        self._display.on_trial_end(trial)
        if not again:
            self._check_consecutive_failures()

    def _retry(self, trial: Trial) -> bool:
        """Whether a trial goes back to be tried again."""
        if trial.status != TrialStatus.INVALID:
            return False
        left = self.max_retries_per_trial + 1 - self._run_times[trial.trial_id]
        if left <= 0:
            trial.status = TrialStatus.FAILED
            return False
        print(f"Trial {trial.trial_id} failed {self._run_times[trial.trial_id]} times. {left} retries left.")
        self._retry_queue.append(trial.trial_id)
        return True

    def _check_consecutive_failures(self) -> None:
        limit = self.max_consecutive_failed_trials
        last = [self.trials[trial_id] for trial_id in self.end_order[-limit:]]
        if len(last) == limit and all(trial.status == TrialStatus.FAILED for trial in last):
            raise RuntimeError(
                f"Number of consecutive failures exceeded the limit of {limit}, so something other than the values "
                f"must be wrong. The last one:\n{last[-1].message or ''}"
            )

    def get_space(self) -> HyperParameters:
        """The space, in an object of its own."""
        return self.hyperparameters.copy()

    def update_space(self, hyperparameters: HyperParameters) -> None:
        """Take in what was asked for and is not in the space yet.

        Raises:
            RuntimeError: Nothing may be added.
        """
        new = [hp for hp in hyperparameters.space if not self.hyperparameters._exists(hp.name, hp.conditions)]
        if new and not self.allow_new_entries:
            raise RuntimeError(
                f"`hyperparameters` must hold all that is asked for, since `allow_new_entries` is `False`. Got {new}."
            )
        if self.tune_new_entries:
            self.hyperparameters.merge(new)

    def get_trial(self, trial_id: str) -> Trial:
        """The trial of that name."""
        return self.trials[trial_id]

    def get_best_trials(self, num_trials: int = 1) -> list[Trial]:
        """The best trials, the best first; where there are too few completed ones, the others follow."""
        done = [t for t in self.trials.values() if t.status == TrialStatus.COMPLETED and t.score is not None]
        done.sort(key=lambda t: t.score or 0.0, reverse=self.objective.direction == "max")
        done.sort(key=lambda t: t.trial_id != self.winner)  # a confirmation goes before the luckiest number
        others = [t for t in self.trials.values() if t not in done] if len(done) < num_trials else []
        return [*done, *others][:num_trials]

    def remaining_trials(self) -> int | None:
        """How many trials are left; `None` without a limit."""
        return self.max_trials - len(self.trials) if self.max_trials else None

    def get_state(self) -> dict[str, Any]:
        """All but the trials, which have files of their own."""
        return oracle_state.state_of(self)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `get_state` gave."""
        oracle_state.take_up(self, state)

    def save(self, fname: Any = None) -> str:
        """Write oracle.json."""
        return super().save(self._get_oracle_fname() if fname is None else fname)

    def reload(self, fname: Any = None) -> None:
        """Read the project's folder."""
        oracle_state.reload(self, Path(self._project_dir))

    def _set_project_dir(self, directory: Any, project_name: str) -> None:
        self.directory, self.project_name = directory, project_name

    @property
    def _project_dir(self) -> str:
        folder = Path(str(self.directory or "."), self.project_name or "untitled_project")
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def _get_oracle_fname(self) -> str:
        return str(Path(self._project_dir, "oracle.json"))

    def _save_trial(self, trial: Trial) -> None:
        trial.save(Path(self._project_dir, f"trial_{trial.trial_id}", "trial.json"))

    def _check_objective_found(self, metrics: Mapping[str, Any]) -> None:
        several = isinstance(self.objective, MultiObjective)
        wanted = list(self.objective.name_to_direction) if several else [self.objective.name]  # type: ignore[attr-defined]
        missing = [name for name in wanted if name not in metrics]
        if missing:
            raise ValueError(f"Objective value missing in metrics: `metrics` must hold {missing}. Got {list(metrics)}.")

    def _direction_of(self, name: str) -> str | None:
        objectives = getattr(self.objective, "objectives", [self.objective])
        return next((objective.direction for objective in objectives if objective.name == name), None)

    def _random_values(self) -> dict[str, Any] | None:
        """Values at random that were not tried yet; `None` where there seem to be none."""
        for _ in range(_MAX_COLLISIONS + 1):
            hps = HyperParameters()
            for hp in self.hyperparameters.space:
                drawn = hp.name in hps.values  # a name may stand in several scopes
                hps.merge([hp], overwrite=False)
                if hps.is_active(hp) and not drawn:
                    hps.values[hp.name] = hp.random_sample([self.seed, self._seed_state])
                self._seed_state += 1
            if not self._duplicate(hps.values):
                return hps.values
        return None

    def _duplicate(self, values: Mapping[str, Any]) -> bool:
        """Whether the values were tried before."""
        return self._compute_values_hash(values) in self._tried_so_far

    def _compute_values_hash(self, values: Mapping[str, Any]) -> str:
        text = "".join(f"{name}={values[name]}" for name in sorted(values))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _record_values(self, trial: Trial) -> None:
        """Remember the values of a trial as tried, in the place of those it was begun with."""
        trial.hyperparameters.ensure_active_values()
        new, old = self._compute_values_hash(trial.hyperparameters.values), self._id_to_hash.get(trial.trial_id)
        if old != new:
            self._tried_so_far.discard(old or "")
        self._id_to_hash[trial.trial_id] = new
        self._tried_so_far.add(new)


def _check_space_given(
    hyperparameters: HyperParameters | None, *, tune_new_entries: bool, allow_new_entries: bool
) -> None:
    for name, value in (("tune_new_entries", tune_new_entries), ("allow_new_entries", allow_new_entries)):
        if not value and not hyperparameters:
            raise ValueError(
                f"If you set `{name}=False`, you must specify the search space: pass `hyperparameters`. Got None."
            )
