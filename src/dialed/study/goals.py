"""What a study is asked to reach: its objectives and constraints, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

from dialed.errors import InvalidInputError
from dialed.objectives import LATENCY, Constraint, differing
from dialed.search import OneAtATime, PopulationBased, Strategy
from dialed.trial import Direction, Objective

__all__ = ["check_goals", "constraints_of", "objectives_of"]

_OF_ONE = (OneAtATime, PopulationBased)
"""Strategies that compare trials by one number."""

_DIRECTIONS: dict[str, Direction] = {"min": "min", "minimize": "min", "max": "max", "maximize": "max"}


def objectives_of(
    direction: str | Sequence[str], objective: str | Objective | Sequence[str | Objective] | None
) -> tuple[Objective, ...]:
    """The objectives that names and directions stand for; a direction that is given once holds for all.

    Raises:
        InvalidInputError: As many directions as objectives are needed; one is unknown; or two objectives are the same.
    """
    ways = [direction] if isinstance(direction, str) else list(direction)
    if objective is None:
        names: list[str | Objective] = ["objective"] if len(ways) == 1 else [f"objective_{i}" for i in range(len(ways))]
    else:
        names = [objective] if isinstance(objective, (str, Objective)) else list(objective)
    if isinstance(direction, str):
        ways = ways * len(names)
    if not names or len(ways) != len(names):
        raise InvalidInputError(
            f"The `direction` must be one for all objectives, or as many as there are. Got {len(ways)} for "
            f"{len(names)}: {direction!r} for {objective!r}."
        )
    found = [
        name if isinstance(name, Objective) else Objective(name, _direction(way))
        for name, way in zip(names, ways, strict=True)
    ]
    differing(found)
    return tuple(found)


def constraints_of(
    constraints: Sequence[Constraint | str], *, max_latency: float | None = None
) -> tuple[Constraint, ...]:
    """The constraints that objects and texts stand for, and that of `max_latency`, in seconds."""
    found = tuple(Constraint.of(constraint) for constraint in constraints)
    if max_latency is None:
        return found
    if isinstance(max_latency, bool) or not isinstance(max_latency, (int, float)) or not max_latency > 0:
        raise InvalidInputError(
            f"The `max_latency` must be a number of seconds above 0, such as 0.001. Got {max_latency!r}."
        )
    return (*found, Constraint(LATENCY, max=float(max_latency)))


def check_goals(strategy: Strategy, objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> None:
    """Raise `InvalidInputError` for goals that `strategy` cannot weigh, or that contradict each other."""
    if len(objectives) > 1 and isinstance(strategy, _OF_ONE):
        raise InvalidInputError(
            f"The `strategy` must be able to weigh several objectives: 'auto', 'bayesian', 'asha', 'hyperband', 'random', "
            f"'sobol' or 'grid'. "
            f"Got {type(strategy).__name__}, which compares trials by one number, for "
            f"{', '.join(repr(o.name) for o in objectives)}. Pass another strategy, or make the others constraints."
        )
    for constraint in constraints:
        others = [c for c in constraints if c is not constraint and c.name == constraint.name]
        low = max((c.min for c in (constraint, *others) if c.min is not None), default=None)
        high = min((c.max for c in (constraint, *others) if c.max is not None), default=None)
        if low is not None and high is not None and low > high:
            raise InvalidInputError(
                f"The `constraints` on '{constraint.name}' must leave something between them. Got "
                f"{' and '.join(map(str, (constraint, *others)))}."
            )


def _direction(direction: object) -> Direction:
    if not isinstance(direction, str) or direction not in _DIRECTIONS:
        raise InvalidInputError(f"The `direction` must be 'min' or 'max'. Got {direction!r}.")
    return _DIRECTIONS[direction]
