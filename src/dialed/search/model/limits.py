"""How likely a trial is to keep a constraint whose value is only known once it was trained."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.special import log_ndtr

from dialed.objectives import Constraint
from dialed.search.model.gaussian import Posterior, fit
from dialed.search.model.layout import Array, Layout

__all__ = ["Limit", "limits_of"]

STEPS = 20


class Limit:
    """One side of one constraint, as a probability.

    By how much a trial keeps it, in units of the usual distance and flattened where that is far (arcsinh), is predicted
    by a Gaussian process about its mean; P(kept) is the normal distribution function of where 0 then lies.

    Args:
        features: Of the trials whose value is known, shape `(count, width)`.
        room: How far each is inside, negative outside; shape `(count,)`.
        layout: Of the space.

    References:
        Gardner and others 2014, "Bayesian optimization with inequality constraints".
    """

    def __init__(self, features: Array, room: Array, layout: Layout) -> None:
        scale = float(np.median(np.abs(room))) or float(np.abs(room).max()) or 1.0
        flattened = np.arcsinh(room / scale)
        self._base = float(flattened.mean())
        self._spread = float(flattened.std()) or 1.0
        values = (flattened - self._base) / self._spread
        hyper = fit(features, values, layout.owner, steps=STEPS)
        self._latent = Posterior(features, values, layout.owner, hyper)

    def log_probability(self, features: Array) -> Array:
        """The logarithm of the probability that a trial keeps it, shape `(count,)`."""
        mean, deviation = self._latent.predict(features)
        margin = self._base / self._spread + mean
        return np.asarray(log_ndtr(margin / np.sqrt(deviation**2 + self._latent.hyper.noise)))


def limits_of(features: Array, values: Array, constraints: Iterable[Constraint], layout: Layout) -> list[Limit]:
    """A limit for each side of each constraint that some trial says something about.

    Args:
        features: Of the trials, shape `(count, width)`.
        values: Of what is constrained, shape `(count, constraints)`, NaN where it is not known.
        constraints: In the order of those columns.
        layout: Of the space.
    """
    found = []
    for constraint, column in zip(constraints, values.T, strict=True):
        known = np.isfinite(column)
        sides = ((constraint.max, 1.0), (constraint.min, -1.0))
        for end, sign in sides if known.any() else ():
            if end is not None:
                found.append(Limit(features[known], sign * (end - column[known]), layout))
    return found
