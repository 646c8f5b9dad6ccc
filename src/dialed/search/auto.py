"""What to take when nothing is said."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeAlias

import numpy as np

from dialed.search._patient import Patient
from dialed.search._rungs import climbing
from dialed.search._tried import tried
from dialed.search.asha import ASHA
from dialed.search.bayesian import Bayesian
from dialed.search.decisions import Decision
from dialed.search.grid import Grid
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy
from dialed.space import Space

__all__ = ["Auto"]

Way: TypeAlias = Literal["grid", "model", "patient", "rungs"]

FACTOR = 3

AMPLE = 0.75
"""From this share of what `max_trials` full trainings cost, a budget in epochs counts as enough for them."""


@dataclass(frozen=True, slots=True)
class Auto:
    """Chooses for you, by the space, the epochs of a full training and the budget.

    - Where the budget allows for every combination, it tries all of them (`Grid`).
    - Trainings of three epochs or more are compared before they are over. Where only time or epochs limit the search,
      many trials begin and the best are trained on (`ASHA` by predicted results). Where `max_trials` limits it and
      the rest is enough for full trainings, a trial is trained on while it may still become the best.
    - The values come from `Bayesian`: the defaults, a few evenly spread points, and then what a model advises, of
      configurations and epochs together where trials end on several rungs. With a budget in time it prefers what is
      quick to train.
    - Where a few epochs take no longer than it takes to begin a trial, the first look comes after more of them, or all
      trainings are full.
    - Several objectives and constraints are left to `Bayesian` alone, with full trainings.

    **The rule will change** as better strategies are added; name a strategy where a study must be repeated with a
    later version of Dialed.

    Args:
        default_first: Whether the default configuration goes first, as the baseline. Defaults to True.

    Example:
        >>> from dialed.space import Choice, Hyperparameter, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter("units", Choice([32, 64, 128]))])
        >>> history = simulate(Auto(), space, lambda values: values["units"], max_trials=10)
        >>> [trial.values["units"] for trial in history.trials]
        [32, 64, 128]
    """

    _: KW_ONLY
    default_first: bool = True

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """What the strategy of its choice does."""
        return self._strategy(_way(tried(space, history).size, history.terms), history.terms).decide(
            space, history, rng, free
        )

    def explain(self, terms: Terms, space: Space | None = None) -> str:
        """Two sentences: how trials are trained, and where their values come from."""
        way = _way(None if space is None else space.size(), terms)
        if way == "grid":
            return "Every combination is tried, for the budget allows it. The defaults come first."
        values = (
            "Their values are the defaults, a few evenly spread points, and then what a model of the results advises."
        )
        if way == "model":
            return f"{_alone(terms)} {values}"
        rungs = ", ".join(map(str, _rungs(terms)))
        if way == "patient":
            return f"A trial pauses after {rungs} epochs and goes on while it may still become the best. {values}"
        cost = f"about {self.epochs_per_trial(terms, space):.2g} epochs a trial instead of {terms.epochs}"
        return f"Many trials begin, and the third with the best prospects goes on at {rungs} epochs: {cost}. {values}"

    def epochs_per_trial(self, terms: Terms, space: Space | None = None) -> float:
        """How many epochs each member of a trial is trained on average, at most."""
        way = _way(None if space is None else space.size(), terms)
        strategy = self._strategy(way, terms)
        return strategy.epochs_per_trial(terms) if isinstance(strategy, ASHA) else float(terms.epochs)

    def _strategy(self, way: Way, terms: Terms) -> Strategy:
        model = Bayesian(default_first=self.default_first)
        strategies: dict[Way, Strategy] = {
            "grid": Grid(default_first=self.default_first),
            "model": model,
            "patient": Patient(sampler=model, min_epochs=_lowest(terms)),
            "rungs": ASHA(sampler=model, factor=FACTOR, min_epochs=_lowest(terms), promote="prediction"),
        }
        return strategies[way]


def _way(size: int | None, terms: Terms) -> Way:
    """How to search a space of that many configurations (`None`: endlessly many)."""
    if size is not None and _pays_for(size, terms):
        return "grid"
    if terms.others or terms.constraints or len(_rungs(terms)) == 1:
        return "model"
    ample = terms.max_trials is not None and _pays_for(AMPLE * terms.max_trials, terms)
    return "patient" if ample else "rungs"


def _rungs(terms: Terms) -> tuple[int, ...]:
    return climbing(terms.epochs, FACTOR, _lowest(terms))


def _lowest(terms: Terms) -> int:
    """The lowest rung: where nothing but epochs is counted the first, else what is worth beginning a trial for."""
    return 1 if terms.max_epochs is not None else terms.least_epochs


def _pays_for(trials: float, terms: Terms) -> bool:
    """Whether the budget is said to allow for so many full trainings."""
    if terms.max_trials is None or trials > terms.max_trials:
        return False
    members = len(terms.seeds) * len(terms.folds)
    return terms.max_epochs is None or trials * members * terms.epochs <= terms.max_epochs


def _alone(terms: Terms) -> str:
    if terms.others or terms.constraints:
        return "Every trial is trained fully, for several goals are weighed."
    if _lowest(terms) > 1:
        return f"Every trial is trained fully, for {terms.epochs} epochs take hardly longer than to begin a trial."
    return f"Every trial is trained fully, for {terms.epochs} epochs are too few to judge it before."
