"""Configurations that a person wrote down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from dialed.errors import InvalidInputError, SpaceError
from dialed.search._candidates import Candidates, from_default, start_untried
from dialed.search._names import nearest
from dialed.search._tried import recall, tried
from dialed.search.decisions import Decision
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import Values

__all__ = ["Manual"]


@dataclass(frozen=True, slots=True)
class Manual:
    """Tries the given configurations, each once, in their order, and then ends.

    Choose it when you know what to compare. To add a few known configurations to another strategy, enqueue them
    instead.

    Args:
        configurations: The values to try. What is missing gets its default; what is inactive is left out.
        default_first: Whether the default configuration goes first, as the baseline. Defaults to True.

    Raises:
        InvalidInputError: `configurations` is empty, or holds something other than mappings.

    Example:
        >>> from dialed.space import Float, Hyperparameter, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter("rate", Float(0.0, 1.0)), Hyperparameter("decay", Float(0.0, 1.0))])
        >>> history = simulate(Manual([{"rate": 0.25}, {"decay": 0.5}]), space, lambda values: values["rate"])
        >>> [tuple(trial.values.values()) for trial in history.trials]
        [(0.0, 0.0), (0.25, 0.0), (0.0, 0.5)]
    """

    configurations: Sequence[Values]
    _: KW_ONLY
    default_first: bool = True

    def __post_init__(self) -> None:
        given = self.configurations
        listed = isinstance(given, Sequence) and all(isinstance(values, Mapping) for values in given)
        if not listed or not given:
            raise InvalidInputError(
                "The `configurations` of Manual must be a list of at least one mapping of names to values, such as "
                f"[{{'learning_rate': 0.01}}]. Got {given!r}."
            )

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """The next given configurations that are untried.

        Raises:
            SpaceError: A configuration has a name that the space lacks, or a value outside its domain.
        """
        candidates = recall(history, "manual", space, self, lambda: self._candidates(space))
        return start_untried(
            candidates, tried(space, history), history, free, reason="all given configurations have been tried"
        )

    def _candidates(self, space: Space) -> Candidates:
        if len(space):  # before the first call of a function, nothing is known of its space
            for index, values in enumerate(self.configurations):
                _check(space, values, index)
        given = [space.restrict(values) for values in self.configurations]
        return Candidates(from_default(space, given, default_first=self.default_first))


def _check(space: Space, values: Values, index: int) -> None:
    for name, value in values.items():
        if name not in space:
            raise SpaceError(
                f"The `configurations` of Manual must name hyperparameters of the space. Got '{name}' in number "
                f"{index}. {nearest(name, space.names)}"
            )
        if not space[name].domain.contains(value):
            raise SpaceError(
                f"The `configurations` of Manual must lie inside the space. Got {name}={value!r} in number {index}, "
                f"and `{name}` is {space[name].domain!r}. Change the value, or widen the space."
            )
