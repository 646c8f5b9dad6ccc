"""Populations: trials side by side, of which the worst go on from copies of the best, with other values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dialed.errors import InvalidInputError
from dialed.search._brackets import affordable
from dialed.search._generations import Generation, generations, places, resting_at
from dialed.search._rungs import check_int
from dialed.search._sampled import check_sampler, sampled
from dialed.search.decisions import Continue, Copy, Decision, Finish
from dialed.search.exploring import explored, free_to_change
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy
from dialed.space import Space
from dialed.trial import Trial, Value

if TYPE_CHECKING:
    from dialed.search._bandit import Bandit

__all__ = ["PopulationBased"]

MOST = 40
"""Trials of a population, unless more are asked for."""

USUAL = 20
"""Trials of a population where no budget says how many."""

GENERATIONS = 10
"""Into so many parts the epochs are divided, unless `interval` says otherwise."""


@dataclass(frozen=True, slots=True)
class PopulationBased:
    """Trains a population side by side; from time to time the worst are replaced by copies of the best that vary.

    Choose it where the best value changes while a model is trained, as that of a learning rate does: what it finds is
    a schedule (`study.schedule(trial)`), at the price of one training for each trial of the population. Do not choose
    it to find widths or layers: only numbers that leave the shapes as they are can change in training. The others
    come from the first trials, and the best of those spread.

    All trials stop at the same epochs and are compared there. The worst fifth are stopped; each is followed by a new
    trial that goes on from the state of one of the best fifth. A trial that failed is replaced too.

    Args:
        population: How many trials. Defaults to None: as many as the budget pays for, up to 40; 20 without one.
        interval: Epochs between two comparisons. Defaults to None: a tenth of the epochs, one at least.
        share: The part of the population that is replaced, and the part that is copied. Defaults to 0.2.
        explore: How copies vary: "perturb" multiplies numbers by one of `factors`, or redraws them; "bandit" asks a
            model of how much each value improved the loss, and when (PB2). Defaults to "perturb".
        factors: What numbers are multiplied by. Defaults to (0.8, 1.2).
        resample: The chance that a value is drawn anew instead. Defaults to 0.25.
        tunable: The hyperparameters that may change in training. Defaults to None: the numbers that leave the shapes of
            the model as they are, which is found by building it.
        fixed: Hyperparameters that must not change in training. Defaults to none.
        sampler: Proposes the values of the first trials: a strategy, or its name. Defaults to "sobol".
        rounds: How many populations, one after another. Defaults to None: until the budget ends.

    Raises:
        InvalidInputError: A setting is out of its range.

    Example:
        >>> from dialed.trial import Objective
        >>> PopulationBased(population=10).explain(Terms(objective=Objective(name="loss", direction="min"), epochs=20))
        '10 trials side by side; every 2 epochs the worst 2 go on as copies of the best 2, with other values: 200 epochs.'

    References:
        Jaderberg and others 2017, "Population based training of neural networks"; Parker-Holder, Nguyen and Roberts
        2020, "Provably efficient online hyperparameter optimization with population-based bandits".
    """

    _: KW_ONLY
    population: int | None = None
    interval: int | None = None
    share: float = 0.2
    explore: Literal["perturb", "bandit"] = "perturb"
    factors: tuple[float, ...] = (0.8, 1.2)
    resample: float = 0.25
    tunable: Sequence[str] | None = None
    fixed: Sequence[str] = ()
    sampler: str | Strategy = "sobol"
    rounds: int | None = None

    def __post_init__(self) -> None:
        check_sampler(self.sampler)
        for name in ("population", "interval", "rounds"):
            if (value := getattr(self, name)) is not None:
                check_int("PopulationBased", name, value, 1)
        _check_share(self.share)
        _check_exploring(self.explore, self.factors, self.resample)
        _check_names(self.tunable, self.fixed)

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """Fill the population; then, at each epoch of comparison, copies first, and who goes on after them."""
        if free < 1:
            return []
        size = self._size(history.terms)
        founders = [trial for trial in history.trials if trial.origin is None]
        begun = (len(founders) - 1) % size + 1 if founders else 0
        new = self._begun(space, history, rng, min(free, size - begun))
        if new is not None and not isinstance(new, Finish):
            return new
        decisions = self._next(space, history, rng, founders[len(founders) - begun :])
        if decisions or history.is_busy:
            return decisions[:free]  # copies stand first, so no source goes on before they are made
        return self._another(space, history, rng, min(free, size), new, rounds=-(-len(founders) // size))

    def _begun(
        self, space: Space, history: History, rng: np.random.Generator, places: int
    ) -> list[Decision] | Finish | None:
        """Trials for so many places of the population; the reason where none can begin; `None` where none is missing."""
        if places < 1:
            return None
        first = min(self._interval(history.terms), history.terms.epochs)
        new = sampled(self.sampler, space, history, rng, places=places, until=lambda number: first)
        return Finish(reason=new.reason) if new.reason else list(new.starts)

    def _another(
        self,
        space: Space,
        history: History,
        rng: np.random.Generator,
        free: int,
        ended: list[Decision] | Finish | None,
        *,
        rounds: int,
    ) -> list[Decision]:
        """The next population, or the end of the search."""
        if isinstance(ended, Finish):
            return [ended]
        if self.rounds is not None and rounds >= self.rounds:
            return [Finish(reason=f"rounds={self.rounds} is reached")]
        new = self._begun(space, history, rng, free)
        return [new] if isinstance(new, Finish) else new or []

    def _next(
        self, space: Space, history: History, rng: np.random.Generator, founders: Sequence[Trial]
    ) -> list[Decision]:
        """What the first epoch of comparison asks for at which not everything is done."""
        epochs, interval = history.terms.epochs, self._interval(history.terms)
        names = free_to_change(space, history, tunable=self.tunable, fixed=self.fixed)
        for generation in generations(history, founders, interval=interval, epochs=epochs):
            if not generation.ready:
                return []
            until = min(generation.epoch + interval, epochs)
            copies = self._copies(generation, names, space, history, rng, until) if names else []
            replaced = {copy.target for copy in copies} | generation.followers.keys()
            going = [
                Continue(trial=holder.number, until=until)
                for holder in generation.holders
                if holder.number not in replaced and resting_at(holder, generation.epoch)
            ]
            if copies or going:
                return [*copies, *going]
        return []

    def _copies(
        self,
        generation: Generation,
        names: tuple[str, ...],
        space: Space,
        history: History,
        rng: np.random.Generator,
        until: int,
    ) -> list[Copy]:
        """A copy of one of the best in the place of each that is to be replaced, and was not yet."""
        winners = generation.winners(self.share, history.objective)
        pending = [loser for loser in generation.losers(self.share) if loser.number not in generation.followers]
        bandit = self._bandit(generation, names, space, history) if pending and winners else None
        copies = []
        for loser in pending:
            better = [w for w in winners if generation.losses[w.number] < generation.losses[loser.number]]
            if better and _still_there(loser, generation):
                source = better[int(rng.integers(len(better)))]
                values = self._varied(source, generation, names, space, rng, bandit)
                copies.append(Copy(source=source.number, target=loser.number, values=values, until=until))
        return copies

    def _varied(
        self,
        source: Trial,
        generation: Generation,
        names: tuple[str, ...],
        space: Space,
        rng: np.random.Generator,
        bandit: Bandit | None,
    ) -> dict[str, Value]:
        if bandit is not None:
            return bandit.choose(source.values, generation.losses[source.number], rng)
        return explored(source.values, space, names, rng, factors=self.factors, resample=self.resample)

    def _bandit(self, generation: Generation, names: tuple[str, ...], space: Space, history: History) -> Bandit | None:
        """The model of what helped so far; `None` where there is none, or nothing to learn from yet."""
        if self.explore != "bandit":
            return None
        from dialed.search._bandit import Bandit  # it loads SciPy

        founders = [trial for trial in history.trials if trial.origin is None]
        return Bandit.of(
            space,
            names,
            places(history, founders),
            objective=history.objective,
            interval=self._interval(history.terms),
            epoch=generation.epoch,
        )

    def explain(self, terms: Terms) -> str:
        """What a population trains, and its cost."""
        size, interval = self._size(terms), self._interval(terms)
        alone = "every trial is trained fully, as its sampler alone would."
        if interval >= terms.epochs:
            return f"{terms.epochs} epochs are over before the first comparison after {interval}, so nothing is copied: {alone}"
        if size < 2:
            return f"The budget pays for one trial at a time, which can be compared with no other: {alone}"
        names = self.tunable if self.tunable is not None else terms.changeable
        if names is not None and not set(names) - set(self.fixed):
            return f"No hyperparameter can change while a model is trained, so nothing is copied: {alone}"
        count = min(max(1, int(self.share * size + 0.5)), size // 2)
        named = f"other values of {', '.join(n for n in names if n not in self.fixed)}" if names else "other values"
        members = len(terms.seeds) * len(terms.folds)
        cost = size * terms.epochs * members
        short = terms.max_epochs is not None and terms.max_epochs < cost
        cut = f" But max_epochs={terms.max_epochs} ends before it does." if short else ""
        return (
            f"{size} trials side by side; every {_epochs(interval)} the worst {count} go on as copies of the best {count}, "
            f"with {named}: {cost:,} epochs.{cut}"
        )

    def _interval(self, terms: Terms) -> int:
        return self.interval or max(1, terms.epochs // GENERATIONS)

    def _size(self, terms: Terms) -> int:
        """How many trials a population has: what is asked for, or what the budget pays for."""
        if self.population is not None:
            return self.population
        epochs = affordable(terms)
        paid = None if epochs is None else max(1, epochs // terms.epochs)
        limits = [limit for limit in (paid, terms.max_trials) if limit is not None]
        if not limits:
            return USUAL
        most = min(limits)
        return -(-most // -(-most // MOST))


def _still_there(loser: Trial, generation: Generation) -> bool:
    return loser.state.finished or resting_at(loser, generation.epoch)


def _epochs(count: int) -> str:
    return "epoch" if count == 1 else f"{count} epochs"


def _check_share(share: object) -> None:
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 0.5:
        raise InvalidInputError(
            f"The `share` of PopulationBased must be a number in the range (0, 0.5]. Got {share!r}."
        )


def _check_exploring(explore: object, factors: object, resample: object) -> None:
    if explore not in ("perturb", "bandit"):
        raise InvalidInputError(f"The `explore` of PopulationBased must be 'perturb' or 'bandit'. Got {explore!r}.")
    numbers = factors if isinstance(factors, tuple) else ()
    if not numbers or not all(isinstance(f, (int, float)) and 0 < f < np.inf and f != 1 for f in numbers):
        raise InvalidInputError(
            f"The `factors` of PopulationBased must be a tuple of positive numbers other than 1. Got {factors!r}."
        )
    if isinstance(resample, bool) or not isinstance(resample, (int, float)) or not 0 <= resample <= 1:
        raise InvalidInputError(f"The `resample` of PopulationBased must be a chance in [0, 1]. Got {resample!r}.")


def _check_names(tunable: object, fixed: object) -> None:
    for name, value in (("tunable", tunable), ("fixed", fixed)):
        if value is not None and (isinstance(value, str) or not all(isinstance(n, str) for n in _listed(value))):
            raise InvalidInputError(f"The `{name}` of PopulationBased must be a list of names. Got {value!r}.")
    if "epochs" in _listed(tunable):
        raise InvalidInputError(
            "The `tunable` of PopulationBased must be what can change in training. Got `epochs`, which is its length."
        )


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else () if value is None else [None]
