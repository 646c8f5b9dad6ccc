"""What a search improves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialed.keras_tuner.engine.metrics_tracking import infer_metric_direction

__all__ = ["DefaultObjective", "MultiObjective", "Objective", "create_objective"]


class Objective:
    """A metric, and which way is better.

    Args:
        name: The metric's name in the logs, such as "val_accuracy".
        direction: "min" or "max".
    """

    def __init__(self, name: str, direction: str) -> None:
        self.name = name
        self.direction = direction

    def has_value(self, logs: Mapping[str, Any]) -> bool:
        """Whether `logs` hold what it needs."""
        return self.name in logs

    def get_value(self, logs: Mapping[str, Any]) -> Any:
        """Its value in `logs`."""
        return logs[self.name]

    def better_than(self, a: float, b: float) -> bool:
        """Whether `a` is strictly better than `b`."""
        return a > b if self.direction == "max" else a < b

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Objective) and (self.name, self.direction) == (other.name, other.direction)

    def __hash__(self) -> int:
        return hash((self.name, self.direction))

    def __str__(self) -> str:
        return f'Objective(name="{self.name}", direction="{self.direction}")'


class DefaultObjective(Objective):
    """The number that `run_trial` or `HyperModel.fit` returns, the less the better."""

    def __init__(self) -> None:
        super().__init__(name="default_objective", direction="min")


class MultiObjective(Objective):
    """The sum of several objectives to minimise, less the sum of those to maximise.

    Args:
        objectives: The objectives.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        super().__init__(name="multi_objective", direction="min")
        self.objectives = list(objectives)
        self.name_to_direction = {objective.name: objective.direction for objective in objectives}

    def has_value(self, logs: Mapping[str, Any]) -> bool:
        """Whether `logs` hold what it needs."""
        return all(name in logs for name in self.name_to_direction)

    def get_value(self, logs: Mapping[str, Any]) -> Any:
        """Its value in `logs`."""
        known = {name: logs[name] for name in self.name_to_direction if name in logs}
        return sum(value if self.name_to_direction[name] == "min" else -value for name, value in known.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiObjective) and self.name_to_direction == other.name_to_direction

    def __hash__(self) -> int:
        return hash(frozenset(self.name_to_direction.items()))

    def __str__(self) -> str:
        return f"Multi{super().__str__()}: [{', '.join(map(str, self.objectives))}]"


def create_objective(objective: Any) -> Objective:
    """The objective that a user means.

    Args:
        objective: A metric's name, an `Objective` or any object with `name` and `direction`, a list of these, or `None`
            for the number that is returned.

    Raises:
        ValueError: Nobody knows which way is better.
        TypeError: It is something else.
    """
    if objective is None:
        return DefaultObjective()
    if isinstance(objective, list):
        return MultiObjective([create_objective(entry) for entry in objective])
    if isinstance(objective, Objective):
        return objective
    if not isinstance(objective, str):
        name, direction = getattr(objective, "name", None), getattr(objective, "direction", None)
        if isinstance(name, str) and direction in ("min", "max"):
            return Objective(name, str(direction))
        raise TypeError(f"`objective` not understood, expected str, `Objective` or a list of these. Got {objective!r}.")
    direction = infer_metric_direction(objective)
    if direction is None:
        raise ValueError(
            f"`objective` must say which way is better where the metric is not one of Keras's own. Could not infer "
            f'optimization direction for "{objective}". Pass Objective("{objective}", direction="max"), or "min".'
        )
    return Objective(objective, direction)
