"""One hyperparameter after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from dialed.errors import InvalidInputError, SpaceError
from dialed.search._descent import Descent
from dialed.search._names import nearest
from dialed.search.decisions import Decision
from dialed.search.history import History
from dialed.space import Space

__all__ = ["OneAtATime"]


@dataclass(frozen=True, slots=True)
class OneAtATime:
    """Keeps the best value of one hyperparameter while it tries the next, until a whole round improves nothing.

    Choose it to see plainly what each hyperparameter does, or to polish a configuration that is nearly right. It
    misses what only two changes together would gain; `Sobol` does not. It starts from the best of the defaults and
    of what was enqueued before its own first trial, and takes over anything better that a study holds at the end of
    a round. A conditional hyperparameter is tried while it is active; its best value is remembered while it is not.

    Args:
        points: At most how many values of an `Int` or `Float` to try, evenly spaced on its own scale, both ends
            included. Choices are all tried. Defaults to 5.
        order: Names to begin each round with; the others follow in the order of the space. Defaults to that order.
        max_rounds: The most rounds. Defaults to no limit.

    Raises:
        InvalidInputError: `points` is below 2, `max_rounds` below 1, or `order` not a list of different names.

    Example:
        >>> from dialed.space import Hyperparameter, Int, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter(name, Int(0, 4)) for name in "xy"])
        >>> history = simulate(OneAtATime(), space, lambda values: (values["x"] - 3) ** 2 + (values["y"] - 1) ** 2)
        >>> len(history), history.best_trial.values
        (13, {'x': 3, 'y': 1})
    """

    _: KW_ONLY
    points: int = 5
    order: Sequence[str] | None = None
    max_rounds: int | None = None

    def __post_init__(self) -> None:
        _check_int("points", self.points, 2)
        if self.max_rounds is not None:
            _check_int("max_rounds", self.max_rounds, 1)
        order = self.order
        names = [] if order is None else list(order)
        if isinstance(order, str) or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
            raise InvalidInputError(f"The `order` of OneAtATime must be a list of different names. Got {order!r}.")

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """The values of the hyperparameter in turn that are untried; nothing while their results are awaited."""
        trials = history.trials
        own = next((i for i, trial in enumerate(trials) if trial.source == "strategy"), len(trials))
        given = [trial for trial in trials[:own] if trial.source != "default"]
        descent = Descent(space, history, _ordered(space, self.order), points=self.points, start=given)
        return descent.decide(free, max_rounds=self.max_rounds)


def _ordered(space: Space, order: Sequence[str] | None) -> list[str]:
    first = list(order or ()) if len(space) else []  # before the first call of a function, no name is known
    for name in first:
        if name not in space:
            raise SpaceError(
                f"The `order` of OneAtATime must name hyperparameters of the space. Got '{name}'. "
                f"{nearest(name, space.names)}"
            )
    return first + [name for name in space.names if name not in first]


def _check_int(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidInputError(
            f"The `{name}` of OneAtATime must be an int in the range [{least}, inf). Got {value!r}."
        )
