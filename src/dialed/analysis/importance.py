"""Which hyperparameters mattered: a share for each, with an interval, and whether it stands out from chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from dialed.analysis.fanova import parts_of
from dialed.analysis.observations import Observations, observations_of
from dialed.analysis.pedanova import divergences, resampled, shuffled
from dialed.analysis.table import Table, frame_of, page
from dialed.errors import InvalidInputError, StudyError
from dialed.observe.text import format_count
from dialed.search.history import History
from dialed.search.model.layout import Array, Layout
from dialed.space import Condition, Hyperparameter, Space

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Importance", "Influence", "Interaction", "importance_of", "what_mattered"]

LEAST_TRIALS = 10
"""Fewer scored trials than these have no best ones to tell from the others."""

SHARES = (0.025, 0.975)
LEVEL = 0.95
DRAWS = 200
"""Bootstrap samples, and shuffles, of PED-ANOVA: a millisecond each."""

TREES = 64
REPLICATES = 40
REPLICATE_TREES = 8
SHUFFLES = 20
"""Of fANOVA: a forest for the answer, small forests for its intervals, and for what chance gives."""

_SHOWN_PAIRS = 5
_WORTH_A_LINE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """What one hyperparameter did. `share` lies in [0, 1], with its 95 % bootstrap interval.

    `chance` is what hyperparameters without any influence stay below in 19 of 20 studies, all of them together;
    `stands_out` says that `share` is above it.
    """

    name: str
    share: float
    low: float
    high: float
    chance: float
    stands_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """What two hyperparameters do together beyond what each does alone, with its 95 % bootstrap interval."""

    names: tuple[str, str]
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """Which hyperparameters mattered, the most important first.

    Attributes:
        method: "ped-anova" or "fanova".
        trials: How many trials it is made of, failed ones included.
        failures: How many of them failed; they count as the worst.
        influences: One for each hyperparameter that varies. By PED-ANOVA the shares sum to 1; by fANOVA they are
            parts of the variance, and what is missing to 1 is interaction.
        interactions: One for each pair, by fANOVA only.
    """

    method: str
    trials: int
    failures: int
    influences: tuple[Influence, ...]
    interactions: tuple[Interaction, ...] = ()

    @property
    def shares(self) -> dict[str, float]:
        """The share of each hyperparameter, by name."""
        return {influence.name: influence.share for influence in self.influences}

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        outstanding = [
            f"{i.name} {_percent(i.share)} ({_range(i.low, i.high)})" for i in self.influences if i.stands_out
        ]
        counted = format_count(self.trials, "trial")
        if not outstanding:
            return f"What mattered: in {counted}, nothing stands out from chance."
        return f"What mattered, with 95 % intervals: {', '.join(outstanding)}."

    @property
    def table(self) -> Table:
        """One row for each hyperparameter, and for the strongest interactions."""
        rows = [
            (
                i.name,
                _percent(i.share),
                _range(i.low, i.high),
                _percent(i.chance),
                "" if i.stands_out else "may be chance",
            )
            for i in self.influences
        ]
        strongest = [i for i in self.interactions[:_SHOWN_PAIRS] if i.share >= _WORTH_A_LINE]
        rows += [(" x ".join(i.names), _percent(i.share), _range(i.low, i.high), "", "") for i in strongest]
        return Table(head=("hyperparameter", "share", "95 % interval", "chance", ""), rows=tuple(rows), align="lrrrl")

    def to_pandas(self) -> pd.DataFrame:
        """One row for each hyperparameter and each pair: name, share, low, high, chance, stands_out."""
        alone = [{name: getattr(i, name) for name in Influence.__slots__} for i in self.influences]
        pairs = [
            {"name": " x ".join(i.names), "share": i.share, "low": i.low, "high": i.high} for i in self.interactions
        ]
        return frame_of([*alone, *pairs], Influence.__slots__).set_index("name")

    def __str__(self) -> str:
        return f"Importance by {self.method}. {self.sentence}\n{self.table.text()}"

    def _repr_html_(self) -> str:
        return page(f"Importance by {self.method}", [self.sentence, self.table])


def importance_of(
    history: History, space: Space, *, method: Literal["ped-anova", "fanova"] | str = "ped-anova", seed: int = 0
) -> Importance:
    """Which hyperparameters mattered.

    To choose: "ped-anova" costs a tenth of a second, says what tells the best tenth of the trials from the others, and
    copes with trials that a strategy placed where it expected the best. "fanova" takes some seconds, speaks of the
    whole space, and knows interactions.

    Args:
        history: The study.
        space: What varied.
        method: "ped-anova" or "fanova". Defaults to "ped-anova".
        seed: Of the bootstrap and the trees. Defaults to 0.

    Raises:
        InvalidInputError: Another `method`.
        StudyError: Fewer than 10 trials have a score.
    """
    if method not in ("ped-anova", "fanova"):
        raise InvalidInputError(f"The `method` must be 'ped-anova' or 'fanova'. Got {method!r}.")
    seen = observations_of(history, space, least=LEAST_TRIALS)
    rng = np.random.default_rng(seed)
    return _by_divergence(seen, rng) if method == "ped-anova" else _by_variance(seen, rng)


def what_mattered(history: History, space: Space) -> Importance | None:
    """Importance by PED-ANOVA for a summary; `None` while there are too few trials, or nothing varies."""
    if len(space) < 2:
        return None
    try:
        seen = observations_of(history, space, least=LEAST_TRIALS)
    except (StudyError, InvalidInputError):  # too few trials have ended, or their space has changed since
        return None
    return _by_divergence(seen, np.random.default_rng(0)) if len(seen.varying) > 1 else None


def _by_divergence(seen: Observations, rng: np.random.Generator) -> Importance:
    return Importance(
        method="ped-anova",
        trials=len(seen.losses),
        failures=seen.failures,
        influences=_influences(
            seen, divergences(seen), resampled(seen, rng, DRAWS), shuffled(seen, rng, DRAWS), normal=True
        ),
    )


def _by_variance(seen: Observations, rng: np.random.Generator) -> Importance:
    parts = parts_of(seen, rng, trees=TREES)
    again = [parts_of(_resample(seen, rng), rng, trees=REPLICATE_TREES) for _ in range(REPLICATES)]
    chance = np.array([_shadows(seen, rng) for _ in range(SHUFFLES)])
    return Importance(
        method="fanova",
        trials=len(seen.losses),
        failures=seen.failures,
        influences=_influences(seen, parts.alone, np.array([p.alone for p in again]), chance, normal=False),
        interactions=_interactions(seen, parts.pairs, np.array([p.pairs for p in again])),
    )


def _resample(seen: Observations, rng: np.random.Generator) -> Observations:
    rows = rng.integers(len(seen.losses), size=len(seen.losses))
    return replace(seen, units=seen.units[rows], losses=seen.losses[rows])


def _shadows(seen: Observations, rng: np.random.Generator) -> Array:
    """The shares of copies of all hyperparameters whose rows are shuffled, beside the true ones: what chance gives.

    References:
        Kursa and Rudnicki 2010, "Feature selection with the Boruta package".
    """
    space = seen.layout.space
    copies = [
        Hyperparameter(
            name=_shadow(h.name),
            domain=h.domain,
            conditions=tuple(Condition(_shadow(c.parent), c.values) for c in h.conditions),
        )
        for h in space
    ]
    units = np.hstack([seen.units, rng.permutation(seen.units)])
    doubled = replace(seen, layout=Layout(Space([*space, *copies])), units=units)
    return parts_of(doubled, rng, trees=REPLICATE_TREES, pairs=False).alone[len(seen.varying) :]


def _shadow(name: str) -> str:
    return f"{name} (shuffled)"


def _influences(
    seen: Observations, found: Array, again: Array, chance: Array, *, normal: bool
) -> tuple[Influence, ...]:
    """Sorted by share. With `normal` shares are parts of their sum, chance included: its sum is that of the answer."""
    whole = float(found.sum()) if normal else 1.0
    scale = 1.0 / whole if whole > 0 else 0.0
    sums = again.sum(axis=1, keepdims=True) if normal else np.ones((len(again), 1))
    low, high = np.quantile(np.divide(again, sums, out=np.zeros_like(again), where=sums > 0), SHARES, axis=0)
    threshold = _threshold(chance)
    ranked = sorted(range(len(found)), key=lambda place: (-found[place], place))
    return tuple(
        Influence(
            name=seen.name(seen.varying[place]),
            share=float(found[place] * scale),
            low=min(float(low[place]), float(found[place] * scale)),
            high=max(float(high[place]), float(found[place] * scale)),
            chance=min(float(threshold[place] * scale), 1.0),
            stands_out=bool(found[place] > threshold[place]),
        )
        for place in ranked
    )


def _threshold(chance: Array) -> Array:
    """What all of a row of `chance` stays below together, in 19 of 20 rows: means plus so many standard deviations."""
    if not chance.size:
        return np.zeros(chance.shape[1])
    mean, spread = chance.mean(axis=0), np.maximum(chance.std(axis=0, ddof=1), 1e-12)
    farthest = np.quantile(((chance - mean) / spread).max(axis=1), LEVEL)
    return np.asarray(mean + farthest * spread)


def _interactions(seen: Observations, found: Array, again: Array) -> tuple[Interaction, ...]:
    names = [seen.name(index) for index in seen.varying]
    pairs = list(combinations(names, 2))
    if not pairs:
        return ()
    low, high = np.quantile(again, SHARES, axis=0)
    ranked: Sequence[int] = sorted(range(len(pairs)), key=lambda place: (-found[place], place))
    return tuple(
        Interaction(
            names=pairs[place],
            share=float(found[place]),
            low=min(float(low[place]), float(found[place])),
            high=max(float(high[place]), float(found[place])),
        )
        for place in ranked
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _range(low: float, high: float) -> str:
    return f"{100 * low:.0f} to {100 * high:.0f} %"
