"""Every combination of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass

import numpy as np

from dialed.errors import InvalidInputError, SpaceError
from dialed.search._candidates import Candidates, from_default, start_untried
from dialed.search._tried import recall, tried
from dialed.search.decisions import Decision
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import Values

__all__ = ["Grid"]

MOST_VALUES = 100_000
"""A grid over more values of one hyperparameter than this is never meant, and would not fit in memory."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Tries every combination, the last hyperparameter fastest, and then ends.

    Choose it for a handful of values, or when all of them must be seen. With more than two or three hyperparameters
    that matter, `Random` and `Sobol` find good values in far fewer trials. Conditions are respected: a combination
    never differs from another only in an inactive hyperparameter.

    Args:
        points: How many values to take from a continuous range, evenly spaced on its own scale (log where it is
            sampled so), both ends included; a mapping says it for single names, and thins out integers and steps too.
            Defaults to None: each range must be finite.
        default_first: Whether the default configuration goes first, as the baseline, also where the grid lacks it.
            Defaults to True.

    Raises:
        InvalidInputError: `points` is not a positive int, or a mapping of names to such.

    Example:
        >>> from dialed.space import Choice, Float, Hyperparameter, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter("rate", Float(0.0, 1.0)), Hyperparameter("unit", Choice(["relu", "tanh"]))])
        >>> history = simulate(Grid(points=3), space, lambda values: values["rate"])
        >>> [tuple(trial.values.values()) for trial in history.trials]
        [(0.0, 'relu'), (0.0, 'tanh'), (0.5, 'relu'), (0.5, 'tanh'), (1.0, 'relu'), (1.0, 'tanh')]

    References:
        Bergstra and Bengio 2012, "Random search for hyper-parameter optimization": when not to choose it.
    """

    _: KW_ONLY
    points: int | Mapping[str, int] | None = None
    default_first: bool = True

    def __post_init__(self) -> None:
        wanted = list(self.points.values()) if isinstance(self.points, Mapping) else [self.points]
        if self.points is not None and not all(_is_count(points) for points in wanted):
            raise InvalidInputError(
                "The `points` of a Grid must be an int in the range [1, inf), or a mapping of names to such ints. "
                f"Got {self.points!r}."
            )

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """The next combinations that are untried."""
        known = tried(space, history)
        candidates = recall(history, "grid", space, self, lambda: Candidates(self._combinations(space)))
        return start_untried(candidates, known, history, free, reason="every combination of the grid has been tried")

    def _combinations(self, space: Space) -> Iterator[Values]:
        for hyperparameter in space:
            thinned = isinstance(self.points, Mapping) and hyperparameter.name in self.points
            size = hyperparameter.domain.size
            if size is not None and size > MOST_VALUES and not thinned:
                raise SpaceError(
                    f"A grid must have at most {MOST_VALUES} values of each hyperparameter. Got `{hyperparameter.name}` "
                    f"with {size}. Give it a `step`, or pass points={{{hyperparameter.name!r}: 5}}."
                )
        points = self.points if len(space) else None  # before the first call of a function, no name is known
        return from_default(space, space.enumerate(points), default_first=self.default_first)


def _is_count(points: object) -> bool:
    return isinstance(points, int) and not isinstance(points, bool) and points >= 1
