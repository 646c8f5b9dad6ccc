"""A study's trials as arrays for the questions of this package: where each lies in the space, and how bad it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialed.errors import StudyError
from dialed.search.history import History
from dialed.search.model.evidence import Ledger
from dialed.search.model.layout import Array, Dimension, Layout
from dialed.space import Space

__all__ = ["GRID", "MANY", "Observations", "cells_of", "observations_of", "thinned"]

GRID = 50
"""Cells into which a range of more values is divided, as in the published comparisons of PED-ANOVA."""

FAR_OUT = 3.0
"""Losses so many quartile ranges beyond the worse quartile count as if they stood there (Tukey's outer fence): one
diverged training would otherwise be all the variance there is."""


MANY = 2_000
ENOUGH = 1_000
"""Of so many trials, so many are enough for a page or a picture that should be there at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observations:
    """Trials that ended.

    Args:
        layout: Of the space.
        units: Shape `(trials, hyperparameters)`, in [0, 1], NaN where inactive.
        losses: Shape `(trials,)`; failed trials have the worst loss of all.
        failures: How many of them failed.
    """

    layout: Layout
    units: Array
    losses: Array
    failures: int

    @property
    def varying(self) -> list[int]:
        """The indices of the hyperparameters that have more than one value."""
        return [index for index, dimension in enumerate(self.layout.dimensions) if dimension.varies]

    def name(self, index: int) -> str:
        """The name of the hyperparameter with that index."""
        return self.layout.space.names[index]


def observations_of(history: History, space: Space, *, least: int) -> Observations:
    """What `history` holds. Trials that do not fit into `space`, and those that have not ended, are left out.

    Raises:
        StudyError: Fewer than `least` trials have a score.
    """
    layout = Layout(space)
    evidence = Ledger(layout).read(history)
    if len(evidence.losses) < least:
        raise StudyError(
            f"This analysis needs at least {least} trials with a score. Got {len(evidence.losses)}. Search on, with "
            "a larger `max_trials`."
        )
    losses = fenced(evidence.losses)
    worst = np.full(len(evidence.failed), losses.max())
    return Observations(
        layout=layout,
        units=np.vstack([evidence.scored, evidence.failed]),
        losses=np.concatenate([losses, worst]),
        failures=len(evidence.failed),
    )


def thinned(history: History) -> History:
    """The history, or of more than 2,000 trials about 1,000, evenly chosen: a view that takes this says so."""
    if len(history.trials) <= MANY:
        return history
    part = History(history.terms)
    part.take(history.trials[:: -(-len(history.trials) // ENOUGH)])
    return part


def fenced(losses: Array) -> Array:
    """`losses`, those that are far too bad moved to the fence."""
    low, high = np.quantile(losses, [0.25, 0.75])
    return losses if high == low else np.minimum(losses, high + FAR_OUT * (high - low))


def cells_of(dimension: Dimension, units: Array) -> tuple[NDArray[np.int64], int]:
    """The cell of each of `units` (-1 where inactive), and how many cells there are."""
    few = dimension.cells is not None and (dimension.category or len(dimension.cells) <= GRID)
    if few and dimension.cells is not None:
        cells, count = dimension.index(units), len(dimension.cells)
    else:
        place = (np.nan_to_num(units) - dimension.low) / (dimension.high - dimension.low)
        cells, count = np.rint(np.clip(place, 0.0, 1.0) * (GRID - 1)).astype(np.int64), GRID
    return np.where(np.isnan(units), -1, cells), count
