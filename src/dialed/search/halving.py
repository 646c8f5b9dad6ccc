"""Many short trainings, of which the best are trained on: successive halving, and Hyperband over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from dialed.search._brackets import Bracket, Plan, affordable, decide_by, fitted
from dialed.search._promotion import Promote, check_promote
from dialed.search._rungs import check_int, ladder
from dialed.search._sampled import check_sampler
from dialed.search.decisions import Decision
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy
from dialed.space import Space

__all__ = ["Hyperband", "SuccessiveHalving"]


@dataclass(frozen=True, slots=True)
class SuccessiveHalving:
    """Begins many trials with a few epochs each, trains the best third on, the best third of those again, and so on.

    Choose it where a few epochs say which configurations are hopeless, and trials end at about the same time. Where
    they do not, or with many workers, take `ASHA`, which never waits; where you do not know whether few epochs say
    anything, `Hyperband`. A trial goes on from its checkpoint; none begins anew. It is compared by its value at the
    epoch of the rung; the earlier trial wins a tie, and a failed one comes last.

    Args:
        sampler: Proposes the values of new trials: a strategy, or its name. Defaults to "random".
        trials: How many begin together. Defaults to None: as many as leave one for the full training, or fewer where
            the study's `max_epochs` does not pay for so many.
        factor: One in so many goes on to the next rung, for so many times the epochs. Defaults to 3.
        min_epochs: The lowest rung has at least so many epochs. Defaults to 1.
        rounds: How often to begin anew, with other trials. Defaults to None: until the budget ends.
        promote: By what trials are compared: their "loss" on the rung, or the "prediction" of where it ends. Defaults to
            "loss".

    Raises:
        InvalidInputError: `factor` is below 2, another number below 1, `promote` unknown, or `sampler` no strategy.

    Example:
        >>> from dialed.trial import Objective
        >>> SuccessiveHalving().explain(Terms(objective=Objective(name="loss", direction="min"), epochs=9))
        '9, 3, 1 trials to 1, 3, 9 epochs: at most 21 epochs a round, as 2.3 full trainings.'

    References:
        Karnin, Koren and Somekh 2013; Jamieson and Talwalkar 2016, "Non-stochastic best arm identification and
        hyperparameter optimization".
    """

    _: KW_ONLY
    sampler: str | Strategy = "random"
    trials: int | None = None
    factor: int = 3
    min_epochs: int = 1
    rounds: int | None = None
    promote: Promote = "loss"

    def __post_init__(self) -> None:
        if self.trials is not None:
            check_int("SuccessiveHalving", "trials", self.trials, 1)
        _check("SuccessiveHalving", self.sampler, self.factor, self.min_epochs, self.rounds, self.promote)

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """The best of a rung go on, the others stop; new trials in the places that are left."""
        plan = self._plan(history.terms)
        return decide_by(plan, self.sampler, space, history, rng, free, promote=self.promote)

    def explain(self, terms: Terms) -> str:
        """What a round trains, and its cost."""
        return _explained(self._plan(terms).brackets, terms)

    def epochs_per_trial(self, terms: Terms) -> float:
        """How many epochs each member of a trial is trained on average, at most."""
        return self._plan(terms).epochs_per_trial

    def _plan(self, terms: Terms) -> Plan:
        rungs = ladder(terms.epochs, self.factor, self.min_epochs)
        trials = self.factor ** (len(rungs) - 1) if self.trials is None else self.trials
        return _planned([Bracket(trials=trials, rungs=rungs, factor=self.factor)], terms, self.rounds)


@dataclass(frozen=True, slots=True)
class Hyperband:
    """Runs successive halving in several ways: many trials from the lowest rung, fewer from the next, and so on.

    Choose it where you do not know how much few epochs say: the last trials of a round are trained fully from the
    start. It pays for that with a part of the budget; `ASHA` and `SuccessiveHalving` trust the lowest rung. What holds
    of the latter's comparisons, holds here.

    Args:
        sampler: Proposes the values of new trials: a strategy, or its name. Defaults to "random".
        factor: One in so many goes on to the next rung, for so many times the epochs. Defaults to 3.
        min_epochs: The lowest rung has at least so many epochs. Defaults to 1.
        rounds: How many rounds, each of all brackets. Defaults to None: until the budget ends.
        promote: By what trials are compared: their "loss" on the rung, or the "prediction" of where it ends. Defaults to
            "loss".

    Raises:
        InvalidInputError: `factor` is below 2, another number below 1, `promote` unknown, or `sampler` no strategy.

    Example:
        >>> from dialed.trial import Objective
        >>> Hyperband(min_epochs=3).explain(Terms(objective=Objective(name="loss", direction="min"), epochs=9))
        '3, 1 trials to 3, 9 epochs; 2 trials to 9 epochs: at most 33 epochs a round, as 3.7 full trainings.'

    References:
        Li and others 2018, "Hyperband: a novel bandit-based approach to hyperparameter optimization".
    """

    _: KW_ONLY
    sampler: str | Strategy = "random"
    factor: int = 3
    min_epochs: int = 1
    rounds: int | None = None
    promote: Promote = "loss"

    def __post_init__(self) -> None:
        _check("Hyperband", self.sampler, self.factor, self.min_epochs, self.rounds, self.promote)

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """The best of each bracket's rung go on, the others stop; new trials in the places that are left."""
        plan = self._plan(history.terms)
        return decide_by(plan, self.sampler, space, history, rng, free, promote=self.promote)

    def explain(self, terms: Terms) -> str:
        """What a round trains, and its cost."""
        return _explained(self._plan(terms).brackets, terms)

    def epochs_per_trial(self, terms: Terms) -> float:
        """How many epochs each member of a trial is trained on average, at most."""
        return self._plan(terms).epochs_per_trial

    def _plan(self, terms: Terms) -> Plan:
        rungs = ladder(terms.epochs, self.factor, self.min_epochs)
        count = len(rungs)
        sizes = [-(-count * self.factor**above // (above + 1)) for above in range(count - 1, -1, -1)]
        brackets = [Bracket(trials=n, rungs=rungs[i:], factor=self.factor) for i, n in enumerate(sizes)]
        return _planned(brackets, terms, self.rounds)


def _planned(brackets: Sequence[Bracket], terms: Terms, rounds: int | None) -> Plan:
    epochs = affordable(terms)
    return Plan(brackets=tuple(brackets) if epochs is None else fitted(brackets, epochs), rounds=rounds)


def _explained(brackets: Sequence[Bracket], terms: Terms) -> str:
    if all(len(bracket.rungs) == 1 for bracket in brackets):
        return f"{terms.epochs} epochs are too few for rungs: every trial is trained fully, as its sampler alone would."
    if all(bracket.trials == 1 for bracket in brackets):
        return f"max_epochs={terms.max_epochs} is too small to compare trials: one after another is trained fully."
    told = [f"{_listed(b.quotas())} trials to {_listed(b.rungs)} epochs" for b in brackets]
    cost = sum(bracket.cost() for bracket in brackets)
    each = len(terms.seeds) * len(terms.folds)
    members = f" of each of {each} members" if each > 1 else ""
    full = f"{cost / terms.epochs:.1f}".removesuffix(".0")
    return f"{'; '.join(told)}: at most {cost:,} epochs a round{members}, as {full} full trainings."


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _check(
    owner: str, sampler: str | Strategy, factor: int, min_epochs: int, rounds: int | None, promote: object
) -> None:
    check_sampler(sampler)
    check_promote(owner, promote)
    check_int(owner, "factor", factor, 2)
    check_int(owner, "min_epochs", min_epochs, 1)
    if rounds is not None:
        check_int(owner, "rounds", rounds, 1)
