"""Where learning curves lead: the loss after the full training, foretold from a few epochs, and how sure that is.

A curve is followed from rung to rung. With y_k its loss on rung k and d_k how much it has fallen of late, for each
`factor` by which the epochs grew,

    y_{k+1} = y_k - g_k d_k + b_k (y_k - m_k) + a_k + e,    e ~ N(0, s_k^2),    d_{k+1} = y_k - y_{k+1}.

A curve that follows a power law in the epochs falls by a constant share of d_k; that share g_k, and how the good and
the bad move towards or away from their median m_k, are learned from the trials that saw both rungs, by ridge regression
to g = 0.2, b = 0 and a = 0. So a curve that still falls is not taken for one that has come to rest, however high it is.

References:
    Domhan, Springenberg and Hutter 2015, "Speeding up automatic hyperparameter optimization of deep neural networks by
    extrapolation of learning curves" (power laws among others; the probability of being beaten).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dialed.search.model.layout import Array

__all__ = ["Foretold", "foretell", "recent_fall", "tempered"]

SHARE = 0.2
"""Of what a curve fell while its epochs grew by `factor`, the share that it falls in the next such step, before anything
was seen. Of recorded curves it is 0.1 to 0.6; what is expected too early misleads more than what is learned too late."""

DOUBT = 0.2
"""The standard deviation of that share, before anything was seen and from curve to curve."""

LIMITS = np.array([[0.0, -0.95, -np.inf], [1.5, 0.5, np.inf]])
"""Between which g, b and a are believed. At b = -1 a rung says nothing of the next; that it would
say the contrary is not believed, and becomes doubt."""

PRIOR_TRIALS = 4.0
"""How many trials the prior counts for in each regression."""

RESIDUAL = 0.3
"""The residual deviation expected before anything was seen, in standard deviations of the losses on a rung."""

CUT = 3.0
"""Losses are cut where they are worse than the median by so many times what the best tenth is better."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foretold:
    """The loss after the full training, as foretold on each rung: `mean` and `deviation`, shape `(trials, rungs)`.

    NaN where a trial did not come to a rung. On the last rung, the mean is what was measured.
    """

    mean: Array
    deviation: Array

    def latest(self) -> tuple[Array, Array]:
        """Mean and deviation as foretold on the highest rung of each trial, shapes `(trials,)`."""
        highest = np.isfinite(self.mean).sum(axis=1) - 1
        rows = np.arange(len(self.mean))
        return self.mean[rows, highest], self.deviation[rows, highest]


def foretell(losses: Array, falls: Array) -> Foretold:
    """Follow curves to their end.

    Args:
        losses: Shape `(trials, rungs)`; NaN where a trial did not come to a rung.
        falls: By how much each has fallen of late on its way there (see `recent_fall`), of the same shape; NaN where
            that is not known.
    """
    levels = np.column_stack([tempered(column) for column in losses.T])
    means, variances = levels.copy(), np.where(np.isfinite(levels), 0.0, np.nan)
    slopes = np.column_stack([_limited(fall, level) for fall, level in zip(falls.T, levels.T, strict=True)])
    for rung in range(levels.shape[1] - 1):
        step = _Step.learned(levels[:, rung], slopes[:, rung], levels[:, rung + 1])
        # everything that has come to this rung or was foretold for it, from whichever rung it started
        for start in range(rung + 1):
            before, fall = means[:, start].copy(), slopes[:, start]
            means[:, start] = step.ahead(before, fall)
            variances[:, start] = step.variance(variances[:, start], fall)
            slopes[:, start] = np.nan_to_num(before - means[:, start], nan=0.0)
    return Foretold(mean=means, deviation=np.sqrt(variances))


def _limited(falls: Array, levels: Array) -> Array:
    """Falls on one rung, 0 where unknown. A leap from far outside of all levels says nothing of the next step."""
    known, there = falls[np.isfinite(falls)], levels[np.isfinite(levels)]
    if not len(known) or not len(there):
        return np.zeros_like(falls)
    most = max(2.0 * float(there.std()), 3.0 * float(np.median(np.abs(known))))
    return np.asarray(np.clip(np.nan_to_num(falls, nan=0.0), -most, most))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """From one rung to the next."""

    share: float
    spread: float
    shift: float
    middle: float
    residual: float

    @classmethod
    def learned(cls, losses: Array, falls: Array, above: Array) -> _Step:
        """From the trials that saw both rungs."""
        known = losses[np.isfinite(losses)]
        if not len(known):
            return cls(share=SHARE, spread=0.0, shift=0.0, middle=0.0, residual=0.0)
        both = np.isfinite(losses) & np.isfinite(above)
        middle, fall = float(np.median(known)), float(np.sqrt(np.mean(falls[np.isfinite(losses)] ** 2)))
        scale = max(float(known.std()), fall, 1e-3 * abs(middle), 1e-12)  # one trial alone has no spread
        x = np.column_stack([-falls[both], losses[both] - middle, np.ones(both.sum())])
        prior = np.array([SHARE, 0.0, 0.0])
        noise = (RESIDUAL * scale) ** 2
        # so many trials' worth of the prior: the deviations of the three coefficients that it allows
        precision = noise * np.array([1.0 / DOUBT**2, 1.0 / 0.5**2, 1.0 / scale**2])
        gain = np.linalg.solve(x.T @ x + np.diag(precision), x.T @ (above[both] - losses[both] - x @ prior))
        learned = np.clip(prior + gain, *LIMITS)
        residuals = above[both] - losses[both] - x @ learned
        squares = float(residuals @ residuals) + PRIOR_TRIALS * noise
        return cls(
            share=float(learned[0]),
            spread=float(learned[1]),
            shift=float(learned[2]),
            middle=middle,
            residual=math.sqrt(squares / (int(both.sum()) + PRIOR_TRIALS)),
        )

    def ahead(self, losses: Array, falls: Array) -> Array:
        """Losses on the next rung."""
        return np.asarray(losses - self.share * falls + self.spread * (losses - self.middle) + self.shift)

    def variance(self, variances: Array, falls: Array) -> Array:
        """Their variances: what a curve fell in the step before is the more doubtful, the more that was."""
        return np.asarray((1.0 + self.spread) ** 2 * variances + self.residual**2 + (DOUBT * falls) ** 2)


def tempered(losses: Array) -> Array:
    """`losses` without what is hopelessly bad: cut beyond `CUT` times the way from the median to the best tenth."""
    known = losses[np.isfinite(losses)]
    if len(known) < 4:
        return losses
    middle, good = np.quantile(known, [0.5, 0.1])
    return np.asarray(np.minimum(losses, middle + CUT * max(float(middle - good), 1e-12)))


def recent_fall(curve: Sequence[float], rung: int, factor: int) -> float:
    """How much a curve falls while its epochs grow by `factor`, from what it did between `rung / factor` and `rung`.

    The slope of a straight line through the finite losses over the logarithm of the epoch; NaN for fewer than two.
    """
    first = max(math.ceil(rung / factor), 1)
    epochs = np.arange(first, rung + 1)
    losses = np.asarray(curve[first - 1 : rung], dtype=np.float64)
    epochs, losses = epochs[: len(losses)][np.isfinite(losses)], losses[np.isfinite(losses)]
    if len(losses) < 2:
        return math.nan
    logs = np.log(epochs) / math.log(factor)
    logs = logs - logs.mean()
    return float(-(logs @ losses) / (logs @ logs))
