"""How likely a trial is to succeed, where some have failed."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from dialed.search.model.gaussian import Posterior, fit
from dialed.search.model.layout import Array, Layout

__all__ = ["Feasibility"]

MOST = 48
"""Trials of either kind that it learns from: the newest."""

STEPS = 15

CAUTION, ALARM = 1.0, 64.0
"""The power of the probability of success, where nearly nothing fails, and what each further failure in all adds to it.

With the plain probability, a search whose best lies at the edge of what fails goes on failing in every other trial: a
coin's toss halves what a trial is worth, and just beyond the edge it promises more than twice as much.
"""


class Feasibility:
    """The probability that a trial does not fail.

    A Gaussian process is fitted to +1 for success and -1 for failure, about their mean, and its belief is put through
    the normal distribution function: the closed form of a probit model whose latent values are taken as seen.

    Args:
        layout: Of the space.
        succeeded: Units of the trials that have a score, in order.
        failed: Units of those that have failed; at least one.
    """

    def __init__(self, layout: Layout, succeeded: Array, failed: Array) -> None:
        succeeded, failed = succeeded[-MOST:], failed[-MOST:]
        labels = np.append(np.ones(len(succeeded)), -np.ones(len(failed)))
        features = layout.features(np.vstack([succeeded, failed]))
        self._base = float(labels.mean())
        self._caution = CAUTION + ALARM * len(failed) / len(labels)
        hyper = fit(features, labels - self._base, layout.owner, steps=STEPS)
        self._latent = Posterior(features, labels - self._base, layout.owner, hyper)

    def log_discount(self, features: Array) -> Array:
        """The logarithm of what the risk of failure makes of a trial's worth, shape `(count,)`."""
        return self._caution * self.log_probability(features)

    def log_probability(self, features: Array) -> Array:
        """The logarithm of the probability of success, shape `(count,)`."""
        mean, deviation = self._latent.predict(features)
        return np.asarray(log_ndtr((self._base + mean) / np.sqrt(deviation**2 + self._latent.hyper.noise)))
