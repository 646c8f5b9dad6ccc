"""What a trial is worth, given the mean and the standard deviation of its loss.

Both values are logarithms of something positive, so that the probability of success and a user's beliefs, as logarithms
too, are added to either.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, log_ndtr

from dialed.search.model.layout import Array

__all__ = ["BOLDNESS", "log_expected_improvement", "log_optimism"]

BOLDNESS = 1.8
"""Standard deviations that optimism takes off a mean. The default of Vizier (Song and others 2024)."""

FAR = -1.0
"""Below so many standard deviations, the difference of two nearly equal numbers would lose all digits."""


def log_expected_improvement(mean: Array, deviation: Array, best: float | Array) -> Array:
    """log E[max(best - y, 0)] for y normal: exact to rounding however small the improvement.

    With z = (best - mean) / deviation, phi and Phi the normal density and distribution, it is
    log deviation + log(phi(z) + z Phi(z)). For z < -1 the bracket is phi(z) (1 - |z| Phi(z)/phi(z)), where the ratio is
    sqrt(pi/2) erfcx(-z/sqrt 2).

    References:
        Ament and others 2023, "Unexpected improvements to expected improvement for Bayesian optimization".
    """
    z = (best - mean) / deviation
    return np.asarray(np.log(deviation) + np.where(z > FAR, _near(np.maximum(z, FAR)), _far(np.minimum(z, FAR))))


def _near(z: Array) -> Array:
    return np.asarray(np.log(np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) + z * np.exp(log_ndtr(z))))


def _far(z: Array) -> Array:
    density = -0.5 * z * z - 0.5 * np.log(2.0 * np.pi)
    # Beyond some 1e5 deviations rounding eats the difference; there it is 1/z^2 to all digits.
    lost = -z * np.sqrt(np.pi / 2.0) * erfcx(-z / np.sqrt(2.0))
    return np.asarray(density + np.where(z > -1e4, np.log1p(-np.minimum(lost, 1.0 - 1e-16)), -2.0 * np.log(-z)))


def log_optimism(mean: Array, deviation: Array, best: float, boldness: float = BOLDNESS) -> Array:
    """The order of the lower confidence bound `mean - boldness * deviation`, best first, as log(1 + e^gain)'s logarithm.

    The gain over `best` may be negative, so it is made positive by a softplus; without further terms the order is that
    of the bound itself.
    """
    gain = best - mean + boldness * deviation
    return np.where(gain > -30.0, np.log(np.logaddexp(0.0, np.maximum(gain, -30.0))), gain)
