"""What every engine is given to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialed.clock import Clock
from dialed.engine.keeping import CheckpointStore
from dialed.trial import Objective

if TYPE_CHECKING:
    from dialed.engine.recipe import Recipe

__all__ = ["Assignment"]


def _never() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What an engine trains, for what, until when, and where it keeps it.

    Args:
        recipe: How trials are made from values.
        data: What each fold trains on: `data.fold(index)` has `x`, `y`, `sample_weight`, `validation`, `samples`.
        objective: The metric to improve.
        checkpoints: Where checkpoints lie. Those of one engine are continued by any other.
        clock: Time.
        checkpoint_seconds: The longest time between two checkpoints of a member, while its epochs end. Defaults to 30.
        deadline: Returns when training must stop, on the clock's monotonic time, or None. Defaults to never.
    """

    recipe: Recipe
    data: Any
    objective: Objective
    checkpoints: CheckpointStore
    clock: Clock
    checkpoint_seconds: float = 30.0
    deadline: Callable[[], float | None] = _never

    def __post_init__(self) -> None:
        self.recipe.look_at(self.data)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the deadline, negative after it; `None` without one."""
        deadline = self.deadline()
        return None if deadline is None else deadline - self.clock.monotonic()

    @property
    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        left = self.seconds_left
        return left is not None and left <= 0
