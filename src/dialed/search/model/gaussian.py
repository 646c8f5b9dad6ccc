"""A Gaussian process: Matern 5/2, one length-scale for each hyperparameter, learned noise, maximum a posteriori.

With features x, lengths l and r^2 = sum_d |x_d - x'_d|^2 / l_d^2, a = sqrt(5) r:

    k(x, x') = s^2 (1 + a + a^2 / 3) e^-a,        dk/dlog l_d = s^2 (5/3) (1 + a) e^-a |x_d - x'_d|^2 / l_d^2.

Both the distances and the sums over pairs in the gradient are matrix products of the features, so a step of the fit
costs O(n^3 + n^2 width), and no array has more than n^2 or n width entries.

References:
    Rasmussen and Williams 2006, "Gaussian processes for machine learning", chapters 2 and 5.
    Hvarfner, Hellsten and Nardi 2024, "Vanilla Bayesian optimization performs great in high dimensions" (a prior of
    the lengths that grows with the number of dimensions).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf
from scipy.optimize import fmin_l_bfgs_b

from dialed.search.model.kernel import inverse, matern, pairwise, root_of, solve, squared_distances
from dialed.search.model.layout import Array

__all__ = ["Hyper", "Posterior", "fit", "hyper_of", "negative_log_posterior", "prior"]

LENGTH = 0.6
"""The median length-scale of one hyperparameter alone; it grows with the fourth root of their number."""

LENGTH_SPREAD = 0.8
NOISE, NOISE_SPREAD = 0.01, 1.2
SIGNAL_SPREAD = 0.5
"""Standard deviations of the logarithms, tuned on tables of recorded trainings for up to some 40 hyperparameters."""

LEAST_NOISE = 1e-6
"""Keeps the covariance of near-identical configurations positive definite."""

STEPS = 30
BOUNDS = {"length": (0.02, 60.0), "signal": (0.05, 20.0), "noise": (1e-5, 2.0)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hyper:
    """What is learned: length-scales, shape `(dimensions,)`, and the variances of the function and of the noise."""

    lengths: Array
    signal: float
    noise: float


class Posterior:
    """What is believed of the function once `values`, shape `(count,)`, were seen at `features`.

    Args:
        features: Shape `(count, width)`.
        values: Standardised; far from all data, the belief returns to 0.
        owner: For each feature, its dimension.
        hyper: Length-scales and variances.
    """

    def __init__(self, features: Array, values: Array, owner: NDArray[np.int64], hyper: Hyper) -> None:
        self.hyper = hyper
        self.owner = owner
        self.features = features
        self.values = values
        self._scaled = features / hyper.lengths[owner]
        covariance = hyper.signal * matern(squared_distances(self._scaled, self._scaled))
        covariance[np.diag_indices(len(values))] += hyper.noise
        self._root = root_of(covariance)
        self._weights = solve(self._root, solve(self._root, values), transposed=True)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the function (without noise), each of shape `(count,)`."""
        across = self._across(features)
        explained = solve(self._root, across)
        variance = self.hyper.signal - np.einsum("ij,ij->j", explained, explained)
        return across.T @ self._weights, np.sqrt(np.maximum(variance, 1e-12))

    def mean(self, features: Array) -> Array:
        """The mean alone."""
        return self._across(features).T @ self._weights

    def expecting(self, features: Array) -> Posterior:
        """This belief as if its own means had been seen at `features`: no mean changes, uncertainty shrinks there.

        References:
            Desautels, Krause and Burdick 2014, "Parallelizing exploration-exploitation tradeoffs in Gaussian process
            bandit optimization".
        """
        if not len(features):
            return self
        values = np.concatenate([self.values, self.mean(features)])
        return Posterior(np.vstack([self.features, features]), values, self.owner, self.hyper)

    def left_out(self) -> Array:
        """For each value what the others say of it, shape `(count,)`: by how much the belief in it would be wrong.

        References:
            Rasmussen and Williams 2006, section 5.4.2.
        """
        return np.asarray(self._weights / np.diag(inverse(self._root)))

    def _across(self, features: Array) -> Array:
        scaled = features / self.hyper.lengths[self.owner]
        return self.hyper.signal * matern(squared_distances(self._scaled, scaled))


def fit(features: Array, values: Array, owner: NDArray[np.int64], *, steps: int = STEPS) -> Hyper:
    """The most plausible length-scales and variances, by L-BFGS from the middle of their priors."""
    dimensions = int(owner.max()) + 1 if len(owner) else 0
    start, _ = prior(dimensions)
    limits = [BOUNDS["length"]] * dimensions + [BOUNDS["signal"], BOUNDS["noise"]]
    bounds = [(math.log(low), math.log(high)) for low, high in limits]
    theta, _, _ = fmin_l_bfgs_b(
        lambda theta: negative_log_posterior(theta, features, values, owner), start, bounds=bounds, maxiter=steps
    )
    return hyper_of(theta)


def negative_log_posterior(
    theta: Array, features: Array, values: Array, owner: NDArray[np.int64]
) -> tuple[float, Array]:
    """How implausible `theta` is, up to a constant, and its gradient.

    Args:
        theta: Logarithms of the lengths, of the signal's variance, and of the noise's; shape `(dimensions + 2,)`.
        features: Shape `(count, width)`.
        values: Shape `(count,)`.
        owner: For each feature, its dimension.
    """
    hyper = hyper_of(theta)
    scaled = features / hyper.lengths[owner]
    distance = np.sqrt(5.0 * squared_distances(scaled, scaled))
    decay = np.exp(-distance)
    slope = (1.0 + distance) * decay
    correlation = slope + distance * distance * decay / 3.0
    covariance = hyper.signal * correlation
    covariance[np.diag_indices(len(values))] += hyper.noise
    root, failed = dpotrf(covariance, lower=1, clean=1)
    if failed:
        return 1e10, np.zeros_like(theta)
    half = solve(root, values)
    weights = solve(root, half, transposed=True)
    centre, spread = prior(len(theta) - 2)
    away = (theta - centre) / spread
    implausible = 0.5 * half @ half + np.log(np.diag(root)).sum() + 0.5 * away @ away
    pull = np.outer(weights, weights) - inverse(root)
    by_length = pairwise(pull * slope, scaled, owner, len(theta) - 2) * (5.0 / 3.0) * hyper.signal
    by_variance = [hyper.signal * np.sum(pull * correlation), (hyper.noise - LEAST_NOISE) * np.trace(pull)]
    return float(implausible), -0.5 * np.append(by_length, by_variance) + away / spread


def prior(dimensions: int) -> tuple[Array, Array]:
    """Means and standard deviations of the logarithms."""
    length = np.log(LENGTH) + 0.25 * np.log(max(dimensions, 1))
    centre = np.append(np.full(dimensions, length), [0.0, np.log(NOISE)])
    return centre, np.append(np.full(dimensions, LENGTH_SPREAD), [SIGNAL_SPREAD, NOISE_SPREAD])


def hyper_of(theta: Array) -> Hyper:
    """What the logarithms `theta` stand for."""
    *lengths, signal, noise = np.exp(theta)
    return Hyper(lengths=np.array(lengths), signal=float(signal), noise=float(noise) + LEAST_NOISE)
