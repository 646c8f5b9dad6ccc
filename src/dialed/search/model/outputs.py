"""Losses made fit for a Gaussian process: two ways to keep a bad trial from bending what is said of good ones.

`normalised` is the one for results of full trainings: on recorded ones, it needs fewer trials than `tamed`. Where
curves that have hardly begun are among the results, most are bad, and the order of the bad says more: `tamed` keeps it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from dialed.search.model.layout import Array

__all__ = ["normalised", "tamed"]

DECADES = 2.0
"""Positive losses whose good half spans more than so many powers of ten are compared by their logarithms."""

LARGEST = 1e150
"""Beyond it, losses count as equal: their differences and ratios would overflow."""

HOPELESS = 3.0
"""A loss that is so many times further above the median than the best tenth is below it counts as one that is just so."""

POWERS = np.linspace(-2.0, 3.0, 21)
"""The powers that are tried; 1 leaves the losses as they are, less compresses what is bad, more what is good."""


def normalised(losses: Array) -> Array:
    """`losses`, shape `(count,)`, with mean 0 and variance 1, none before a better one; all 0 where all are equal.

    How badly a bad trial failed says nothing, so losses far above the median are cut: a diverged one does no harm. The
    others go through Yeo and Johnson's power transform, with the power that makes them most alike to draws from a normal
    distribution, which is what the model takes them for.

    References:
        Yeo and Johnson 2000, "A new family of power transformations to improve normality or symmetry".
    """
    cut = _cut(_by_magnitude(losses))
    deviation = float(cut.std())
    if deviation == 0.0:
        return np.zeros_like(cut)
    bent = _likeliest((cut - np.median(cut)) / deviation)
    centred = bent - bent.mean()
    return np.asarray(centred / centred.std())


def tamed(losses: Array) -> Array:
    """`losses`, shape `(count,)`, with mean 0 and variance 1, in the same order; all 0 where all are equal.

    Losses above the median m become m + s q, where s is the root mean square distance of the good ones from m, and q
    the normal quantile of their rank: how badly a bad trial failed says nothing, and a diverged one does no harm.

    References:
        Song and others 2024, "The Vizier Gaussian process bandit algorithm" (half-rank warping).
    """
    scaled = _by_magnitude(losses)
    middle = float(np.median(scaled))
    distinct = np.unique(scaled)
    good = distinct[distinct <= middle]
    spread = float(np.sqrt(np.mean((good - middle) ** 2))) or float(middle - distinct[0]) or 1.0
    bad = scaled > middle
    ranks = np.searchsorted(distinct, scaled[bad]) - len(good)
    warped = scaled.copy()
    warped[bad] = middle + spread * ndtri(0.5 + 0.5 * (ranks + 0.5) / max(len(distinct) - len(good), 1))
    centred = warped - warped.mean()
    deviation = float(centred.std())
    return centred / deviation if deviation > 0.0 else np.zeros_like(centred)


def _cut(losses: Array) -> Array:
    """Without the tail of those that are hopeless."""
    middle, tenth, best = (float(np.quantile(losses, share)) for share in (0.5, 0.1, 0.0))
    worse = losses[losses > middle]
    if not len(worse):
        return losses
    spread = middle - tenth or middle - best or float(worse.min()) - middle
    return np.minimum(losses, middle + HOPELESS * spread)


def _likeliest(values: Array) -> Array:
    """`values` after the power transform under which a normal distribution makes them most plausible."""
    stretched = np.sum(np.sign(values) * np.log1p(np.abs(values)))
    bent = [_powered(values, power) for power in POWERS]
    spreads = np.array([row.var() for row in bent])
    plausible = (POWERS - 1.0) * stretched - 0.5 * len(values) * np.log(np.maximum(spreads, 1e-300))
    return bent[int(np.argmax(plausible))]


def _powered(values: Array, power: float) -> Array:
    """Yeo and Johnson's transform: ((1 + x)^p - 1) / p above 0, its mirror image with 2 - p below."""
    return np.where(values >= 0.0, _box_cox(np.abs(values), power), -_box_cox(np.abs(values), 2.0 - power))


def _box_cox(sizes: Array, power: float) -> Array:
    grown = np.log1p(sizes)
    return np.asarray(np.expm1(power * grown) / power if power else grown)


def _by_magnitude(losses: Array) -> Array:
    losses = np.clip(losses, -LARGEST, LARGEST)
    good = losses[losses <= np.median(losses)]
    if good.min() > 0.0 and np.log10(good.max()) - np.log10(good.min()) > DECADES:
        return np.asarray(np.log(losses))
    return np.asarray(losses - good.min())  # near zero, so that no digits are lost
