"""Random search."""

from __future__ import annotations

from typing import Any

from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.oracle import Oracle
from dialed.keras_tuner.engine.trial import TrialStatus
from dialed.keras_tuner.engine.tuner import Tuner

__all__ = ["RandomSearch", "RandomSearchOracle"]


class RandomSearchOracle(Oracle):
    """Draws values at random, none twice. Takes what `Oracle` takes; `max_trials` defaults to 10."""

    plans = True
    """What it chooses does not depend on results."""

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
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

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values at random; "STOPPED" once all were tried."""
        values = self._random_values()
        return {"status": TrialStatus.STOPPED if values is None else TrialStatus.RUNNING, "values": values}


class RandomSearch(Tuner):
    """Tunes a Keras model by random search.

    Args:
        hypermodel: A `HyperModel` or a build function.
        objective: A metric's name, an `Objective`, or a list of them.
        max_trials: The most trials. Defaults to 10.
        seed: Makes the choice repeatable. Defaults to a fresh one.

    The other arguments mean what they mean in `Oracle` and `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = 10,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        self.seed = seed
        oracle = RandomSearchOracle(
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
