"""How long an epoch of a configuration takes, learned from the trials so far: large models cost more of a time budget.

A trial is worth its acquisition over its cost to the power of the share of the budget that is left: at first what is
cheap goes before what is dear, and in the end only what is good counts.

References:
    Lee, Perrone, Archambeau and Seeger 2020, "Cost-aware Bayesian optimization" (cost cooling).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from dialed.search.history import History
from dialed.search.model.evidence import Ledger
from dialed.search.model.gaussian import Posterior, fit
from dialed.search.model.layout import Array
from dialed.search.model.proposals import Judge

__all__ = ["Pace", "PricedJudge", "pace_of", "priced"]

TIMED = 80
"""Trials that it learns from, at most: the newest."""

FEWEST = 6
LEAST_SPREAD = 0.1
"""With a smaller standard deviation of the logarithm of the seconds, all configurations count as equally quick."""

STEPS = 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pace:
    """The logarithm of the seconds an epoch takes, relative to the average, times `cooling`."""

    posterior: Posterior
    spread: float
    cooling: float

    def log_cost(self, features: Array) -> Array:
        """What to take off the logarithm of a trial's worth, shape `(count,)`."""
        return np.asarray(self.cooling * self.spread * self.posterior.mean(features))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PricedJudge(Judge):
    """What a trial of a configuration is worth for what it costs."""

    pace: Pace

    def worth(self, units: Array) -> Array:
        """The worth of each row of `units` over its cost, as a logarithm, shape `(count,)`."""
        return np.asarray(Judge.worth(self, units) - self.pace.log_cost(self.layout.features(units)))


def priced(judge: Judge, pace: Pace) -> PricedJudge:
    """The same judge, who looks at the cost too."""
    parts = {part.name: getattr(judge, part.name) for part in fields(judge)}
    return PricedJudge(**parts, pace=pace)


def pace_of(ledger: Ledger, history: History) -> Pace | None:
    """How long configurations take; `None` without a budget in time, or while all take about as long."""
    most = history.terms.max_seconds
    if most is None:
        return None
    timed = [trial for trial in history.trials if trial.epochs and trial.seconds > 0.0]
    left = 1.0 - sum(trial.seconds for trial in timed) / most
    rows = [(row, trial) for trial in timed[-TIMED:] if (row := ledger.row(trial)) is not None]
    if left <= 0.0 or len(rows) < FEWEST:
        return None
    logs = np.log([trial.seconds / trial.epochs for _, trial in rows])
    spread = float(logs.std())
    if spread < LEAST_SPREAD:
        return None
    features = ledger.layout.features(np.array([row for row, _ in rows]))
    values = (logs - logs.mean()) / spread
    hyper = fit(features, values, ledger.layout.owner, steps=STEPS)
    posterior = Posterior(features, values, ledger.layout.owner, hyper)
    return Pace(posterior=posterior, spread=spread, cooling=left)
