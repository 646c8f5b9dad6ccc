"""What a worker has in the place of the oracle, which only the chief may ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dialed.keras_tuner.engine.oracle import Oracle
from dialed.keras_tuner.engine.trial import Trial

__all__ = ["OracleClient"]


class OracleClient:
    """Notes what a worker would tell the oracle, for the chief to read; all else is asked of the worker's own copy.

    Nothing of it writes into the project's folder, so an oracle that keeps files has one writer, the chief.

    Args:
        oracle: The worker's own copy.

    Attributes:
        told: What the trial that runs has measured, with the steps.
    """

    def __init__(self, oracle: Oracle) -> None:
        self.__dict__["_oracle"] = oracle
        self.__dict__["told"] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._oracle, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._oracle, name, value)

    def begin(self, trial: Trial) -> None:
        """Take up a trial that the chief has made."""
        self.told.clear()
        self._oracle.trials[trial.trial_id] = trial

    def update_trial(self, trial_id: str, metrics: Mapping[str, Any], step: int = 0) -> Trial:
        """Note what a trial measured at a step.

        Raises:
            ValueError: The objective is not among `metrics`.
        """
        trial: Trial = self._oracle.trials[trial_id]
        self._oracle._check_objective_found(metrics)
        for name, value in metrics.items():
            if not trial.metrics.exists(name):
                trial.metrics.register(name, direction=self._oracle._direction_of(name))
            trial.metrics.update(name, value, step=step)
        self.told.append([{name: float(value) for name, value in metrics.items()}, step])
        return trial

    def create_trial(self, tuner_id: str) -> Trial:
        """Refused: the chief makes trials."""
        raise RuntimeError(
            f"`create_trial` must be called by the chief alone. Got a call from {tuner_id!r}. `Tuner.search` gives a worker "
            "its trials."
        )

    def end_trial(self, trial: Trial) -> None:
        """Nothing: the chief ends the trial when it has read how it went."""

    def save(self, fname: Any = None) -> str:
        """Nothing: the chief writes the oracle's state."""
        return ""
