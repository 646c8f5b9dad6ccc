"""What values helped, and when: a model of improvements that forgets, and the values that it promises most for.

Each interval of each trial is an observation: with these values, from this loss on, the loss fell by so much. The
function changes as training goes on, so a Gaussian process takes what lies `k` intervals apart as correlated by
`(1 - forgetting) ** (k / 2)` at most. New values maximise an upper confidence bound. Values that were chosen and not
tried yet count as observations whose outcome is the model's own prediction: they narrow its bound and nothing else.

References:
    Bogunovic, Scarlett and Cevher 2016, "Time-varying Gaussian process bandit optimization"; Parker-Holder, Nguyen and
    Roberts 2020; Desautels, Krause and Burdick 2014, "Parallelizing exploration-exploitation tradeoffs in Gaussian
    process bandit optimization".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import inf, isfinite, log, sqrt

import numpy as np
from numpy.typing import NDArray

from dialed.search._rungs import loss_at
from dialed.search.exploring import is_number, redrawn
from dialed.search.model.kernel import root_of, solve
from dialed.search.model.threads import one_thread
from dialed.space import Space
from dialed.trial import Objective, State, Trial, Value, Values

__all__ = ["Bandit"]

Array = NDArray[np.float64]

LEAST = 4
"""Observations below which there is nothing to learn from."""

NEWEST = 100
"""Observations of which the model is made: older ones are of another stage, and a decision takes some 20 ms."""

CANDIDATES = 512
NEIGHBOURS = 128
"""Values that are judged: evenly drawn ones, and some around those of the trial that is copied."""

SCALES = (0.1, 0.2, 0.4, 0.8, 1.6)
FORGETTING = (0.0, 0.05, 0.15, 0.4)
NOISE = (0.01, 0.1, 0.5)
"""Of these, those that explain the observations best: with few of them, a finer choice would follow the noise."""

LENGTH_PRIOR = (log(0.4), 1.0)
"""Mean and deviation of the logarithm of the length scale, for one dimension; it grows with the root of their number."""


@dataclass(slots=True)
class Bandit:
    """Chooses values for copies.

    Args:
        space: Where.
        names: The hyperparameters that may change.
        points: Where it was observed, shape (observations, names + 1): units in [0, 1], and the loss before, scaled.
        times: When, in intervals, shape (observations,).
        gains: By how much the loss fell, standardised, shape (observations,).
        now: The time of the interval to come.
        scaled: Losses are scaled by this mean and deviation.
        fitted: Length scale, forgetting and noise of the model.
        pending: Values that were chosen and not tried yet, as `points`.
    """

    space: Space
    names: tuple[str, ...]
    points: Array
    times: Array
    gains: Array
    now: float
    scaled: tuple[float, float]
    fitted: tuple[float, float, float] = (1.0, 0.0, 1.0)
    pending: list[Array] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        space: Space,
        names: tuple[str, ...],
        lines: Sequence[Sequence[Trial]],
        *,
        objective: Objective,
        interval: int,
        epoch: int,
    ) -> Bandit | None:
        """The model of what the trials in all places have shown; `None` where that is too little.

        Args:
            space: Where.
            names: The hyperparameters that may change; only numbers are modelled.
            lines: For each place of each population the trials that held it, one after another.
            objective: What is improved.
            interval: Epochs between two comparisons.
            epoch: When values are wanted.
        """
        numbers = tuple(name for name in names if is_number(space[name], space))
        seen = list(_observed(lines, objective, interval))[-NEWEST:]
        known = [gain for _, _, _, gain in seen if isfinite(gain)]
        if len(known) < LEAST or not numbers or np.ptp(known) == 0:
            return None
        before = np.array([start for _, start, _, _ in seen])
        scaled = float(before.mean()), float(before.std()) or 1.0
        worst = min(known)
        gains = np.array([gain if isfinite(gain) else worst for _, _, _, gain in seen])
        bandit = cls(
            space=space,
            names=numbers,
            points=np.empty((0, 0)),
            times=np.array([time for _, _, time, _ in seen]),
            gains=(gains - gains.mean()) / (gains.std() or 1.0),
            now=epoch / interval,
            scaled=scaled,
        )
        bandit.points = np.array([bandit._point(values, start) for values, start, _, _ in seen])
        with one_thread():
            bandit.fitted = _fitted(bandit.points, bandit.times, bandit.gains)
        bandit.pending = [
            bandit._point(trial.values, bandit.scaled[0])
            for line in lines
            for trial in line
            if trial.origin is not None and trial.origin.epoch == epoch
        ]
        return bandit

    def choose(self, values: Values, loss: float, rng: np.random.Generator) -> dict[str, Value]:
        """`values` with those numbers of the names that promise most from `loss` on; the others are redrawn at times."""
        free = [name for name in self.names if name in values and values[name] != 0]
        start = self._point(values, loss)
        candidates = np.tile(start, (CANDIDATES + NEIGHBOURS, 1))
        columns = [self.names.index(name) for name in free]
        drawn = rng.random((CANDIDATES, len(columns)))
        near = start[columns] + 0.1 * rng.standard_normal((NEIGHBOURS, len(columns)))
        candidates[:, columns] = np.concatenate([drawn, np.clip(near, 0.0, 1.0)])
        with one_thread():
            best = candidates[int(np.argmax(self._promise(candidates)))]
        new = dict(values)
        for name, column in zip(free, columns, strict=True):
            value = self.space[name].domain.from_unit(float(best[column]))
            new[name] = redrawn(self.space[name].domain, values[name], rng) if value == 0 else value
        self.pending.append(best)
        return self.space.restrict(new)

    def _point(self, values: Values, loss: float) -> Array:
        units = [self.space[n].domain.to_unit(values[n]) if n in values else 0.5 for n in self.names]
        return np.array([*units, float(np.clip((loss - self.scaled[0]) / self.scaled[1], -3.0, 3.0)) / 6.0])

    def _promise(self, candidates: Array) -> Array:
        """The upper confidence bound of each candidate, shape (candidates,)."""
        scale, forgetting, noise = self.fitted
        mean, _ = _predicted(self.points, self.times, self.gains, candidates, self.now, scale, forgetting, noise)
        pending = np.array(self.pending).reshape(len(self.pending), candidates.shape[1])
        points = np.concatenate([self.points, pending])
        times = np.concatenate([self.times, np.full(len(pending), self.now)])
        _, deviation = _predicted(points, times, np.zeros(len(points)), candidates, self.now, scale, forgetting, noise)
        bound: Array = mean + sqrt(_caution(len(self.gains))) * deviation
        return bound


def _fitted(points: Array, times: Array, gains: Array) -> tuple[float, float, float]:
    """Length scale, forgetting and noise under which the observations are most likely."""
    width = sqrt(points.shape[1])
    apart = _distances(points, points), np.abs(times[:, None] - times[None, :])
    choices = product((scale * width for scale in SCALES), FORGETTING, NOISE)
    return max(choices, key=lambda choice: _likelihood(*apart, gains, *choice, width=width))


def _caution(count: int) -> float:
    """The weight of the variance in the bound, after so many observations: the constants of PB2's authors."""
    return 0.2 + max(0.0, log(0.4 * count))


def _observed(
    lines: Sequence[Sequence[Trial]], objective: Objective, interval: int
) -> Iterator[tuple[Values, float, float, float]]:
    """Values, loss before, time and fall of the loss, for each interval that a trial trained; minus infinity if it failed."""
    for line in lines:
        for trial in line:
            first = interval if trial.origin is None else trial.origin.epoch
            trained = max((m.epoch for m in trial.members if m.purpose == "search"), default=0)
            lost = trial.state is State.FAILED
            for epoch in range(first, trained + 1, interval):
                before, after = (loss_at(trial, e, objective) for e in (epoch, epoch + interval))
                if (epoch + interval > trained) and not lost:
                    break  # it ended, or is on its way
                if before is not None and after is not None and isfinite(before):
                    yield trial.values, before, epoch / interval, before - after if isfinite(after) else -inf


def _distances(a: Array, b: Array) -> Array:
    """Squared distances, shape (len(a), len(b))."""
    squared: Array = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=-1)
    return squared


def _kernel(squared: Array, apart: Array, scale: float, forgetting: float) -> Array:
    """Covariances of a squared exponential in values and loss, times what `apart` intervals leave of it."""
    covariances: Array = np.exp(-0.5 * squared / scale**2)
    return covariances * (1.0 - forgetting) ** (apart / 2) if forgetting else covariances


def _likelihood(
    squared: Array, apart: Array, gains: Array, scale: float, forgetting: float, noise: float, *, width: float
) -> float:
    """The logarithm of the likelihood, with that of the length scale's prior."""
    lower = root_of(_kernel(squared, apart, scale, forgetting) + noise * np.eye(len(gains)))
    solved = solve(lower, gains)
    mean, deviation = LENGTH_PRIOR
    prior = -0.5 * ((log(scale / width) - mean) / deviation) ** 2
    return float(-0.5 * solved @ solved - np.log(np.diag(lower)).sum()) + prior


def _predicted(
    points: Array,
    times: Array,
    gains: Array,
    wanted: Array,
    now: float,
    scale: float,
    forgetting: float,
    noise: float,
) -> tuple[Array, Array]:
    """Means and standard deviations of the gain at `wanted`, at the time `now`."""
    apart = np.abs(times[:, None] - times[None, :])
    known = _kernel(_distances(points, points), apart, scale, forgetting)
    lower = root_of(known + noise * np.eye(len(points)))
    past = np.abs(times - now)[:, None]
    across = _kernel(_distances(points, wanted), past, scale, forgetting)
    half = solve(lower, across)
    mean: Array = half.T @ solve(lower, gains)
    return mean, np.sqrt(np.maximum(1.0 - (half**2).sum(axis=0), 1e-12))
