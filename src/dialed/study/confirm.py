"""Is the winner really better? Finalists and the defaults, trained again under fresh seeds that they share.

The scores that chose a finalist are never used to judge it: the best of many noisy numbers is mostly the luckiest.
Each finalist is trained under the same new seeds, so differences are taken in pairs, and what a seed does to all of
them drops out.

References:
    Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dialed.events import MembersAdded
from dialed.search.history import History
from dialed.study.budget import Budget
from dialed.trial import Objective, State, Trial, best_first

__all__ = [
    "Confirmation",
    "Finalist",
    "Interval",
    "confirmation_of",
    "fresh_seeds",
    "members_to_add",
    "plan_confirmation",
    "reserved",
]

SHARE = 0.25
"""The part of a budget in epochs or time that is kept for an automatic confirmation, if that is enough for it."""

MOST_SHARE = 0.5
"""The part that is kept where less would not be enough."""

AUTOMATIC_TOP = 2
"""How many of the best trials an automatic confirmation compares, besides the defaults."""

LEAST_REPEATS = 3
"""Fewer fresh seeds than these say next to nothing."""

MOST_REPEATS = 5
"""An automatic confirmation takes no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its 95 % confidence interval (Student's t)."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """One trial as fresh seeds judge it. `scores` has one value for each seed, the mean over its folds."""

    trial: int
    scores: tuple[float, ...]
    mean: float
    low: float
    high: float
    probability_best: float

    @property
    def repeats(self) -> int:
        """How many fresh seeds it was trained under."""
        return len(self.scores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What fresh seeds say.

    `winner` is the finalist with the best mean. `gain` is its paired gain over the defaults, positive when it is
    better whatever the direction of the objective; `None` when the defaults won, or were not among the finalists.
    """

    finalists: tuple[Finalist, ...]
    winner: int
    gain: Interval | None
    sentence: str


def fresh_seeds(seed: int, repeats: int) -> tuple[int, ...]:
    """The seeds of a confirmation: never those of the search, and the same each time."""
    state = np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(repeats)
    return tuple(int(s) for s in state)


def finalists(history: History, top: int) -> list[Trial]:
    """The `top` best trials that ended well, and the defaults after them."""
    ended = [t for t in history.trials if t.score is not None and t.state in (State.COMPLETED, State.PAUSED)]
    best = best_first(ended, history.objective)[:top]
    baseline = history.baseline
    if baseline is not None and baseline.score is not None and baseline not in best:
        best.append(baseline)
    return best


def members_to_add(history: History, *, top: int, repeats: int) -> list[MembersAdded]:
    """The members that a confirmation of the `top` best still needs; those of an earlier one are kept."""
    events = []
    wanted = fresh_seeds(history.terms.seed, repeats)
    for trial in finalists(history, top):
        have = {m.key.seed for m in trial.confirmations}
        seeds = tuple(s for s in wanted if s not in have)
        if seeds:
            length = max((m.length for m in trial.members), default=history.terms.epochs)
            events.append(MembersAdded(trial=trial.number, until=length, seeds=seeds, folds=history.terms.folds))
    return events


def reserved(budget: Budget, history: History, *, seconds: float) -> Budget:
    """What a search may use of `budget`, so that an automatic confirmation fits behind it.

    `SHARE` of it is kept, or what the least confirmation takes at the pace so far, up to `MOST_SHARE`. Where not even
    that would be enough, nothing is kept: a budget that small is better spent on searching.
    """
    member = history.terms.epochs * len(history.terms.folds)
    pace = seconds / history.epochs if history.epochs else 0.0
    limits = budget.max_epochs, budget.max_seconds
    epochs = None if limits[0] is None else max(1, round(limits[0] - _kept(limits[0], member)))
    time = None if limits[1] is None else limits[1] - _kept(limits[1], member * pace)
    return Budget(max_trials=budget.max_trials, max_epochs=epochs, max_seconds=time)


def _kept(whole: float, one: float) -> float:
    """What is kept of `whole` where one more seed for one contestant takes `one`."""
    for contestants in (AUTOMATIC_TOP + 1, 2):
        least = contestants * LEAST_REPEATS * one
        if least <= MOST_SHARE * whole:
            return max(SHARE * whole, least)
    return 0.0


def plan_confirmation(history: History, budget: Budget, *, seconds: float) -> tuple[int, int, str]:
    """How many of the best trials an automatic confirmation judges, under how many seeds; and why not, if none.

    It may spend what is left of a budget in epochs or time; without such a budget, `SHARE` of the epochs that the
    search took, and at least `LEAST_REPEATS` seeds.
    """
    for top in (AUTOMATIC_TOP, 1):
        contestants = len(finalists(history, top))
        if contestants < 2:
            break
        repeats = _affordable(history, budget, seconds=seconds, contestants=contestants)
        if repeats >= LEAST_REPEATS:
            return top, repeats, ""
    else:
        return 0, 0, f"the budget left is too small for {LEAST_REPEATS} fresh seeds of the winner and the defaults"
    return 0, 0, "there is nothing to compare the best trial with"


def _affordable(history: History, budget: Budget, *, seconds: float, contestants: int) -> int:
    one = contestants * _mean_epochs(history) * len(history.terms.folds)
    if budget.max_epochs is None and budget.max_seconds is None:
        return int(np.clip(SHARE * history.epochs / one, LEAST_REPEATS, MOST_REPEATS))
    affordable = float(MOST_REPEATS)
    if budget.max_epochs is not None:
        affordable = min(affordable, (budget.max_epochs - history.epochs) / one)
    if budget.max_seconds is not None:
        pace = seconds / max(history.epochs, 1)
        affordable = min(affordable, (budget.max_seconds - seconds) / max(one * pace, 1e-9))
    return int(affordable)


def _mean_epochs(history: History) -> float:
    members = [m for t in history.trials for m in t.members if m.epoch]
    return max(1.0, sum(m.epoch for m in members) / max(len(members), 1))


def confirmation_of(history: History) -> Confirmation | None:
    """What the confirmation members of a study say; `None` while fewer than two trials share two seeds."""
    table = _shared_scores(history)
    if len(table) < 2:
        return None
    numbers = list(table)
    scores = np.array([table[n] for n in numbers])  # (finalists, seeds)
    if scores.shape[1] < 2:
        return None
    chances = _chances(scores, history.objective)
    judged = tuple(
        _judge(number, row, float(chance)) for number, row, chance in zip(numbers, scores, chances, strict=True)
    )
    means = scores.mean(axis=1)
    best = int(means.argmin() if history.objective.direction == "min" else means.argmax())
    gain = _gain(history, numbers, scores, best)
    return Confirmation(
        finalists=judged, winner=numbers[best], gain=gain, sentence=_sentence(history, judged, scores, best, gain)
    )


def _shared_scores(history: History) -> dict[int, tuple[float, ...]]:
    """For each finalist that lives, its scores under the seeds that all of them have finished."""
    by_trial: dict[int, Mapping[int, float]] = {}
    for trial in history.trials:
        if trial.confirmations and not any(m.state is State.FAILED for m in trial.confirmations):
            by_trial[trial.number] = _by_seed(trial, len(history.terms.folds))
    if not by_trial:
        return {}
    shared = [s for s in next(iter(by_trial.values())) if all(s in scores for scores in by_trial.values())]
    return {number: tuple(scores[s] for s in shared) for number, scores in by_trial.items()}


def _by_seed(trial: Trial, folds: int) -> dict[int, float]:
    done: dict[int, list[float]] = {}
    for member in trial.confirmations:
        if member.state is State.COMPLETED and member.score is not None:
            done.setdefault(member.key.seed, []).append(member.score)
    return {seed: float(np.mean(scores)) for seed, scores in done.items() if len(scores) == folds}


def interval(values: Sequence[float] | np.ndarray) -> Interval:
    """The mean of `values` (at least 2) with Student's 95 % interval."""
    from scipy.stats import t

    data = np.asarray(values, dtype=float)
    half = float(t.ppf(0.975, len(data) - 1)) * float(data.std(ddof=1)) / len(data) ** 0.5
    mean = float(data.mean())
    return Interval(mean=mean, low=mean - half, high=mean + half)


def _judge(number: int, scores: np.ndarray, chance: float) -> Finalist:
    of = interval(scores)
    return Finalist(
        trial=number,
        scores=tuple(float(s) for s in scores),
        mean=of.mean,
        low=of.low,
        high=of.high,
        probability_best=chance,
    )


def _chances(scores: np.ndarray, objective: Objective, draws: int = 20_000) -> np.ndarray:
    """The probability of each finalist's being the best, `scores` being (finalists, seeds).

    The posterior of each mean under a flat prior is Student's t around it; what a seed adds to all finalists is taken
    out first, as in a paired test. Drawn with a fixed generator, so that the same scores give the same figure.
    """
    seeds = scores.shape[1]
    paired = _gains(objective, scores, scores.mean(axis=0, keepdims=True))
    error = paired.std(axis=1, ddof=1) / seeds**0.5
    drawn = np.random.default_rng(0).standard_t(seeds - 1, size=(draws, len(scores)))
    best = (paired.mean(axis=1) + error * drawn).argmax(axis=1)
    return np.bincount(best, minlength=len(scores)) / draws


def _gain(history: History, numbers: Sequence[int], scores: np.ndarray, best: int) -> Interval | None:
    baseline = history.baseline
    if baseline is None or baseline.number not in numbers or numbers[best] == baseline.number:
        return None
    return interval(_gains(history.objective, scores[best], scores[numbers.index(baseline.number)]))


def _gains(objective: Objective, scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How much better `scores` are than `others`, place by place; positive is better."""
    rises: np.ndarray = scores - others
    return rises if objective.direction == "max" else -rises


def _sentence(
    history: History, judged: Sequence[Finalist], scores: np.ndarray, best: int, gain: Interval | None
) -> str:
    winner, seeds = judged[best], scores.shape[1]
    if gain is None:
        return f"Under {seeds} fresh seeds, nothing that was tried beat the defaults (trial {winner.trial})."
    verdict = (
        f"better than the defaults by {gain.mean:.4g} (95 % interval {gain.low:.4g} to {gain.high:.4g})"
        if gain.low > 0
        else f"not distinguishable from the defaults (gain {gain.mean:.4g}, 95 % interval {gain.low:.4g} "
        f"to {gain.high:.4g})"
    )
    text = f"Under {seeds} fresh paired seeds, trial {winner.trial} is {verdict}."
    baseline = history.baseline.number if history.baseline else None
    close = [
        str(f.trial)
        for i, f in enumerate(judged)
        if i != best and f.trial != baseline and interval(_gains(history.objective, scores[best], scores[i])).low <= 0
    ]
    if close:
        text += f" It is not distinguishable from trial {' and '.join(close)}."
    return text
