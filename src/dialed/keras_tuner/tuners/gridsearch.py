"""Grid search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from dialed.keras_tuner.engine.hyperparameters import HyperParameter, HyperParameters
from dialed.keras_tuner.engine.oracle import Oracle
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.engine.tuner import Tuner

__all__ = ["GridSearch", "GridSearchOracle"]


class GridSearchOracle(Oracle):
    """Tries every combination, the defaults first; of ranges without steps ten values.

    What is left follows from what was tried, so it goes on after a reload, and takes in what later trials ask for. What a
    trial did not ask for does not matter to it: no other values of that are tried beside its own. Takes what `Oracle`
    takes.
    """

    plans = True
    """What it chooses does not depend on results."""

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
    ) -> None:
        super().__init__(
            objective=objective,
            max_trials=max_trials,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        self._left: Iterator[dict[str, Any]] = iter(())
        self._waiting: list[dict[str, Any]] = []
        self._space_size = -1

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The next combination; "STOPPED" once all were tried, and "IDLE" while a running trial may ask for more."""
        space = self.hyperparameters.space
        if len(space) != self._space_size:
            self._left, self._space_size, self._waiting = combinations(list(space)), len(space), []
        waiting, self._waiting = iter(self._waiting), []
        for values in chain(waiting, self._left):
            if self._duplicate(values) or self._is_answered(values):
                continue
            if not self._may_be_answered(values):
                self._waiting.extend(waiting)
                return {"status": TrialStatus.RUNNING, "values": values}
            self._waiting.append(values)
        return {"status": TrialStatus.IDLE if self.ongoing_trials else TrialStatus.STOPPED, "values": None}

    def _is_answered(self, values: Mapping[str, Any]) -> bool:
        """Whether a trial ended with some of these values, and did not ask for the others."""
        done = (trial for trial in self.trials.values() if trial.status == TrialStatus.COMPLETED)
        return any(self._is_part(trial, values) for trial in done)

    def _may_be_answered(self, values: Mapping[str, Any]) -> bool:
        """Whether a running trial may end so."""
        return any(self._is_part(trial, values) for trial in self.ongoing_trials.values())

    def _is_part(self, trial: Trial, values: Mapping[str, Any]) -> bool:
        held = trial.hyperparameters.values
        if len(held) >= len(values) or not held.items() <= values.items():
            return False
        number = self.start_order.index(trial.trial_id)
        return all(self.known_since.get(name, 0) <= number for name in values.keys() - held.keys())


def combinations(
    space: Sequence[HyperParameter], chosen: Mapping[str, Any] | None = None, place: int = 0
) -> Iterator[dict[str, Any]]:
    """All combinations of active values: the defaults first, the last hyperparameter changing fastest."""
    chosen = chosen or {}
    if place == len(space):
        yield dict(chosen)
        return
    hp = space[place]
    active = all(condition.is_active(chosen) for condition in hp.conditions)
    if hp.name in chosen or not active:
        yield from combinations(space, chosen, place + 1)
        return
    for value in dict.fromkeys([hp.default, *hp.values]):
        yield from combinations(space, {**chosen, hp.name: value}, place + 1)


class GridSearch(Tuner):
    """Tunes a Keras model by trying every combination.

    Args:
        hypermodel: A `HyperModel` or a build function.
        objective: A metric's name, an `Objective`, or a list of them.
        max_trials: The most trials. Defaults to all.
        seed: Seeds the training. Defaults to a fresh one.

    The other arguments mean what they mean in `Oracle` and `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        self.seed = seed
        oracle = GridSearchOracle(
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, **kwargs)
