"""The configurations that are worth the most, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self, TypeAlias

import numpy as np

from dialed.search.model.acquisition import log_expected_improvement, log_optimism
from dialed.search.model.beliefs import STRENGTH, Beliefs
from dialed.search.model.feasibility import Feasibility
from dialed.search.model.layout import Array, Layout

__all__ = ["Judge", "Trust", "ranked"]

Taste: TypeAlias = Literal["improvement", "optimism"]

DRAWN = 800
"""Configurations from all over the space that are looked at."""

NEAR = 300
"""Configurations near the best ones."""

ROUNDS = 4
"""Rounds of a local search from the best of all those."""

LEADERS, FOLLOWERS = 6, 40
"""In each round: where it starts from, and how many steps are tried from each."""

STRIDE = 0.12
"""The first round's step, as a share of the range; each further round halves it."""


class Surrogate(Protocol):
    """What is believed of the loss: standardised, and any model that says this much of it will do."""

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Mean and standard deviation, each of shape `(count,)`."""
        ...

    def expecting(self, features: Array) -> Self:
        """The same while trials at `features` are running."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trust:
    """Where the model is believed: within `radius` of some trial in each number that has a neighbourhood.

    References:
        Song and others 2024, "The Vizier Gaussian process bandit algorithm".
    """

    units: Array
    radius: float

    @classmethod
    def after(cls, units: Array, size: int) -> Trust | None:
        """The region after so many trials in a space of `size` dimensions; `None` once it would be everything."""
        radius = 0.2 + 0.3 * len(units) / (5.0 * (size + 1))
        return cls(units=units, radius=radius) if radius < 0.5 and len(units) else None

    def penalty(self, units: Array) -> Array:
        """0 inside; outside more than anything else could weigh up, and growing with the distance."""
        gaps = np.abs(units[:, None, :] - self.units[None, :, :])
        distance = np.nan_to_num(gaps, nan=0.0).max(axis=2, initial=0.0).min(axis=1)
        return np.where(distance > self.radius, -1e4 * (1.0 + distance), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judge:
    """What a trial of a configuration is worth, as a logarithm. `None` stands for a part that is not needed."""

    layout: Layout
    posterior: Surrogate
    best: float
    taste: Taste = "improvement"
    feasibility: Feasibility | None = None
    beliefs: Beliefs | None = None
    trials: int = 1
    trust: Trust | None = None

    def worth(self, units: Array) -> Array:
        """The worth of each row of `units`, shape `(count,)`."""
        features = self.layout.features(units)
        mean, deviation = self.posterior.predict(features)
        acquired = log_expected_improvement if self.taste == "improvement" else log_optimism
        return acquired(mean, deviation, self.best) + self.circumstances(units, features)

    def circumstances(self, units: Array, features: Array) -> Array:
        """What a trial's worth is changed by, whatever it promises: failures, beliefs, trust."""
        worth = np.zeros(len(units))
        if self.feasibility is not None:
            worth = worth + self.feasibility.log_discount(features)
        if self.beliefs is not None:
            worth = worth + STRENGTH / self.trials * self.beliefs.log_density(units)
        if self.trust is not None:
            worth = worth + self.trust.penalty(units[:, self.layout.stepwise])
        return worth

    def expecting(self, units: Array) -> Judge:
        """The same while trials of `units` are running."""
        return replace(self, posterior=self.posterior.expecting(self.layout.features(units)))


def ranked(judge: Judge, rng: np.random.Generator, leaders: Array, *, effort: float = 1.0) -> Iterator[Array]:
    """Units of configurations, shape `(len(space),)`, the one worth most first; none twice.

    Args:
        judge: Says what each is worth.
        rng: Draws the candidates.
        leaders: Units of the best trials, near which it looks too.
        effort: Scales the number of candidates. Defaults to 1.
    """
    layout = judge.layout
    drawn = [layout.uniform(rng, int(DRAWN * effort))]
    if len(leaders):
        origins = leaders[rng.integers(len(leaders), size=int(NEAR * effort))]
        strides = np.where(np.arange(len(origins)) % 2 == 0, 0.15, 0.04)
        drawn.append(_moved(layout, origins, strides, rng, changes=2.5))
    units = np.vstack(drawn)
    worth = judge.worth(units)
    for turn in range(ROUNDS):
        top = np.argsort(-worth, kind="stable")[:LEADERS]
        origins = np.repeat(units[top], int(FOLLOWERS * effort), axis=0)
        moved = _moved(layout, origins, np.full(len(origins), STRIDE * 0.5**turn), rng, changes=2.0)
        units = np.vstack([units, moved])
        worth = np.append(worth, judge.worth(moved))
    seen = set()
    keys = layout.keys(units)
    for index in np.argsort(-worth, kind="stable"):
        if keys[index] not in seen:
            seen.add(keys[index])
            yield units[index]


def _moved(layout: Layout, origins: Array, strides: Array, rng: np.random.Generator, *, changes: float) -> Array:
    """Neighbours of `origins`: some numbers moved by about their stride, some choices drawn anew."""
    full = layout.filled(origins, rng)
    share = max(changes / max(layout.size, 1), 0.3)
    change = rng.random(full.shape) < share
    stepped = full + strides[:, None] * rng.standard_normal(full.shape)
    redrawn = rng.random(full.shape)
    jump = layout.jumps & (rng.random(full.shape) < 0.5)
    return layout.snap(np.where(change, np.where(jump, redrawn, np.where(layout.jumps, full, stepped)), full))
