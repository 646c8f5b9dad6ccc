"""Every trial is trained on while it may still become the best: for budgets that pay for full trainings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from math import inf, sqrt
from statistics import NormalDist

import numpy as np

from dialed.search._rungs import climbing, loss_at, reachable
from dialed.search._sampled import capped, ended, sampled
from dialed.search.decisions import Continue, Decision, Stop
from dialed.search.history import History
from dialed.search.protocol import Strategy
from dialed.space import Space
from dialed.trial import State

__all__ = ["Patient"]

FACTOR = 3
UNJUDGED = 6
"""So many trials are trained fully, whatever is foretold for them: from these it learns where curves lead."""

HOPELESS = 0.05
"""A trial is not trained on once its probability to end as the best is lower (Domhan and others 2015)."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Pauses a trial on each rung, and leaves it there once it has next to no prospect of ending as the best.

    Args:
        sampler: Proposes the values of new trials.
        min_epochs: The lowest rung. Defaults to 1.

    References:
        Domhan, Springenberg and Hutter 2015, "Speeding up automatic hyperparameter optimization of deep neural networks
        by extrapolation of learning curves".
    """

    _: KW_ONLY
    sampler: str | Strategy
    min_epochs: int = 1

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """Those with a prospect go on; new trials in the places that are left."""
        if free < 1:
            return []
        rungs = climbing(history.terms.epochs, FACTOR, self.min_epochs)
        going = list(_promising(space, history, rungs))[:free]
        places = free - len(going)
        new = sampled(self.sampler, space, history, rng, places=places, until=lambda _: rungs[0], rungs=rungs)
        decisions: list[Decision] = [*going, *new.starts]
        if new.reason and not decisions and not history.is_busy and not new.budget:
            decisions = [Stop(trial=trial.number) for trial in history.unfinished if trial.state is State.PAUSED]
        return ended(capped(decisions, free), history, new.reason)


def _promising(space: Space, history: History, rungs: tuple[int, ...]) -> Iterator[Continue]:
    """The paused trials that may still become the best, the likeliest first."""
    from dialed.search.curves.sampler import record_of

    numbers, foretold = record_of(space, history, rungs, FACTOR).foretold()
    if not numbers:
        return
    means, deviations = foretold.latest()
    finals = (loss_at(history.trial(n), rungs[-1], history.objective) for n in numbers)
    best = min((loss for loss in finals if loss is not None), default=inf)
    hopes = {}
    for number, mean, deviation in zip(numbers, means, deviations, strict=True):
        z = (best - float(mean)) / sqrt(float(deviation) ** 2 + 1e-24)
        hopes[number] = 1.0 if number < UNJUDGED else NormalDist().cdf(max(min(z, 30.0), -30.0))
    for number in sorted(hopes, key=lambda number: (-hopes[number], number)):
        trial = history.trial(number)
        if trial.state is State.PAUSED and hopes[number] >= HOPELESS:
            reached = min(member.epoch for member in trial.members if member.purpose == "search")
            above = next((rung for rung in rungs if rung > reached), rungs[-1])
            yield Continue(trial=number, until=reachable(trial, above))
