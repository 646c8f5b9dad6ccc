"""What an oracle keeps in its project's folder, and how it is read back after whatever happened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialed.errors import StoreError
from dialed.keras_tuner.engine.files import load_json
from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.errors import FatalValueError

if TYPE_CHECKING:
    from dialed.keras_tuner.engine.oracle import Oracle

__all__ = ["read_trials", "reload", "state_of", "take_up"]


def state_of(oracle: Oracle) -> dict[str, Any]:
    """All but the trials, as JSON types, under KerasTuner's keys; `objective`, `dialed` and `known_since` are ours."""
    return {
        "ongoing_trials": {tuner_id: trial.trial_id for tuner_id, trial in oracle.ongoing_trials.items()},
        "hyperparameters": oracle.hyperparameters.get_config(),
        "start_order": oracle.start_order,
        "end_order": oracle.end_order,
        "run_times": oracle._run_times,
        "retry_queue": oracle._retry_queue,
        "seed": oracle.seed,
        "seed_state": oracle._seed_state,
        "tried_so_far": sorted(oracle._tried_so_far),
        "id_to_hash": oracle._id_to_hash,
        "display": oracle._display.get_state(),
        "objective": str(oracle.objective),
        "dialed": oracle.members,
        "known_since": oracle.known_since,
    }


def take_up(oracle: Oracle, state: Mapping[str, Any]) -> None:
    """Put `oracle` into the state that `state_of` gave.

    Raises:
        FatalValueError: Its trials were scored by another objective.
    """
    before = state.get("objective", str(oracle.objective))
    if before != str(oracle.objective):
        raise FatalValueError(
            f"`objective` must stay what the project was begun with, {before}, or its scores could not be compared. "
            f"Got {oracle.objective}. Pass overwrite=True, or another `project_name`."
        )
    oracle.ongoing_trials = {n: oracle.trials[i] for n, i in state["ongoing_trials"].items() if i in oracle.trials}
    oracle.hyperparameters = HyperParameters.from_config(state["hyperparameters"])
    oracle.start_order = [i for i in state["start_order"] if i in oracle.trials or not oracle.trials]
    oracle.end_order = [i for i in state["end_order"] if i in oracle.trials or not oracle.trials]
    oracle._run_times = dict(state["run_times"])
    oracle._retry_queue = [i for i in state["retry_queue"] if i in oracle.trials or not oracle.trials]
    oracle.seed = state["seed"]
    oracle._seed_state = state["seed_state"]
    oracle._tried_so_far = set(state["tried_so_far"])
    oracle._id_to_hash = dict(state["id_to_hash"])
    oracle._display.set_state(state["display"])
    oracle.known_since = dict(state.get("known_since", {}))
    oracle.members = {name: dict(numbers) for name, numbers in state.get("dialed", {}).items()}


def reload(oracle: Oracle, folder: Path) -> None:
    """Read a project. What was running is tried again; what cannot be read is said aloud, and the rest is kept.

    Raises:
        RuntimeError: oracle.json is of another kind of oracle.
    """
    oracle.trials = read_trials(folder)
    try:
        state = load_json(folder / "oracle.json")
    except (StoreError, FileNotFoundError) as error:
        print(f"{error} The project's state is taken from its trials instead.")
        _from_trials(oracle)
    else:
        _set(oracle, state, folder)
    _tidy(oracle)


def read_trials(folder: Path) -> dict[str, Trial]:
    """The trials of a project, by name; those that cannot be read are said aloud and left out."""
    trials = {}
    for path in sorted(folder.glob("trial_*/trial.json")):
        try:
            trial = Trial.load(path)
        except (StoreError, KeyError) as error:
            print(f"{error} The trial is left out.")
            continue
        trials[trial.trial_id] = trial
    return trials


def _set(oracle: Oracle, state: Mapping[str, Any], folder: Path) -> None:
    try:
        oracle.set_state(state)
    except KeyError as error:
        raise RuntimeError(
            f"Error reloading `Oracle` from existing project in {folder}: its oracle.json has no {error}, so another "
            "kind of tuner wrote it. To begin anew, pass `overwrite=True`, or another `project_name`."
        ) from error


def _from_trials(oracle: Oracle) -> None:
    for trial_id, trial in oracle.trials.items():
        oracle.hyperparameters.merge(trial.hyperparameters, overwrite=False)
        oracle.start_order.append(trial_id)
        if trial.status in (TrialStatus.COMPLETED, TrialStatus.FAILED):
            oracle.end_order.append(trial_id)


def _tidy(oracle: Oracle) -> None:
    """Nobody trains anything yet: what was being trained, or was never noted as ended, waits again."""
    oracle.ongoing_trials = {}
    for trial_id, trial in oracle.trials.items():
        oracle._id_to_hash[trial_id] = oracle._compute_values_hash(trial.hyperparameters.values)
        if trial.status in (TrialStatus.RUNNING, TrialStatus.INVALID) and trial_id not in oracle._retry_queue:
            oracle._retry_queue.insert(0, trial_id)
    oracle._tried_so_far = set(oracle._id_to_hash.values())
