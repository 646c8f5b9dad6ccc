"""The front of a study: its best trade-offs, as frozen values."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dialed.errors import InvalidInputError
from dialed.observe.goals import front_table, knee_sentence
from dialed.search import Terms
from dialed.search.front import hypervolume, knee_of, losses_of
from dialed.trial import Objective, Trial

__all__ = ["Front"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Trials of which none is better than another in every objective.

    Args:
        trials: The best score first.
        objectives: The score first.
        values: What each trial has of each objective, shape `(trials, objectives)`.
    """

    trials: tuple[Trial, ...]
    objectives: tuple[Objective, ...]
    values: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, trials: Sequence[Trial], terms: Terms) -> Front:
        """The front that `trials` make."""
        losses = losses_of(trials, terms)
        signs = np.array([objective.loss(1.0) for objective in terms.objectives])
        values = tuple(tuple(float(value) for value in row) for row in losses * signs)
        return cls(trials=tuple(trials), objectives=terms.objectives, values=values)

    def hypervolume(self, reference: Mapping[str, float]) -> float:
        """The volume between the front and `reference`: larger is better, and comparable between studies.

        Args:
            reference: For each objective the worst value that counts.

        Raises:
            InvalidInputError: An objective has none.

        References:
            Zitzler and Thiele 1999, "Multiobjective evolutionary algorithms: a comparative case study and the strength
            Pareto approach".
        """
        missing = [objective.name for objective in self.objectives if objective.name not in reference]
        if missing:
            raise InvalidInputError(
                f"The `reference` must have the worst value that counts of each objective. Got {dict(reference)!r}, "
                f"without '{missing[0]}'."
            )
        signs = np.array([objective.loss(1.0) for objective in self.objectives])
        worst = np.array([reference[objective.name] for objective in self.objectives]) * signs
        return hypervolume(np.array(self.values).reshape(-1, len(signs)) * signs, worst)

    @property
    def knee(self) -> Trial | None:
        """The most balanced trade-off; `None` for fewer than three trials, or where none stands out.

        From there on each gain in one objective costs more in the others. It is a suggestion: it weighs every objective by
        the range that it has along the front.
        """
        signs = np.array([objective.loss(1.0) for objective in self.objectives])
        losses = np.array(self.values).reshape(-1, len(signs)) * signs
        place = knee_of(losses, [objective.name for objective in self.objectives])
        return None if place is None else self.trials[place]

    def __len__(self) -> int:
        return len(self.trials)

    def __str__(self) -> str:
        said = [] if self.knee is None else textwrap.wrap(knee_sentence(self.knee), 80)
        return "\n".join([*front_table(self.trials, self.objectives, width=80), *said])
