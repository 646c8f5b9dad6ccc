"""Successive halving that never waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise

import numpy as np

from dialed.search._promotion import Promote, check_promote, worth_on
from dialed.search._rungs import check_int, climbing, ladder, reachable
from dialed.search._sampled import capped, check_sampler, ended, sampled
from dialed.search._standings import Rung, Standings
from dialed.search._tried import recall
from dialed.search.decisions import Continue, Decision, Stop
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy
from dialed.space import Space
from dialed.trial import State

__all__ = ["ASHA"]


@dataclass(frozen=True, slots=True)
class ASHA:
    """Trains a trial on as soon as it is among the best third of those on its rung, and begins a new one otherwise.

    Choose it for a search over epochs with any number of workers: no place waits for a slow trial, and good trials are
    trained on at once. It errs where the lowest rung misleads; `Hyperband` is careful about that. A trial that was not
    good enough stays paused, for those that come later may be worse. Once no new trial can begin, the best of each
    rung goes on until one is trained fully. A trial is compared by its value at the epoch of the rung; the earlier
    one wins a tie, and a failed one comes last.

    Args:
        sampler: Proposes the values of new trials: a strategy, or its name. Defaults to "random".
        factor: One in so many goes on to the next rung, for so many times the epochs. Defaults to 3.
        min_epochs: The lowest rung has at least so many epochs. Defaults to 1.
        promote: By what trials are compared: their "loss" on the rung, or the "prediction" of where it ends (see
            docs/strategies). Rungs then count up from `min_epochs`. Defaults to "loss".

    Raises:
        InvalidInputError: `factor` is below 2, `min_epochs` below 1, `promote` unknown, or `sampler` no strategy.

    Example:
        >>> from dialed.trial import Objective
        >>> ASHA().explain(Terms(objective=Objective(name="loss", direction="min"), epochs=9))
        'Rungs of 1, 3, 9 epochs; 1 in 3 goes on: about 2.3 epochs a trial, as 0.26 full trainings.'

    References:
        Li and others 2020, "A system for massively parallel hyperparameter tuning".
    """

    _: KW_ONLY
    sampler: str | Strategy = "random"
    factor: int = 3
    min_epochs: int = 1
    promote: Promote = "loss"

    def __post_init__(self) -> None:
        check_sampler(self.sampler)
        check_int("ASHA", "factor", self.factor, 2)
        check_int("ASHA", "min_epochs", self.min_epochs, 1)
        check_promote("ASHA", self.promote)

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """Whoever may go on, from the highest rung down; new trials in the places that are left."""
        if free < 1:
            return []
        rungs = self._rungs(history.terms)
        standings = recall(history, "asha", space, self, lambda: Standings(rungs)).read(history)
        worth = worth_on(rungs, space, history, promote=self.promote, factor=self.factor)
        going = list(self._promoted(standings, history, worth, least=0))[:free]
        new = sampled(
            self.sampler,
            space,
            history,
            rng,
            places=free - len(going),
            until=lambda number: rungs[0],
            rungs=rungs,
            factor=self.factor,
        )
        if new.reason and not going and not history.is_busy:
            going = list(self._promoted(standings, history, worth, least=1))[:free]
        decisions: list[Decision] = [*going, *new.starts]
        if new.reason and not decisions and not history.is_busy and not new.budget:
            decisions = [Stop(trial=trial.number) for trial in history.unfinished if trial.state is State.PAUSED]
        return ended(capped(decisions, free), history, new.reason)

    def explain(self, terms: Terms) -> str:
        """The rungs, and the cost of a trial."""
        rungs = self._rungs(terms)
        if len(rungs) == 1:
            return f"{terms.epochs} epochs are too few for rungs: every trial is trained fully, as its sampler alone would."
        cost = self.epochs_per_trial(terms)
        return (
            f"Rungs of {', '.join(map(str, rungs))} epochs; 1 in {self.factor} goes on: about {cost:.2g} epochs a "
            f"trial, as {cost / terms.epochs:.2g} full trainings."
        )

    def epochs_per_trial(self, terms: Terms) -> float:
        """How many epochs each member of a trial is trained on average."""
        steps = [after - before for before, after in pairwise((0, *self._rungs(terms)))]
        return sum(step / float(self.factor) ** level for level, step in enumerate(steps))

    def _rungs(self, terms: Terms) -> tuple[int, ...]:
        make = climbing if self.promote == "prediction" else ladder  # it need not wait for a rung that can be trusted
        return make(terms.epochs, self.factor, self.min_epochs)

    def _promoted(
        self,
        standings: Sequence[Rung],
        history: History,
        worth: Mapping[int, Mapping[int, float]],
        *,
        least: int,
    ) -> Iterator[Continue]:
        """The trials that rest on a rung among its best, the highest rung first."""
        for rung in standings:
            quota = max(least, len(rung) // self.factor)
            for number in rung.best_resting(quota, worth.get(rung.epochs)):
                yield Continue(trial=number, until=reachable(history.trial(number), rung.above))
