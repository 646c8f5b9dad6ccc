"""A trial: values, what was measured with them, and how it ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self
from uuid import uuid4

from dialed.keras_tuner.engine.files import load_json
from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.metrics_tracking import MetricsTracker
from dialed.keras_tuner.engine.stateful import Stateful

__all__ = ["Trial", "TrialStatus", "generate_trial_id"]


class TrialStatus:
    """Where a trial stands."""

    RUNNING = "RUNNING"  # may be trained
    IDLE = "IDLE"  # no trial: the oracle waits for another one to end
    INVALID = "INVALID"  # crashed, or measured no number; may be tried again
    STOPPED = "STOPPED"  # no trial: the oracle has nothing left to try
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"  # will not be tried again


def generate_trial_id() -> str:
    """A name that no other trial has."""
    return uuid4().hex


class Trial(Stateful):
    """One choice of values, trained once or several times.

    Args:
        hyperparameters: The values.
        trial_id: Its name. Defaults to one of its own.
        status: One of `TrialStatus`. Defaults to "RUNNING".
        message: What went wrong. Defaults to None.
    """

    def __init__(
        self,
        hyperparameters: HyperParameters,
        trial_id: str | None = None,
        status: str = TrialStatus.RUNNING,
        message: str | None = None,
    ) -> None:
        self.hyperparameters = hyperparameters
        self.trial_id = generate_trial_id() if trial_id is None else trial_id
        self.metrics = MetricsTracker()
        self.score: float | None = None
        self.best_step: int | None = 0
        self.status = status
        self.message = message

    def summary(self) -> None:
        """Print values, score and what went wrong."""
        print(f"Trial {self.trial_id} summary")
        print("Hyperparameters:")
        self.display_hyperparameters()
        if self.score is not None:
            print(f"Score: {self.score}")
        if self.message is not None:
            print(self.message)

    def display_hyperparameters(self) -> None:
        """Print the values."""
        if not self.hyperparameters.values:
            print("default configuration")
        for name, value in self.hyperparameters.values.items():
            print(f"{name}:", value)

    def get_state(self) -> dict[str, Any]:
        """All of it as JSON types."""
        return {
            "trial_id": self.trial_id,
            "hyperparameters": self.hyperparameters.get_config(),
            "metrics": self.metrics.get_config(),
            "score": self.score,
            "best_step": self.best_step,
            "status": self.status,
            "message": self.message,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `get_state` gave."""
        self.trial_id = state["trial_id"]
        self.hyperparameters = HyperParameters.from_config(state["hyperparameters"])
        self.metrics = MetricsTracker.from_config(state["metrics"])
        self.score = state["score"]
        self.best_step = state["best_step"]
        self.status = state["status"]
        self.message = state.get("message")

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The trial whose `get_state` this is."""
        trial = cls(HyperParameters())
        trial.set_state(state)
        return trial

    @classmethod
    def load(cls, fname: str | os.PathLike[str]) -> Self:
        """The trial that a file holds."""
        return cls.from_state(load_json(fname))
