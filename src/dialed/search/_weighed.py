"""The order of the trials on a rung where a study has several objectives, or constraints.

Who keeps every constraint goes before who does not, and of those the one that is nearest to keeping them. Among the
others, the front goes first, then the front of those that are left, and so on; on one front, what lies apart from the
rest goes before what is crowded. The first objective counts as it was on the rung, or as it is foretold from there;
the other values are those of the trial's best epoch so far, which is all that is recorded of them.

References:
    Schmucker and others 2021, "Multi-objective asynchronous successive halving" (fronts on rungs).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dialed.objectives import shortfall
from dialed.search.front import crowding, losses_of, ranks
from dialed.search.history import History

__all__ = ["weighed"]

Array = NDArray[np.float64]


def weighed(on_rung: Mapping[int, float], history: History) -> dict[int, float]:
    """The place of each trial, 0 for the best.

    Args:
        on_rung: The first objective's loss there, by the numbers of the trials.
        history: Knows what else they came to.
    """
    numbers = list(on_rung)
    trials = [history.trial(number) for number in numbers]
    losses = losses_of(trials, history.terms)
    losses[:, 0] = list(on_rung.values())
    losses = np.where(np.isfinite(losses), losses, math.inf)
    away = [shortfall(trial, history.terms.constraints) for trial in trials]
    fronts, apart = _spread(losses, np.array(away))
    order = sorted(range(len(numbers)), key=lambda i: (away[i], fronts[i], -apart[i], losses[i, 0], numbers[i]))
    return {numbers[index]: float(place) for place, index in enumerate(order)}


def _spread(losses: Array, away: Array) -> tuple[NDArray[np.int64], Array]:
    """The front that each trial belongs to, and how far it lies from its neighbours there; shape `(trials,)` each."""
    fronts, apart = np.full(len(losses), len(losses)), np.zeros(len(losses))
    whole = np.flatnonzero((away == 0.0) & np.isfinite(losses).all(axis=1))
    fronts[whole] = ranks(losses[whole]) if losses.shape[1] > 1 else 0
    for front in np.unique(fronts[whole]) if losses.shape[1] > 1 else ():
        inside = whole[fronts[whole] == front]
        apart[inside] = crowding(losses[inside])
    return fronts, apart
