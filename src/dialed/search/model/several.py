"""What to try next for several objectives, or under constraints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dialed.objectives import keeps, shortfall, value_of
from dialed.search.front import losses_of, non_dominated, ranks
from dialed.search.history import History
from dialed.search.model.acquisition import log_expected_improvement, log_optimism
from dialed.search.model.advice import AWAITED, FITTED, LEADERS, MODELLED, Adviser
from dialed.search.model.beliefs import Beliefs
from dialed.search.model.earlier import Prior, prior_of, surrogate
from dialed.search.model.evidence import Evidence, chosen
from dialed.search.model.feasibility import Feasibility
from dialed.search.model.gaussian import Posterior, fit
from dialed.search.model.improvement import Boxes, log_hypervolume_improvement, reference_of
from dialed.search.model.layout import Array, Layout
from dialed.search.model.limits import Limit, limits_of
from dialed.search.model.outputs import tamed
from dialed.search.model.proposals import Judge, Surrogate, Taste, Trust
from dialed.trial import Trial

__all__ = ["SeveralAdviser", "SeveralJudge", "adviser_of", "prior_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeveralJudge:
    """What a trial is worth for several objectives, or under constraints, as a logarithm.

    The probability of keeping every constraint multiplies what it promises: the expected improvement of the front, or
    of the best loss where there is one objective. While no trial keeps the constraints, that probability is all.

    Args:
        base: Judges the first objective, and what a trial is worth less for whatever it promises.
        others: Beliefs in the other objectives.
        limits: The constraints.
        front: Losses of the trials that keep the constraints and that no other dominates, as the beliefs have them,
            shape `(count, objectives)`; none while no trial keeps them.
        reference: The worst losses that count.
    """

    base: Judge
    others: tuple[Surrogate, ...]
    limits: tuple[Limit, ...]
    front: Array
    reference: Array
    boxes: Boxes | None
    taste: Taste = "improvement"

    @property
    def layout(self) -> Layout:
        """Of the space."""
        return self.base.layout

    def worth(self, units: Array) -> Array:
        """The worth of each row of `units`, shape `(count,)`."""
        features = self.layout.features(units)
        worth = self._promise(features) + self.base.circumstances(units, features)
        for limit in self.limits:
            worth = worth + limit.log_probability(features)
        return worth

    def _promise(self, features: Array) -> Array:
        if not len(self.front):
            return np.zeros(len(features))
        if self.boxes is None:
            acquired = log_expected_improvement if self.taste == "improvement" else log_optimism
            return acquired(*self.base.posterior.predict(features), float(self.front.min()))
        means, deviations = _predictions([self.base.posterior, *self.others], features)
        return log_hypervolume_improvement(means, deviations, self.boxes)

    def expecting(self, units: Array) -> SeveralJudge:
        """The same while trials of `units` are running: what they promise is taken as if it were on the front."""
        features = self.layout.features(units)
        if not len(units):
            return self
        front = self.front
        if self.boxes is not None:
            means, _ = _predictions([self.base.posterior, *self.others], features)
            likely = sum((limit.log_probability(features) for limit in self.limits), np.zeros(len(units)))
            front = np.vstack([front, means.T[likely > math.log(0.5)]])
            front = front[non_dominated(front)]
        return replace(
            self,
            base=self.base.expecting(units),
            others=tuple(other.expecting(features) for other in self.others),
            front=front,
            boxes=None if self.boxes is None else Boxes(front, self.reference),
        )


def _predictions(beliefs: Sequence[Surrogate], features: Array) -> tuple[Array, Array]:
    """Means and deviations, each of shape `(objectives, count)`."""
    means, deviations = zip(*(belief.predict(features) for belief in beliefs), strict=True)
    return np.stack(means), np.stack(deviations)


class SeveralAdviser(Adviser):
    """What a model of all objectives and constraints advises.

    Args:
        layout: Of the space.
        evidence: At least one scored trial; each has all objectives (see `comparable`).
        history: Knows those trials.
        beliefs: What the user believes, if anything.
        prior: What earlier studies say of the first objective, if anything.
    """

    def __init__(
        self, layout: Layout, evidence: Evidence, *, history: History, beliefs: Beliefs | None, prior: Prior | None
    ) -> None:
        self.layout = layout
        self.begun = len(history)
        terms = history.terms
        every = [history.trial(number) for number in evidence.numbers]
        losses = losses_of(every, terms)
        part = chosen(ranks(losses).astype(np.float64) if terms.others else losses[:, 0], MODELLED)
        trials, losses, units = [every[i] for i in part], losses[part], evidence.scored[part]
        features = layout.features(units)
        beliefs_in = [_believed(features, losses[:, place], layout) for place in range(1, losses.shape[1])]
        first = surrogate(features, tamed(losses[:, 0]), layout, prior)
        means, _ = _predictions([first, *beliefs_in], features)
        fair = np.array([keeps(trial, terms.constraints) for trial in trials], dtype=bool)
        front = means.T[fair][non_dominated(means.T[fair])]
        self.leaders = units[_leading(trials, means.T, fair, history)]
        reference = reference_of(front, means.T) if len(front) else np.zeros(len(means))
        seen = np.vstack([evidence.scored, evidence.failed, evidence.pending])
        trusted = prior is not None and prior.agrees
        judge = SeveralJudge(
            base=Judge(
                layout=layout,
                posterior=first,
                best=float(means[0].min()),
                feasibility=Feasibility(layout, evidence.scored, evidence.failed) if len(evidence.failed) else None,
                beliefs=beliefs,
                trials=len(evidence.losses),
                trust=None if trusted else Trust.after(seen[:, layout.stepwise], layout.size),
            ),
            others=tuple(beliefs_in),
            limits=tuple(limits_of(features, _constrained(trials, history), terms.constraints, layout)),
            front=front,
            reference=reference,
            boxes=Boxes(front, reference) if terms.others and len(front) else None,
        )
        self.judge = judge.expecting(evidence.pending[-AWAITED:])  # type: ignore[assignment]


def _believed(features: Array, losses: Array, layout: Layout) -> Posterior:
    values = tamed(losses)
    part = chosen(values, FITTED)
    return Posterior(features, values, layout.owner, fit(features[part], values[part], layout.owner))


def _leading(trials: Sequence[Trial], losses: Array, fair: NDArray[np.bool_], history: History) -> NDArray[np.int64]:
    """The trials near which it is worth looking: those of the front, or those nearest to keeping the constraints."""
    if fair.any():
        places = np.flatnonzero(fair)
        front = places[non_dominated(losses[places])]
        return front[np.argsort(losses[front, 0], kind="stable")] if losses.shape[1] > 1 else front[:LEADERS]
    away = np.array([shortfall(trial, history.terms.constraints) for trial in trials])
    return np.argsort(away, kind="stable")[:LEADERS]


def _constrained(trials: Sequence[Trial], history: History) -> Array:
    """What each trial has of what is constrained, shape `(trials, constraints)`."""
    names = [constraint.name for constraint in history.terms.constraints]
    rows = [[value_of(trial, name) for name in names] for trial in trials]
    return np.array(rows, dtype=np.float64).reshape(len(trials), len(names))


def adviser_of(
    layout: Layout, evidence: Evidence, history: History, *, beliefs: Beliefs | None, prior: Prior | None
) -> Adviser:
    """Who advises: a model of one loss, or of all that a study is after."""
    if prior is None and not history.terms.kept:
        return Adviser(layout, evidence, begun=len(history), beliefs=beliefs)
    return SeveralAdviser(layout, evidence, history=history, beliefs=beliefs, prior=prior)
