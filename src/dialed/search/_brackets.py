"""Brackets: trials that begin together on a rung, of which the best go on to the next, and so on.

Trials fill brackets in the order of their numbers, whoever began them. So which bracket a trial belongs to, who is
compared with whom, and who goes on follow from the history, and nothing has to be remembered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import inf, isfinite

import numpy as np

from dialed.search._promotion import Promote, worth_on
from dialed.search._rungs import given_up, known_losses, reachable, rests_below
from dialed.search._sampled import capped, ended, sampled
from dialed.search._tried import recall
from dialed.search.decisions import Continue, Decision, Stop
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy
from dialed.space import Space
from dialed.trial import Objective, Trial

__all__ = ["Bracket", "Plan", "affordable", "decide_by", "fitted"]

SEARCHED = 0.75
"""The part of a budget in epochs that brackets are fitted into: a confirmation may keep the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """So many `trials` begin on the first of its `rungs`; of those on a rung, one in `factor` goes on to the next."""

    trials: int
    rungs: tuple[int, ...]
    factor: int

    def quotas(self, trials: int | None = None) -> list[int]:
        """How many trials of the bracket are trained to each rung: all, and in the end one at least."""
        count = self.trials if trials is None else trials
        return [max(1, count // self.factor**level) for level in range(len(self.rungs))]

    def cost(self, trials: int | None = None) -> int:
        """Epochs that it trains, at most, with one member a trial. Continued trials do not begin anew."""
        steps = [after - before for before, after in pairwise((0, *self.rungs))]
        return sum(quota * step for quota, step in zip(self.quotas(trials), steps, strict=True))


def fitted(brackets: Sequence[Bracket], epochs: int) -> tuple[Bracket, ...]:
    """The brackets with as many trials as can be paid with so many `epochs`; the first with one trial at least."""
    kept: list[Bracket] = []
    for bracket in brackets:
        trials = bisect_right(range(1, bracket.trials + 1), epochs, key=bracket.cost)
        if trials or not kept:
            kept.append(replace(bracket, trials=max(trials, 1)))
            epochs -= kept[-1].cost()
    return tuple(kept)


def affordable(terms: Terms) -> int | None:
    """Epochs of each member that the study's budget in epochs pays for; `None` without one."""
    if terms.max_epochs is None:
        return None
    return int(SEARCHED * terms.max_epochs) // (len(terms.seeds) * len(terms.folds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Brackets one after another, `rounds` times over; for ever without `rounds`."""

    brackets: tuple[Bracket, ...]
    rounds: int | None = None

    def place(self, number: int) -> tuple[int, Bracket]:
        """The bracket of the trial with that number, and the number of the first trial in it."""
        ends = list(accumulate(bracket.trials for bracket in self.brackets))
        past, offset = divmod(number, ends[-1])
        index = bisect_right(ends, offset)
        bracket = self.brackets[index]
        return past * ends[-1] + ends[index] - bracket.trials, bracket

    @property
    def rungs(self) -> tuple[int, ...]:
        """All rungs of all brackets, the lowest first."""
        return max((bracket.rungs for bracket in self.brackets), key=len)

    @property
    def epochs_per_trial(self) -> float:
        """How many epochs each member of a trial is trained on average, at most."""
        return sum(b.cost() for b in self.brackets) / sum(b.trials for b in self.brackets)

    def left(self, begun: int) -> float:
        """How many trials may still begin."""
        if self.rounds is None:
            return inf
        return max(0, self.rounds * sum(bracket.trials for bracket in self.brackets) - begun)


def decide_by(
    plan: Plan,
    sampler: str | Strategy,
    space: Space,
    history: History,
    rng: np.random.Generator,
    free: int,
    *,
    promote: Promote,
) -> list[Decision]:
    """Continue the best of each bracket that is full, stop the others, and fill the places left with new trials."""
    if free < 1:
        return []
    rungs, factor = plan.rungs, plan.brackets[0].factor
    worth = worth_on(rungs, space, history, promote=promote, factor=factor)
    begun = len(history)
    unsettled = recall(history, "brackets", space, plan, lambda: _Unsettled(plan)).read(history)
    decisions: list[Decision] = []
    for start, bracket in unsettled.brackets():
        if start + bracket.trials <= begun:
            found = list(_climb(bracket, _trials(history, start, bracket), history.objective, worth))
            decisions += found
            if not found and not worth:
                unsettled.settle(start)
    decisions = capped(decisions, free)
    left = plan.left(begun)
    places = int(min(free - sum(isinstance(d, Continue) for d in decisions), left))
    new = sampled(
        sampler,
        space,
        history,
        rng,
        places=places,
        until=lambda number: plan.place(number)[1].rungs[0],
        rungs=rungs,
        factor=factor,
    )
    reason = new.reason or (f"rounds={plan.rounds} of brackets are done" if left == 0 else "")
    if reason:  # nobody joins the last bracket any more: its trials are all that there are
        last = [(start, b) for start, b in unsettled.brackets() if start + b.trials > begun]
        more = [d for start, b in last for d in _climb(b, _trials(history, start, b), history.objective, worth)]
        decisions = capped([*decisions, *more], free)
    return ended([*decisions, *new.starts], history, reason)


class _Unsettled:
    """The brackets in which a trial has changed since they were last found to have nothing to decide."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._brackets: dict[int, Bracket] = {}
        self._read = 0

    def read(self, history: History) -> _Unsettled:
        """Take in what has changed in the history since the last time."""
        self._brackets.update(self._plan.place(trial.number) for trial in history.changed_after(self._read))
        self._read = history.version
        return self

    def brackets(self) -> list[tuple[int, Bracket]]:
        """The brackets, by the number of their first trial."""
        return sorted(self._brackets.items(), key=lambda item: item[0])

    def settle(self, start: int) -> None:
        """Nothing is to be decided in the bracket that begins with this trial, until one of its trials changes."""
        del self._brackets[start]


def _trials(history: History, start: int, bracket: Bracket) -> list[Trial]:
    return [history.trial(number) for number in range(start, min(start + bracket.trials, len(history)))]


def _climb(
    bracket: Bracket, trials: Sequence[Trial], objective: Objective, worth: Mapping[int, Mapping[int, float]]
) -> Iterator[Decision]:
    """What to do with the trials of a bracket that nobody joins any more.

    Each rung is judged when all its trials are there. Who is not chosen is stopped at once, so the same trials are
    chosen each time this is asked, until the last rung.
    """
    there = list(trials)
    quotas = bracket.quotas(len(trials))
    for (rung, above), quota in zip(pairwise(bracket.rungs), quotas[1:], strict=True):
        known = known_losses(there, rung, objective)
        if len(known) < len(there):
            return
        able = [trial for trial in there if isfinite(known[trial.number]) and not given_up(trial, above)]
        order = worth.get(rung, known)
        chosen = sorted(able, key=lambda trial: (order.get(trial.number, inf), trial.number))[:quota]
        for trial in there:
            if trial.number not in {better.number for better in chosen} and rests_below(trial, above):
                yield Stop(trial=trial.number)
        for trial in chosen:
            if rests_below(trial, above):
                yield Continue(trial=trial.number, until=reachable(trial, above))
        there = chosen
