"""What a score is expected to be over the plane of two hyperparameters, the others as they were tried.

A Gaussian process is fitted to the trials, or to some hundreds of them, failed ones as the worst; its forecast is
averaged over the other values of trials (partial dependence). It is a guess between the points that were tried, so those
are part of the view.

References:
    Friedman 2001, "Greedy function approximation: a gradient boosting machine" (partial dependence).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialed.analysis.observations import MANY, Observations, observations_of, thinned
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
"""Points of each side of the plane, and trials to average over: a quarter of a second for both."""

LEAST_TRIALS = 10
MODELLED = 400
"""A plane looks the same after more trials than these; the work grows with their cube."""

FITTED = 120
"""So many of them tell the length-scales."""


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
        cut: Of which part of the trials it is made, where that is not all: a few words.
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
    cut: str
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
        seed: Of the choice of trials. Defaults to 0.

    Raises:
        InvalidInputError: A name is not in the space, or fewer than two hyperparameters vary.
    """
    across, up = pair(history, space, x, y)
    grids = _grid(across), _grid(up)
    surface, reason, cut = _surface(history, space, (across.name, up.name), grids, seed)
    trials, scores = history.trials, scores_of(history.trials)
    return ContourView(
        objective=history.objective,
        x=axis_of(across, trials),
        y=axis_of(up, trials),
        x_grid=grids[0],
        y_grid=grids[1],
        surface=surface,
        reason=reason,
        cut=cut,
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
) -> tuple[tuple[tuple[float, ...], ...], str, str]:
    try:
        seen = observations_of(thinned(history), space, least=LEAST_TRIALS)
    except (SpaceError, StudyError) as error:
        return (), str(error), ""
    columns = [space.names.index(name) for name in names]
    together = np.flatnonzero(np.isfinite(seen.units[:, columns]).all(axis=1))
    if not len(together):
        return (), f"No trial had both {names[0]} and {names[1]}.", ""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(seen.losses), min(MODELLED, len(seen.losses)), replace=False))
    losses = _forecast(seen, columns, rows, rng.permutation(together)[:BACKGROUND], grids)
    sign = history.objective.loss(1.0)
    some = len(history.trials) > MANY or len(rows) < len(seen.losses)
    cut = f"told from {len(rows):,} of {len(history.trials):,} trials, evenly chosen" if some else ""
    return tuple(tuple(float(sign * loss) for loss in row) for row in losses), "", cut


def _forecast(
    seen: Observations,
    columns: list[int],
    rows: NDArray[np.int64],
    background: NDArray[np.int64],
    grids: tuple[tuple[float, ...], ...],
) -> Array:
    """The expected losses, shape `(rows, columns)` of the plane, never beyond those that were seen."""
    from dialed.search.model.gaussian import Posterior, fit
    from dialed.search.model.threads import one_thread

    layout, losses = seen.layout, seen.losses[rows]
    middle, spread = losses.mean(), losses.std() or 1.0
    features, values = layout.features(seen.units[rows]), (losses - middle) / spread
    plane = np.array([(x, y) for y in grids[1] for x in grids[0]])
    total = np.zeros(len(plane))
    with one_thread():
        part = slice(None, None, -(-len(rows) // FITTED))
        belief = Posterior(features, values, layout.owner, fit(features[part], values[part], layout.owner))
        for row in background:
            points = np.repeat(seen.units[row : row + 1], len(plane), axis=0)
            points[:, columns] = plane
            total += belief.mean(layout.features(points))
    expected = np.clip(middle + spread * total / len(background), losses.min(), losses.max())
    return np.asarray(expected.reshape(len(grids[1]), len(grids[0])))
