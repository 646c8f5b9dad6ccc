"""What earlier studies say of this one: a prior mean that is believed as far as it comes true.

For each earlier study a Gaussian process predicts its tamed loss, mu(x). Once n trials of this study have scores,

    trust = max(0, (n rho + FAITH) / (n + FAITH)),      rho the rank correlation of mu with this study's losses,

so that an earlier study is believed at first, and a misleading one no more after a few trials. The model of this study
then is a + b mu(x) + s f(x): f a Gaussian process of what mu leaves unexplained, b the trust times the ratio of the
standard deviations of losses and mu, s that of the rest. Where, left out one by one, the trials are predicted better
without mu, it is left out.

References:
    Golovin and others 2017, "Google Vizier: a service for black-box optimization", section 3.3 (a Gaussian process of
    residuals on top of that of an earlier study).
    Feurer, Letham and Bakshy 2018, "Scalable meta-learning for Bayesian optimization" (weights by how well an earlier
    model ranks the new trials).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from dialed.search._tried import recall
from dialed.search.earlier import fitting
from dialed.search.history import History
from dialed.search.model.evidence import Evidence, chosen
from dialed.search.model.gaussian import Posterior, fit
from dialed.search.model.layout import Array, Layout
from dialed.search.model.outputs import tamed
from dialed.search.model.proposals import Surrogate
from dialed.trial import EarlierTrial

__all__ = ["Informed", "Prior", "prior_of", "surrogate"]

FAITH = 3.0
"""So many trials' worth of agreement an earlier study has in advance."""

ENOUGH = 0.6
"""With so much trust the model needs no even start."""

MOST, FITTED = 200, 120
"""Trials of an earlier study that it is modelled by, and fitted to."""

STEEPEST = 3.0

TESTED = 6
"""Trials of this study from which leaving out one by one says something."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """Earlier studies, and how far each is trusted after the trials so far."""

    studies: tuple[Posterior, ...]
    trust: tuple[float, ...]

    @property
    def agrees(self) -> bool:
        """Whether what has come true makes an even start unnecessary."""
        return max(self.trust) > ENOUGH

    def mean(self, features: Array) -> Array:
        """What they foretell together, each as far as it is trusted."""
        shares = np.array(self.trust) / max(sum(self.trust), 1e-12)
        return np.asarray(sum(w * study.mean(features) for w, study in zip(shares, self.studies, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Informed:
    """A belief of the form a + b mu(x) + s f(x)."""

    prior: Prior
    base: float
    slope: float
    spread: float
    rest: Posterior

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of the function, each of shape `(count,)`."""
        mean, deviation = self.rest.predict(features)
        return self.foretold(features) + self.spread * mean, self.spread * deviation

    def foretold(self, features: Array) -> Array:
        """The part that the earlier studies know, shape `(count,)`."""
        return self.base + self.slope * self.prior.mean(features)

    def expecting(self, features: Array) -> Informed:
        """The same while trials at `features` are running."""
        rest = self.rest.expecting(features)
        return Informed(prior=self.prior, base=self.base, slope=self.slope, spread=self.spread, rest=rest)


def prior_of(history: History, layout: Layout, evidence: Evidence) -> Prior | None:
    """The earlier studies of a history, trusted by how well they rank its trials; `None` where there are none."""
    if not history.earlier:
        return None
    studies = recall(
        history, "bayesian: earlier", layout.space, len(history.earlier), lambda: _studies(history, layout)
    )
    if not studies:
        return None
    features = layout.features(evidence.scored)
    return Prior(studies=studies, trust=tuple(_trust(study.mean(features), evidence.losses) for study in studies))


def _studies(history: History, layout: Layout) -> tuple[Posterior, ...]:
    found = (_study(event.trials, layout) for event in history.earlier)
    return tuple(study for study in found if study is not None)


def _study(trials: Sequence[EarlierTrial], layout: Layout) -> Posterior | None:
    pairs = [(values, trial.loss) for trial in trials if (values := fitting(trial, layout.space)) is not None]
    if len({loss for _, loss in pairs}) < 2 or not layout.size:
        return None
    units = np.array([layout.space.encode(values) for values, _ in pairs])
    losses = np.array([loss for _, loss in pairs])
    part = chosen(losses, MOST)
    return _fitted(layout.features(units[part]), tamed(losses)[part], layout)


def _trust(foretold: Array, losses: Array) -> float:
    count = len(losses)
    agreement = 0.0
    if count > 1 and np.ptp(foretold) > 0.0 and np.ptp(losses) > 0.0:
        agreement = float(np.corrcoef(rankdata(foretold), rankdata(losses))[0, 1])
    return max(0.0, (count * agreement + FAITH) / (count + FAITH))


def surrogate(features: Array, values: Array, layout: Layout, prior: Prior | None) -> Surrogate:
    """The model of this study's tamed losses, with what earlier studies say as far as that helps.

    Args:
        features: Of its trials, shape `(count, width)`.
        values: Their tamed losses, shape `(count,)`.
        layout: Of the space.
        prior: What earlier studies say.
    """
    cold = _fitted(features, values, layout)
    if prior is None or not prior.agrees:
        return cold
    informed = _informed(features, values, layout, prior)
    if len(values) >= TESTED and _miss(informed.rest, informed.spread) > _miss(cold, 1.0):
        return cold
    return informed


def _miss(model: Posterior, spread: float) -> float:
    """How far off the predictions of each trial by all others are, as a sum of squares."""
    return float(np.sum((spread * model.left_out()) ** 2))


def _informed(features: Array, values: Array, layout: Layout, prior: Prior) -> Informed:
    foretold = prior.mean(features)
    count = len(values)
    slope = max((count * _slope(foretold, values) + FAITH) / (count + FAITH), 0.0)
    base = float(np.mean(values - slope * foretold))
    left = values - base - slope * foretold
    spread = float(np.sqrt((np.sum(left**2) + 2.0) / (count + 2.0)))
    return Informed(prior=prior, base=base, slope=slope, spread=spread, rest=_fitted(features, left / spread, layout))


def _slope(foretold: Array, values: Array) -> float:
    """By least squares, within bounds: what is foretold hardly varies where only good values are tried again."""
    away = foretold - foretold.mean()
    return float(np.clip(away @ values / max(away @ away, 1e-9), -STEEPEST, STEEPEST))


def _fitted(features: Array, values: Array, layout: Layout) -> Posterior:
    part = chosen(values, FITTED)
    return Posterior(features, values, layout.owner, fit(features[part], values[part], layout.owner))
