"""The way from one configuration to another, one change at a time, what is expected to bring most first.

A forest fitted to the study's trials foretells each next configuration, and the change with the best forecast is taken.
The forecast only orders the changes: what they bring is measured by training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dialed.analysis.observations import Observations, observations_of
from dialed.errors import SpaceError, StudyError
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import Value, Values

__all__ = ["Change", "path_between"]

LEAST_TRIALS = 8
"""With fewer trials the changes are made in the order of the space."""

TREES = 200

Forecast = Callable[[Values], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step: `name` goes from `before` to `after`, which makes the configuration `values`.

    `before` is `None` where it was not active. What a change makes active begins at its default.
    """

    name: str
    before: Value
    after: Value
    values: dict[str, Value]


def path_between(history: History, space: Space, start: Values, goal: Values) -> tuple[Change, ...]:
    """The changes that lead from `start` to `goal`, both configurations of `space`."""
    forecast = _forecast(history, space)
    current: Values = space.restrict(start)
    goal = space.restrict(goal)
    changes: list[Change] = []
    while space.key(current) != space.key(goal):
        ahead = [change for name in goal if (change := _change(space, current, goal, name)) is not None]
        best = min(ahead, key=lambda change: forecast(change.values))
        changes.append(best)
        current = best.values
    return tuple(changes)


def _change(space: Space, current: Values, goal: Values, name: str) -> Change | None:
    """The step that gives `name` its last value; `None` where it has it already, or is not active yet."""
    if name not in current:
        return None
    values = space.restrict({**current, name: goal[name]})
    if space.key(values) == space.key(current):
        return None
    return Change(name=name, before=current[name], after=goal[name], values=values)


def _forecast(history: History, space: Space) -> Forecast:
    """What a forest expects of a configuration; nothing, where the trials are too few or of another space."""
    try:
        seen = observations_of(history, space, least=LEAST_TRIALS)
    except (SpaceError, StudyError):
        return lambda _: 0.0
    return _forest(seen)


def _forest(seen: Observations) -> Forecast:
    from sklearn.ensemble import ExtraTreesRegressor

    layout = seen.layout
    forest = ExtraTreesRegressor(TREES, min_samples_leaf=2, random_state=0).fit(
        layout.features(seen.units), seen.losses
    )
    return lambda values: float(forest.predict(layout.features(np.array([layout.space.encode(values)])))[0])
