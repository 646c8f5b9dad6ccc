"""Hyperband."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.oracle import Oracle
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.engine.tuner import Tuner
from dialed.keras_tuner.engine.view import clean

__all__ = ["Hyperband", "HyperbandOracle"]

_Answer = dict[str, Any]


class HyperbandOracle(Oracle):
    """Trains many trials for few epochs, and goes on with the best; in several brackets, from many trials to few.

    A trial that goes on gets a name of its own; its values say under "tuner/trial_id" which one it continues, and under
    "tuner/epochs" and "tuner/initial_epoch" from where to where.

    Args:
        max_epochs: Epochs of a full training. Defaults to 100.
        factor: One in so many goes on, for so many times the epochs. Defaults to 3.
        hyperband_iterations: How often all brackets are run; `None` is without end. Defaults to 1.

    The other arguments mean what they mean in `Oracle`.

    Raises:
        ValueError: `factor` is below 2.

    References:
        Li et al. 2018, "Hyperband: a novel bandit-based approach to hyperparameter optimization".
    """

    def __init__(
        self,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: float | None = 1,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
    ) -> None:
        super().__init__(
            objective=objective,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        if factor < 2:
            raise ValueError(f"`factor` needs to be a number larger than 1. Got {factor}.")
        self.hyperband_iterations = hyperband_iterations or math.inf
        self.max_epochs = max_epochs
        self.min_epochs = 1
        self.factor = factor
        self._current_iteration = 0
        self._current_bracket = self._get_num_brackets() - 1
        self._brackets: list[dict[str, Any]] = []
        self._start_new_bracket()

    def populate_space(self, trial_id: str) -> _Answer:
        """A trial to go on with, or a new one, in the first bracket that has room for it."""
        self._brackets = [bracket for bracket in self._brackets if self._is_incomplete(bracket)]
        for bracket in self._brackets:
            answer = self._begun(trial_id, bracket) or self._promoted(trial_id, bracket)
            if answer:
                return answer
        while self._current_bracket > 0 or self._current_iteration + 1 < self.hyperband_iterations:
            if self._exhausted():
                break
            self._increment_bracket_num()
            self._start_new_bracket()
            answer = self._begun(trial_id, self._brackets[-1])
            if answer:
                return answer
        return {"status": TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED}

    def _exhausted(self) -> bool:
        """Whether the last bracket found no values that were not tried: nor would the next one."""
        return bool(self._brackets) and self._brackets[-1].get("exhausted", False)

    def _begun(self, trial_id: str, bracket: dict[str, Any]) -> _Answer | None:
        """A new trial in the bracket's first round, where there is room and something left to try."""
        first = bracket["rounds"][0]
        if len(first) >= self._room(bracket, 0):
            return None
        values = self._random_values()
        if values is None:
            bracket["exhausted"] = True
            return None
        first.append({"past_id": None, "id": trial_id})
        return self._answer(values, bracket, 0)

    def _promoted(self, trial_id: str, bracket: dict[str, Any]) -> _Answer | None:
        """The best trial of a round, once all that could be better have ended and the next round has room for it."""
        rounds = bracket["rounds"]
        for number in range(1, len(rounds)):
            past, size = self._room(bracket, number - 1), self._room(bracket, number)
            taken = {entry["past_id"] for entry in rounds[number]}
            ended = [self.trials[e["id"]] for e in rounds[number - 1] if e["id"] not in taken and self._over(e["id"])]
            done = [trial for trial in ended if trial.status == TrialStatus.COMPLETED]
            if len(rounds[number]) < size and len(ended) > past - size and done:
                best = self._best_of(done)
                rounds[number].append({"past_id": best.trial_id, "id": trial_id})
                values = {**clean(best.hyperparameters.values), "tuner/trial_id": best.trial_id}
                return self._answer(values, bracket, number)
        return None

    def _over(self, trial_id: str) -> bool:
        return trial_id in self.trials and self.trials[trial_id].status in (TrialStatus.COMPLETED, TrialStatus.FAILED)

    def _best_of(self, trials: list[Trial]) -> Trial:
        sign = -1.0 if self.objective.direction == "max" else 1.0
        return min(trials, key=lambda trial: sign * (trial.score or 0.0))

    def _answer(self, values: Mapping[str, Any], bracket: Mapping[str, Any], number: int) -> _Answer:
        own = {
            "tuner/epochs": self._get_epochs(bracket["bracket_num"], number),
            "tuner/initial_epoch": self._get_epochs(bracket["bracket_num"], number - 1) if number else 0,
            "tuner/bracket": bracket["bracket_num"],
            "tuner/round": number,
        }
        return {"status": TrialStatus.RUNNING, "values": {**values, **own}}

    def _start_new_bracket(self) -> None:
        rounds: list[list[Any]] = [[] for _ in range(self._get_num_rounds(self._current_bracket))]
        self._brackets.append({"bracket_num": self._current_bracket, "rounds": rounds})

    def _increment_bracket_num(self) -> None:
        self._current_bracket -= 1
        if self._current_bracket < 0:
            self._current_bracket = self._get_num_brackets() - 1
            self._current_iteration += 1

    def _is_incomplete(self, bracket: Mapping[str, Any]) -> bool:
        last = len(bracket["rounds"]) - 1
        return len(bracket["rounds"][last]) < self._room(bracket, last)

    def _room(self, bracket: Mapping[str, Any], number: int) -> int:
        """Trials of a round; fewer where the space had too few for the first."""
        if not bracket.get("exhausted"):
            return self._get_size(bracket["bracket_num"], number)
        begun = len(bracket["rounds"][0])
        return max(int(begun / self.factor**number), min(begun, 1))

    def _get_size(self, bracket_num: int, round_num: int) -> int:
        """Trials of a round: each bracket costs about the same."""
        last = math.ceil(1 + math.log(self.max_epochs, self.factor)) / (bracket_num + 1)
        return math.ceil(last * float(self.factor) ** (bracket_num - round_num))

    def _get_epochs(self, bracket_num: int, round_num: int) -> int:
        """Epochs that the trials of a round have at its end."""
        return math.ceil(self.max_epochs / float(self.factor) ** (bracket_num - round_num))

    def _get_num_rounds(self, bracket_num: int) -> int:
        return bracket_num + 1

    def _get_num_brackets(self) -> int:
        """So many times the epochs can be divided until less than `min_epochs` are left."""
        epochs, brackets = float(self.max_epochs), 0
        while epochs >= self.min_epochs:
            epochs /= self.factor
            brackets += 1
        return brackets

    def _compute_values_hash(self, values: Mapping[str, Any]) -> str:
        return super()._compute_values_hash(clean(values))

    def get_state(self) -> dict[str, Any]:
        """The oracle's state and that of its brackets."""
        names = ("hyperband_iterations", "max_epochs", "min_epochs", "factor")
        inner = ("brackets", "current_bracket", "current_iteration")
        state = {name: getattr(self, name) for name in names} | {name: getattr(self, f"_{name}") for name in inner}
        return super().get_state() | state

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `get_state` gave."""
        super().set_state(state)
        for name in ("hyperband_iterations", "max_epochs", "min_epochs", "factor"):
            setattr(self, name, state[name])
        self._brackets = state["brackets"]
        for bracket in self._brackets if self.trials else ():  # a kill may come between an entry and its trial
            bracket["rounds"] = [[e for e in entries if e["id"] in self.trials] for entries in bracket["rounds"]]
        self._current_bracket, self._current_iteration = state["current_bracket"], state["current_iteration"]


class Hyperband(Tuner):
    """Tunes a Keras model by Hyperband: a trial that goes on goes on exactly, optimizer state and all.

    Args:
        hypermodel: A `HyperModel` or a build function.
        objective: A metric's name, an `Objective`, or a list of them.
        max_epochs: Epochs of a full training. Defaults to 100.
        factor: One in so many goes on, for so many times the epochs. Defaults to 3.
        hyperband_iterations: How often all brackets are run. Defaults to 1.
        seed: Makes the choice repeatable. Defaults to a fresh one.

    The other arguments mean what they mean in `Oracle` and `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: float | None = 1,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = HyperbandOracle(
            objective,
            max_epochs=max_epochs,
            factor=factor,
            hyperband_iterations=hyperband_iterations,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle=oracle, hypermodel=hypermodel, **kwargs)

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> Any:
        """Train from where the trial before it stopped, for as many epochs as its round has."""
        from dialed.keras_tuner.engine.continuing import Continuing

        values = trial.hyperparameters.values
        if "tuner/epochs" in values:
            kwargs |= {"epochs": values["tuner/epochs"], "initial_epoch": values["tuner/initial_epoch"]}
            before = values.get("tuner/trial_id")
            state = Continuing(self.get_trial_dir(trial.trial_id), before and self.get_trial_dir(before))
            kwargs["callbacks"] = [*(kwargs.get("callbacks") or []), state]
        return super().run_trial(trial, *args, **kwargs)
