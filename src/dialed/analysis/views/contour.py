"""What a score is expected to be over the plane of two hyperparameters, the others as they were tried.

A forest is fitted to all trials, failed ones as the worst; its forecast is averaged over the other values of trials
(partial dependence). It is a guess between the points that were tried, so those are part of the view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dialed.analysis.observations import Observations, observations_of
from dialed.analysis.views.axis import Axis, axis_of, places_of
from dialed.analysis.views.naming import pair
from dialed.analysis.views.scores import Number, limits_of, scores_of, winner_of
from dialed.errors import SpaceError, StudyError
from dialed.search.history import History
from dialed.search.model.layout import Array
from dialed.space import Hyperparameter, Space
from dialed.trial import Objective

__all__ = ["ContourView", "contour_view"]

GRID = 25
BACKGROUND = 40
"""Points of each side of the plane, and trials to average over: a second for both."""

LEAST_TRIALS = 10
MOST_TRIALS = 2000
"""A forest knows no more of a plane after more trials than these."""

TREES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ContourView:
    """The plane of two hyperparameters.

    Attributes:
        objective: What is improved.
        x: The hyperparameter across.
        y: The hyperparameter up.
        x_grid: Places of the columns of `surface`.
        y_grid: Places of its rows.
        surface: The expected score, row by row from the bottom; empty where nothing can be said.
        reason: Why it is empty.
        x_places: Where each trial lies; `None` where it is inactive.
        y_places: The same of `y`.
        numbers: The trials.
        scores: Of each.
        limits: The range of scores to draw.
        winner: The trial to use.
    """

    objective: Objective
    x: Axis
    y: Axis
    x_grid: tuple[float, ...]
    y_grid: tuple[float, ...]
    surface: tuple[tuple[float, ...], ...]
    reason: str
    x_places: tuple[Number, ...]
    y_places: tuple[Number, ...]
    numbers: tuple[int, ...]
    scores: tuple[Number, ...]
    limits: tuple[float, float] | None
    winner: int | None


def contour_view(
    history: History, space: Space, x: str | None = None, y: str | None = None, *, seed: int = 0
) -> ContourView:
    """The plane of `x` and `y`; by default of the two that mattered most.

    Args:
        history: The study.
        space: What varied.
        x: The hyperparameter across. Defaults to None: the one that mattered most of those left.
        y: The hyperparameter up. Defaults to None: the same.
        seed: Of the forest. Defaults to 0.

    Raises:
        InvalidInputError: A name is not in the space, or fewer than two hyperparameters vary.
    """
    across, up = pair(history, space, x, y)
    grids = _grid(across), _grid(up)
    surface, reason = _surface(history, space, (across.name, up.name), grids, seed)
    trials, scores = history.trials, scores_of(history.trials)
    return ContourView(
        objective=history.objective,
        x=axis_of(across, trials),
        y=axis_of(up, trials),
        x_grid=grids[0],
        y_grid=grids[1],
        surface=surface,
        reason=reason,
        x_places=places_of(across, trials),
        y_places=places_of(up, trials),
        numbers=tuple(trial.number for trial in trials),
        scores=scores,
        limits=limits_of(scores, history.objective),
        winner=winner_of(history),
    )


def _grid(hyperparameter: Hyperparameter) -> tuple[float, ...]:
    domain = hyperparameter.domain
    if domain.size is not None and domain.size <= GRID:
        return tuple(float(domain.to_unit(value)) for value in domain.values())
    return tuple(float(place) for place in np.linspace(0.0, 1.0, GRID))


def _surface(
    history: History, space: Space, names: tuple[str, str], grids: tuple[tuple[float, ...], ...], seed: int
) -> tuple[tuple[tuple[float, ...], ...], str]:
    try:
        seen = observations_of(history, space, least=LEAST_TRIALS)
    except (SpaceError, StudyError) as error:
        return (), str(error)
    columns = [space.names.index(name) for name in names]
    together = np.flatnonzero(np.isfinite(seen.units[:, columns]).all(axis=1))
    if not len(together):
        return (), f"No trial had both {names[0]} and {names[1]}."
    rng = np.random.default_rng(seed)
    losses = _forecast(seen, columns, together, grids, rng)
    sign = history.objective.loss(1.0)
    return tuple(tuple(float(sign * loss) for loss in row) for row in losses), ""


def _forecast(
    seen: Observations,
    columns: list[int],
    together: np.ndarray,
    grids: tuple[tuple[float, ...], ...],
    rng: np.random.Generator,
) -> Array:
    """The expected losses, shape `(rows, columns)` of the plane."""
    from sklearn.ensemble import ExtraTreesRegressor

    rows = rng.choice(len(seen.losses), min(MOST_TRIALS, len(seen.losses)), replace=False)
    forest = ExtraTreesRegressor(TREES, min_samples_leaf=2, random_state=int(rng.integers(2**31)))
    forest.fit(seen.layout.features(seen.units[rows]), seen.losses[rows])
    plane = np.array([(x, y) for y in grids[1] for x in grids[0]])
    background = seen.units[rng.choice(together, min(BACKGROUND, len(together)), replace=False)]
    points = np.repeat(background, len(plane), axis=0)
    points[:, columns] = np.tile(plane, (len(background), 1))
    losses = forest.predict(seen.layout.features(points)).reshape(len(background), len(grids[1]), len(grids[0]))
    return np.asarray(losses.mean(axis=0))
