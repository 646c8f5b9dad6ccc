"""New trials on the lowest rung, with the values that another strategy proposes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dialed.search.decisions import Continue, Decision, Finish, Start, Stop
from dialed.search.history import History
from dialed.search.protocol import Strategy
from dialed.space import Space

__all__ = ["Sampled", "capped", "check_sampler", "ended", "sampled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """Trials to begin; where there never will be any, the `reason`. A larger `budget` would allow for more."""

    starts: tuple[Start, ...] = ()
    reason: str = ""
    budget: bool = False


def sampled(
    sampler: str | Strategy,
    space: Space,
    history: History,
    rng: np.random.Generator,
    *,
    places: int,
    until: Callable[[int], int],
    rungs: tuple[int, ...] = (),
    factor: int = 3,
) -> Sampled:
    """Ask `sampler` for at most so many trials as there are `places`.

    Args:
        sampler: Proposes values, and when to end.
        space: Where.
        history: What it sees.
        rng: Its random generator.
        places: How many.
        until: The epoch to train to, by the number of a trial.
        rungs: Where trials are compared, the lowest first.
        factor: From one rung to the next.
    """
    from dialed.search.resolve import strategy_from  # which knows all strategies, this module's users among them

    most = history.terms.max_trials
    if most is not None and history.begun >= most:
        return Sampled(reason=f"max_trials={most} is reached", budget=True)
    strategy = strategy_from(sampler)
    if not history.terms.kept:  # several goals are modelled without the curves
        strategy = over_rungs(strategy, rungs, factor)
    decisions = strategy.decide(space, history, rng, places) if places > 0 else []
    begun = [decision for decision in decisions if isinstance(decision, Start)]
    reason = next((decision.reason for decision in decisions if isinstance(decision, Finish)), "")
    starts = tuple(replace(start, until=until(len(history) + i)) for i, start in enumerate(begun))
    if places > 0 and not starts and not history.is_busy:  # a sampler that waits, though nothing is trained
        reason = reason or "its sampler proposes nothing more"
    return Sampled(starts=starts, reason="" if starts else reason)


def over_rungs(strategy: Strategy, rungs: tuple[int, ...], factor: int) -> Strategy:
    """The same strategy, told that trials end on several rungs, if its model can take that into account."""
    from dialed.search.bayesian import Bayesian

    if len(rungs) < 2 or not isinstance(strategy, Bayesian):
        return strategy
    from dialed.search.curves.sampler import OverRungs

    return OverRungs(settings=strategy, rungs=rungs, factor=factor)


def capped(decisions: list[Decision], free: int) -> list[Decision]:
    """Those that need no place, and the first `free` that do."""
    kept: list[Decision] = []
    for decision in decisions:
        if isinstance(decision, Stop) or free > 0:
            kept.append(decision)
            free -= isinstance(decision, (Start, Continue))
    return kept


def ended(decisions: list[Decision], history: History, reason: str) -> list[Decision]:
    """The decisions, and the end of the search where nothing is trained now and nothing will be."""
    at_work = history.is_busy or any(isinstance(decision, (Start, Continue)) for decision in decisions)
    return decisions if at_work or not reason else [*decisions, Finish(reason=reason)]


def check_sampler(sampler: str | Strategy) -> None:
    """Refuse what is no strategy.

    Raises:
        InvalidInputError: The name is unknown, or the object has no method `decide`.
    """
    from dialed.search.resolve import strategy_from

    strategy_from(sampler)
