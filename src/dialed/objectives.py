"""What a study is after beside its score: further objectives, and constraints that a winner must keep.

The *score* of a trial is its first objective: it chooses the best epoch, the checkpoints that are kept, and what stops
early. Every other objective, and whatever is constrained, has the value that was reported at that epoch, or that Dialed
measures itself (`MEASURED`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from dialed.errors import InvalidInputError
from dialed.trial import Objective, Trial

__all__ = [
    "LATENCY",
    "MEASURED",
    "NUMBERED",
    "Constraint",
    "Maximize",
    "Minimize",
    "differing",
    "keeps",
    "metric_key",
    "shortfall",
    "value_of",
]

LATENCY = "latency"

MEASURED = (LATENCY, "memory", "parameters", "seconds")
"""What needs no metric: seconds to answer for one sample, the process's largest size in bytes, the number of weights, and
seconds per epoch."""

NUMBERED = re.compile(r"_\d+$")
"""How Keras tells metrics apart that were not given a name."""

_WRITTEN = re.compile(r"\s*([\w./-]+)\s*(<=|>=)\s*([-+\d._eE]+)\s*")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A limit that the winner must keep, on a metric or on what Dialed measures itself.

    To choose: for what must hold but is not to be improved beyond that, such as a size or a recall. What is to be
    traded against the score is a further objective.

    Args:
        name: A metric that the model reports, or "parameters", "latency" (seconds for one sample), "seconds" (per epoch)
            or "memory" (bytes).
        min: The least value allowed. Defaults to none.
        max: The largest value allowed. Defaults to none.

    Raises:
        InvalidInputError: Neither end is given, one is not a finite number, or they leave nothing between.

    Example:
        >>> Constraint("parameters", max=100_000)
        Constraint('parameters <= 100000')
        >>> Constraint.of("val_recall >= 0.9").min
        0.9
    """

    name: str
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        ends = [end for end in (self.min, self.max) if end is not None]
        if not isinstance(self.name, str) or not self.name:
            raise InvalidInputError(f"The `name` of a constraint must be that of a metric. Got {self.name!r}.")
        if not ends or not all(_is_number(end) for end in ends) or (len(ends) == 2 and ends[0] > ends[1]):
            raise InvalidInputError(
                f"A constraint on `{self.name}` must have a finite `min`, a finite `max`, or both with min <= max. "
                f"Got min={self.min!r}, max={self.max!r}."
            )

    @classmethod
    def of(cls, constraint: Constraint | str) -> Self:
        """The constraint itself, or the one that a text such as "parameters <= 100000" says."""
        if isinstance(constraint, cls):
            return constraint
        found = _WRITTEN.fullmatch(constraint) if isinstance(constraint, str) else None
        try:
            name, sign, end = found.groups() if found else (None, None, None)
            limit = float(end)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise InvalidInputError(
                "Each of `constraints` must be a `dialed.Constraint`, or a text of the form 'parameters <= 100000' or "
                f"'val_recall >= 0.9'. Got {constraint!r}."
            ) from None
        return cls(str(name), max=limit) if sign == "<=" else cls(str(name), min=limit)

    def excess(self, value: float | None) -> float:
        """By how much `value` breaks the constraint: 0 where it keeps it, infinity where it is not known."""
        if value is None or math.isnan(value):
            return math.inf
        above = 0.0 if self.max is None else value - self.max
        below = 0.0 if self.min is None else self.min - value
        return max(above, below, 0.0)

    def __str__(self) -> str:
        ends = ((">=", self.min), ("<=", self.max))
        return " and ".join(f"{self.name} {sign} {end:.10g}" for sign, end in ends if end is not None)

    def __repr__(self) -> str:
        return f"Constraint('{self}')"


def Minimize(name: str) -> Objective:
    """An objective that is better the smaller it is: `Minimize("parameters")`.

    Args:
        name: Of a metric, or of what Dialed measures itself: "latency", "memory", "parameters", "seconds".

    Example:
        >>> Minimize("parameters")
        Objective(name='parameters', direction='min')
    """
    return Objective(_named(name), "min")


def Maximize(name: str) -> Objective:
    """An objective that is better the larger it is: `Maximize("val_profit")`.

    Args:
        name: Of a metric.

    Example:
        >>> Maximize("val_profit")
        Objective(name='val_profit', direction='max')
    """
    return Objective(_named(name), "max")


def _named(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise InvalidInputError(
            f"The `name` of an objective must be that of a metric, such as 'val_loss'. Got {name!r}."
        )
    return name


def value_of(trial: Trial, name: str) -> float | None:
    """What the trial has of the metric `name`, or of what Dialed measures; `None` while that is not known."""
    if name in trial.metrics:
        return trial.metrics[name]
    if name == "parameters":
        return None if trial.parameters is None else float(trial.parameters)
    if name == LATENCY:
        return trial.latency
    if name == "seconds":
        return trial.seconds / trial.epochs if trial.epochs else None
    sizes = [m.memory_bytes for m in trial.members if m.purpose == "search" and m.memory_bytes is not None]
    return float(max(sizes)) if name == "memory" and sizes else None


def keeps(trial: Trial, constraints: Iterable[Constraint]) -> bool:
    """Whether a trial keeps all `constraints`. What is not known is not kept."""
    return all(constraint.excess(value_of(trial, constraint.name)) == 0.0 for constraint in constraints)


def shortfall(trial: Trial, constraints: Iterable[Constraint]) -> float:
    """How far a trial is from keeping all `constraints`: the sum of the excesses, each as a share of its limit."""
    total = 0.0
    for constraint in constraints:
        limit = max(abs(end) for end in (constraint.min, constraint.max) if end is not None)
        total += constraint.excess(value_of(trial, constraint.name)) / (limit or 1.0)
    return total


def metric_key(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that means the metric `name`.

    Keras numbers metrics that were not given a name: the first AUC of a process is "auc", the next "auc_1". Where
    exactly one name differs from `name` by such a number alone, it is that one.

    Returns:
        A member of `names`; `None` where none fits, or several do.
    """
    known = list(names)
    if name in known:
        return name
    same = [other for other in known if NUMBERED.sub("", other) == NUMBERED.sub("", name)]
    return same[0] if len(same) == 1 else None


def differing(objectives: Iterable[Objective]) -> None:
    """Raise `InvalidInputError` where two objectives are the same metric."""
    seen: dict[str, Objective] = {}
    for objective in objectives:
        other = seen.setdefault(objective.name, objective)
        if other is not objective:
            how = f" as '{other.direction}' and as '{objective.direction}'" if other != objective else " twice"
            raise InvalidInputError(
                f"Each `objective` must be another metric. Got '{objective.name}'{how}. Name it once; what must hold "
                "besides is a constraint."
            )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
