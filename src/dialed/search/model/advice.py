"""From the history of a study to the configurations to try next."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace

import numpy as np

from dialed.search._tried import Tried, recall
from dialed.search.history import History
from dialed.search.model.beliefs import Beliefs
from dialed.search.model.evidence import Evidence, Ledger, chosen
from dialed.search.model.feasibility import Feasibility
from dialed.search.model.gaussian import Hyper, Posterior, fit
from dialed.search.model.layout import Array, Layout
from dialed.search.model.outputs import normalised
from dialed.search.model.proposals import Judge, Trust, ranked
from dialed.trial import Values

__all__ = ["Adviser"]

MODELLED = 300
"""Trials that the model is made of, at most; its costs grow with the cube."""

FITTED = 90
"""Trials that the length-scales are fitted to, at most: a few numbers need no more, and a fit takes many steps."""

AWAITED = 100
"""Running trials that are taken into account, at most: the newest."""

LISTED = 1500
"""A space with at most so many configurations is searched through to the last one at each decision."""

LEADERS = 5

Keyed = tuple[Hashable, Values]


class Adviser:
    """What a model of the trials advises. Made anew for each decision; only the ledger and a list are remembered.

    Args:
        layout: Of the space.
        evidence: At least one scored trial.
        begun: How many trials the study has begun.
        beliefs: What the user believes, if anything.
    """

    def __init__(self, layout: Layout, evidence: Evidence, *, begun: int, beliefs: Beliefs | None) -> None:
        self.layout = layout
        self.begun = begun
        self.units = evidence.scored[chosen(evidence.losses, MODELLED)]
        values = normalised(evidence.losses)[chosen(evidence.losses, MODELLED)]
        features = layout.features(self.units)
        posterior = Posterior(features, values, layout.owner, _hyper(features, values, layout))
        means = posterior.mean(features)
        self.leaders = self.units[np.argsort(means, kind="stable")[:LEADERS]]
        seen = np.vstack([evidence.scored, evidence.failed, evidence.pending])
        self.judge = Judge(
            layout=layout,
            posterior=posterior,
            best=float(means.min()),
            feasibility=Feasibility(layout, evidence.scored, evidence.failed) if len(evidence.failed) else None,
            beliefs=beliefs,
            trials=max(len(evidence.losses), 1),
            trust=Trust.after(seen[:, layout.stepwise], layout.size),
        ).expecting(evidence.pending[-AWAITED:])

    def advise(self, known: Tried, history: History, rng: np.random.Generator, count: int) -> dict[Hashable, Values]:
        """At most `count` untried configurations, by key; fewer only where no candidate was untried."""
        picked: dict[Hashable, Values] = {}
        judge = self.judge
        for place in range(count):
            judge = replace(judge, taste="improvement" if (self.begun + place) % 2 else "optimism")
            candidates = self._candidates(judge, known, history, rng, effort=max(0.3, 1.0 / (1.0 + place)))
            found = next((keyed for keyed in candidates if keyed[0] not in known and keyed[0] not in picked), None)
            if found is None:
                break
            picked[found[0]] = found[1]
            if place + 1 < count:
                judge = judge.expecting(known.space.encode(found[1])[None, :])
        return picked

    def _candidates(
        self, judge: Judge, known: Tried, history: History, rng: np.random.Generator, *, effort: float
    ) -> Iterator[Keyed]:
        if known.size is not None and known.size <= LISTED:
            keys, configurations, units = recall(history, "bayesian: all", known.space, None, lambda: _listed(known))
            left = np.array([key not in known for key in keys], dtype=bool)
            places = np.flatnonzero(left)
            worth = judge.worth(units[places]) if len(places) else np.zeros(0)
            for index in places[np.argsort(-worth, kind="stable")]:
                yield keys[index], configurations[index]
            return
        for row in ranked(judge, rng, self.leaders, effort=effort):
            values = known.space.decode(row)
            yield known.space.key(values), values


def _hyper(features: Array, values: Array, layout: Layout) -> Hyper:
    part = chosen(values, FITTED)
    return fit(features[part], values[part], layout.owner)


def _listed(known: Tried) -> tuple[list[Hashable], list[Values], Array]:
    configurations: list[Values] = list(known.space.enumerate())
    units = np.array([known.space.encode(values) for values in configurations])
    return [known.space.key(values) for values in configurations], configurations, units


def read(known: Tried, history: History) -> tuple[Layout, Evidence]:
    """The layout of the space, and what the history says in it."""
    ledger = recall(history, "bayesian: ledger", known.space, None, lambda: Ledger(Layout(known.space)))
    return ledger.layout, ledger.read(history)
