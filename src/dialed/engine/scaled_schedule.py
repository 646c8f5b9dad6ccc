"""A schedule of the learning rate times a number."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["ScaledSchedule"]


@keras.saving.register_keras_serializable(package="dialed")
class ScaledSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Any schedule, Keras's or Dialed's, with all its rates multiplied.

    Args:
        schedule: What to follow.
        factor: What to multiply by.
    """

    def __init__(self, schedule: Any, factor: float) -> None:
        super().__init__()
        self.schedule = schedule
        self.factor = float(factor)

    def follow(self, steps: int) -> None:
        """Say how many steps the whole training has, to a schedule that asks for it."""
        if hasattr(self.schedule, "follow"):
            self.schedule.follow(steps)

    def __call__(self, step: Any) -> Any:
        return self.schedule(step) * self.factor

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"schedule": keras.optimizers.schedules.serialize(self.schedule), "factor": self.factor}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ScaledSchedule:
        """What `get_config` wrote down."""
        return cls(keras.optimizers.schedules.deserialize(config["schedule"]), config["factor"])
