"""Is the winner really better? Finalists and the defaults, trained again under fresh seeds that they share.

The scores that chose a finalist are never used to judge it: the best of many noisy numbers is mostly the luckiest.
Each finalist is trained under the same new seeds, so differences are taken in pairs, and what a seed does to all of
them drops out.

References:
    Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks".
"""

from __future__ import annotations

import numpy as np

from dialed.events import MembersAdded
from dialed.objectives import keeps
from dialed.search.history import History
from dialed.study.budget import Budget
from dialed.study.judge import Confirmation, Finalist, Interval, Scores, clearly_first, in_play, interval, verdict
from dialed.trial import State, Trial, best_first

__all__ = [
    "Confirmation",
    "Finalist",
    "Interval",
    "confirmation_of",
    "fresh_seeds",
    "interval",
    "members_to_add",
    "next_round",
    "plan_confirmation",
    "reserved",
    "scores_of",
]

SHARE = 0.25
"""The part of a budget in epochs or time that is kept for an automatic confirmation, if that is enough for it."""

BESIDES = 0.4
"""Without such a budget, a confirmation may take this part of the epochs that the search took. A difference of one standard
deviation takes some fourteen paired seeds to be found nine times in ten; behind a hundred trials this pays for them."""

MOST_SHARE = 0.5
"""The part that is kept where less would not be enough."""

AUTOMATIC_TOP = 2
"""How many of the best trials an automatic confirmation compares, besides the defaults."""

LEAST_REPEATS = 3
"""Fewer fresh seeds than these say next to nothing."""

MOST_REPEATS = 5
"""An automatic confirmation begins with no more; then it is a race for what is left."""

ROUND = 2
"""Seeds for each who is still in play, before the race is looked at again."""

MOST_SEEDS = 20
"""More seeds than these would tell differences that hardly matter."""


def fresh_seeds(seed: int, repeats: int) -> tuple[int, ...]:
    """The seeds of a confirmation: never those of the search, and the same each time."""
    state = np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(repeats)
    return tuple(int(s) for s in state)


def finalists(history: History, top: int) -> list[Trial]:
    """The `top` best trials that ended well, and the defaults after them."""
    ended = [
        t
        for t in history.trials
        if t.score is not None
        and t.state in (State.COMPLETED, State.PAUSED)
        and keeps(t, history.terms.constraints)
        and history.terms.is_whole(t)
    ]
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

    It may spend what is left of a budget in epochs or time; without such a budget, `BESIDES` of the epochs that
    the search took, and at least `LEAST_REPEATS` seeds.
    """
    if history.terms.others:
        return 0, 0, "of several objectives there is no single winner"
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
        return int(np.clip(BESIDES * history.epochs / one, LEAST_REPEATS, MOST_REPEATS))
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


def next_round(history: History, budget: Budget, *, seconds: float) -> list[MembersAdded]:
    """More seeds for those who are still in the race; none when it is decided, or has spent its part of the budget.

    Like the first seeds of an automatic confirmation it may take what is left of a budget in epochs or time; without
    such a budget, `BESIDES` of the epochs that the search took.
    """
    scores = scores_of(history)
    baseline = None if history.baseline is None else history.baseline.number
    if len(scores) < 2 or clearly_first(scores, objective=history.objective, baseline=baseline):
        return []
    racing = in_play(scores, objective=history.objective, baseline=baseline)
    have = max(len(row) for row in scores.values())
    count = min(ROUND, MOST_SEEDS - have, _affordable_seeds(history, budget, seconds=seconds, contestants=len(racing)))
    if len(racing) < 2 or count < 1:
        return []
    seeds = fresh_seeds(history.terms.seed, have + count)[have:]
    lengths = {n: max(m.length for m in history.trial(n).confirmations) for n in racing}
    return [MembersAdded(trial=n, until=lengths[n], seeds=seeds, folds=history.terms.folds) for n in racing]


def _affordable_seeds(history: History, budget: Budget, *, seconds: float, contestants: int) -> int:
    confirmed = sum(m.epoch for t in history.trials for m in t.confirmations)
    one = contestants * history.terms.epochs * len(history.terms.folds)
    if budget.max_epochs is None and budget.max_seconds is None:
        return int((BESIDES * (history.epochs - confirmed) - confirmed) / one)
    affordable = float(ROUND)
    if budget.max_epochs is not None:
        affordable = min(affordable, (budget.max_epochs - history.epochs) / one)
    if budget.max_seconds is not None:
        pace = seconds / max(history.epochs, 1)
        affordable = min(affordable, (budget.max_seconds - seconds) / max(one * pace, 1e-9))
    return int(affordable)


def confirmation_of(history: History) -> Confirmation | None:
    """What the confirmation members of a study say; `None` while fewer than two trials share two seeds."""
    baseline = None if history.baseline is None else history.baseline.number
    return verdict(scores_of(history), objective=history.objective, baseline=baseline)


def scores_of(history: History) -> Scores:
    """The scores of each finalist that lives, under the seeds that all who are still in the race have finished."""
    found = {
        trial.number: _by_seed(trial, len(history.terms.folds))
        for trial in history.trials
        if trial.confirmations and not any(m.state is State.FAILED for m in trial.confirmations)
    }
    begun = {n: len({m.key.seed for m in history.trial(n).confirmations}) for n in found}
    racing = [n for n in found if begun[n] == max(begun.values())]
    done = [seed for seed in found[racing[0]] if all(seed in found[n] for n in racing)] if racing else []
    return {n: {seed: row[seed] for seed in done if seed in row} for n, row in found.items()}


def _by_seed(trial: Trial, folds: int) -> dict[int, np.ndarray]:
    done: dict[int, list[float]] = {}
    for member in trial.confirmations:
        if member.state is State.COMPLETED and member.score is not None:
            done.setdefault(member.key.seed, []).append(member.score)
    return {seed: np.array(scores) for seed, scores in done.items() if len(scores) == folds}
