"""A Gaussian process over configurations and rungs: what a rung says of the end is a matter of the configuration.

Small learning rates look bad early and large ones good, so a short training errs, and errs alike for configurations
that are alike. With k the kernel over configurations and q the way from a rung to the end (1 on the lowest rung, 0 on
the last), observations i on rung r and j on rung t have the covariance

    K_ij = k(x_i, x_j) (1 + c^2 q_r q_t rho^|r - t|) + (noise + v_i) [i = j].

The first summand is the loss after the full training; the second is how a rung misleads, itself a smooth function of
the configuration. v_i is the variance of what was foretold from the curve: where a rung says nothing, the model learns
nothing from it. Predictions are for the full training.

References:
    Swersky, Snoek and Adams 2013, "Multi-task Bayesian optimization"; Klein and others 2020, "Model-based asynchronous
    hyperparameter and neural architecture search" (the joint model over rungs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import fmin_l_bfgs_b

from dialed.search.model.gaussian import BOUNDS, LEAST_NOISE, Hyper, hyper_of, prior
from dialed.search.model.kernel import inverse, matern, pairwise, root_of, solve, squared_distances
from dialed.search.model.layout import Array

__all__ = ["JointPosterior", "Seen", "fit_joint"]

KINSHIP = 0.7
"""rho: how alike neighbouring rungs mislead."""

MISLEADING, MISLEADING_SPREAD = 0.5, 0.7
"""c, and the standard deviation of its logarithm."""

LIMITS = (0.02, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """Observations: `features`, shape `(count, width)`; `values`; `away`, the way to the last rung from 0 to 1;
    `rungs`, their indices; and `doubt`, the variances that are known; each of shape `(count,)`.
    """

    features: Array
    values: Array
    away: Array
    rungs: NDArray[np.int64]
    doubt: Array

    def part(self, rows: NDArray[np.int64]) -> Seen:
        """Those observations."""
        return Seen(
            features=self.features[rows],
            values=self.values[rows],
            away=self.away[rows],
            rungs=self.rungs[rows],
            doubt=self.doubt[rows],
        )

    def kinship(self) -> Array:
        """q_r q_t rho^|r - t| for all pairs."""
        apart = np.abs(self.rungs[:, None] - self.rungs[None, :])
        return np.asarray(np.outer(self.away, self.away) * KINSHIP**apart)


class JointPosterior:
    """What is believed of the loss after the full training.

    Args:
        seen: Standardised observations.
        owner: For each feature, its dimension.
        hyper: Of the kernel over configurations.
        misleading: c.
    """

    def __init__(self, seen: Seen, owner: NDArray[np.int64], hyper: Hyper, misleading: float) -> None:
        self.hyper = hyper
        self.misleading = misleading
        self.owner = owner
        self.seen = seen
        self._scaled = seen.features / hyper.lengths[owner]
        covariance = hyper.signal * matern(squared_distances(self._scaled, self._scaled))
        covariance *= 1.0 + misleading**2 * seen.kinship()
        covariance[np.diag_indices(len(seen.values))] += hyper.noise + seen.doubt
        self._root = root_of(covariance)
        self._weights = solve(self._root, solve(self._root, seen.values), transposed=True)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Mean and standard deviation after the full training, each of shape `(count,)`."""
        across = self._across(features)
        explained = solve(self._root, across)
        variance = self.hyper.signal - np.einsum("ij,ij->j", explained, explained)
        return across.T @ self._weights, np.sqrt(np.maximum(variance, 1e-12))

    def mean(self, features: Array) -> Array:
        """The mean alone."""
        return self._across(features).T @ self._weights

    def expecting(self, features: Array) -> JointPosterior:
        """This belief as if its own means had been seen at `features`, after full trainings."""
        if not len(features):
            return self
        count = len(features)
        seen = Seen(
            features=np.vstack([self.seen.features, features]),
            values=np.concatenate([self.seen.values, self.mean(features)]),
            away=np.concatenate([self.seen.away, np.zeros(count)]),
            rungs=np.concatenate([self.seen.rungs, np.full(count, self.seen.rungs.max())]),
            doubt=np.concatenate([self.seen.doubt, np.zeros(count)]),
        )
        return JointPosterior(seen, self.owner, self.hyper, self.misleading)

    def _across(self, features: Array) -> Array:
        scaled = features / self.hyper.lengths[self.owner]
        return self.hyper.signal * matern(squared_distances(self._scaled, scaled))


def fit_joint(seen: Seen, owner: NDArray[np.int64], *, steps: int) -> tuple[Hyper, float]:
    """The most plausible kernel and c, by L-BFGS from the middle of their priors."""
    dimensions = int(owner.max()) + 1 if len(owner) else 0
    centre, _ = prior(dimensions)
    start = np.append(centre, math.log(MISLEADING))
    limits = [BOUNDS["length"]] * dimensions + [BOUNDS["signal"], BOUNDS["noise"], LIMITS]
    bounds = [(math.log(low), math.log(high)) for low, high in limits]
    kinship = seen.kinship()
    theta, _, _ = fmin_l_bfgs_b(
        lambda theta: _implausible(theta, seen, kinship, owner), start, bounds=bounds, maxiter=steps
    )
    return hyper_of(theta[:-1]), float(np.exp(theta[-1]))


def _implausible(theta: Array, seen: Seen, kinship: Array, owner: NDArray[np.int64]) -> tuple[float, Array]:
    """How implausible `theta` is, up to a constant, and its gradient."""
    hyper, misleading = hyper_of(theta[:-1]), float(np.exp(theta[-1]))
    scaled = seen.features / hyper.lengths[owner]
    distance = np.sqrt(5.0 * squared_distances(scaled, scaled))
    decay = np.exp(-distance)
    slope = (1.0 + distance) * decay
    correlation = slope + distance * distance * decay / 3.0
    gain = 1.0 + misleading**2 * kinship
    covariance = hyper.signal * correlation * gain
    covariance[np.diag_indices(len(seen.values))] += hyper.noise + seen.doubt
    try:
        root = root_of(covariance)
    except FloatingPointError:  # no step of the search for theta goes there
        return 1e10, np.zeros_like(theta)
    half = solve(root, seen.values)
    weights = solve(root, half, transposed=True)
    centre, spread = _priors(len(theta) - 3)
    far = (theta - centre) / spread
    implausible = 0.5 * half @ half + np.log(np.diag(root)).sum() + 0.5 * far @ far
    pull = np.outer(weights, weights) - inverse(root)
    by_length = pairwise(pull * slope * gain, scaled, owner, len(theta) - 3) * (5.0 / 3.0) * hyper.signal
    by_variance = [
        hyper.signal * np.sum(pull * correlation * gain),
        (hyper.noise - LEAST_NOISE) * np.trace(pull),
        2.0 * misleading**2 * hyper.signal * np.sum(pull * correlation * kinship),
    ]
    return float(implausible), -0.5 * np.append(by_length, by_variance) + far / spread


def _priors(dimensions: int) -> tuple[Array, Array]:
    centre, spread = prior(dimensions)
    return np.append(centre, math.log(MISLEADING)), np.append(spread, MISLEADING_SPREAD)
