"""Trials that a sampler of Optuna chooses."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from dialed.errors import InvalidInputError, MissingDependencyError
from dialed.search._candidates import starts
from dialed.search._draws import drawn, nothing_left
from dialed.search._suggestions import distribution_of, number_of, suggested
from dialed.search._tried import Tried, tried
from dialed.search.decisions import Decision, Finish
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import State, Trial, Values

if TYPE_CHECKING:
    import optuna

__all__ = ["FromOptuna", "require_optuna"]

STUDY = "dialed: one decision"

NOTE_TAKERS = {
    "CmaEsSampler": "Bayesian()",
    "GridSampler": "Grid()",
    "NSGAIIISampler": "Bayesian()",
    "NSGAIISampler": "Bayesian()",
    "QMCSampler": "Sobol()",
}
"""Samplers that keep their state in a study of Optuna, where Dialed has none; and what to take instead."""


def require_optuna() -> None:
    """Raise `MissingDependencyError` unless Optuna is installed."""
    if find_spec("optuna") is None:
        raise MissingDependencyError("This needs the package optuna. Install it: pip install 'dialed[optuna]'.")


class FromOptuna:
    """Lets a sampler of Optuna propose what is tried.

    Choose it to compare Dialed's strategies with one that you know, on the same engine, or to use a sampler that only
    Optuna has. At each decision the sampler sees the whole history as a study of Optuna: failed trials as failed,
    stopped and paused ones as pruned at the last epoch, running ones as running. A copy of it is asked, with random
    generators that are seeded by the study's seed and the number of trials, so a resumed search goes on as if it had
    not been interrupted. The defaults go first; what was tried already is replaced by a random draw.

    Args:
        sampler: An object of `optuna.samplers`, or one of your own that keeps nothing between trials but what it can
            read from the study: CMA-ES, NSGA and quasi-Monte Carlo keep more.

    Raises:
        MissingDependencyError: Optuna is not installed: `pip install 'dialed[optuna]'`.
        InvalidInputError: `sampler` is no sampler, or keeps its state in Optuna's study.

    Example:
        >>> from optuna.samplers import TPESampler
        >>> from dialed.space import Float, Hyperparameter, Space
        >>> from dialed.testing.simulate import simulate
        >>> space = Space([Hyperparameter("x", Float(-1.0, 1.0))])
        >>> history = simulate(FromOptuna(TPESampler()), space, lambda v: (v["x"] - 0.3) ** 2, max_trials=40)
        >>> history.best_trial.score < 0.01
        True
    """

    __slots__ = ("sampler",)

    def __init__(self, sampler: optuna.samplers.BaseSampler) -> None:
        require_optuna()
        _check_sampler(sampler)
        self.sampler = copy.deepcopy(sampler)

    def __repr__(self) -> str:
        return f"FromOptuna({self.sampler})"

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """What the sampler proposes, after the defaults."""
        if free < 1:
            return []
        known = tried(space, history)
        chosen: dict[Hashable, Values] = {}
        if known.default_key not in known:
            chosen[known.default_key] = space.default_values()
        if len(chosen) < free and len(space):
            chosen |= self._proposed(known, history, rng, free - len(chosen), chosen)
        while len(chosen) < free and (keyed := drawn(known, chosen, history, rng)):
            chosen[keyed[0]] = keyed[1]
        return starts(chosen.values(), history) or [Finish(reason=nothing_left(known))]

    def _proposed(
        self, known: Tried, history: History, rng: np.random.Generator, count: int, begun: dict[Hashable, Values]
    ) -> dict[Hashable, Values]:
        """At most `count` new configurations; a proposal that is not new is passed over."""
        sampler = copy.deepcopy(self.sampler)
        _seed(sampler, rng)
        study = _study(sampler, known.space, history, list(begun.values()))
        proposed: dict[Hashable, Values] = {}
        for _ in range(count):
            values = suggested(known.space, study.ask())
            key = known.space.key(values)
            if key not in known and key not in begun:
                proposed.setdefault(key, values)
        return proposed


def _check_sampler(sampler: object) -> None:
    from optuna.samplers import BaseSampler

    if not isinstance(sampler, BaseSampler):
        raise InvalidInputError(
            f"The `sampler` must be an object of optuna.samplers, as in FromOptuna(TPESampler()). Got {sampler!r}."
        )
    name = next((c.__name__ for c in type(sampler).__mro__ if c.__name__ in NOTE_TAKERS), None)
    if name is not None:
        raise InvalidInputError(
            f"The `sampler` must read all it needs from the trials. Got {type(sampler).__name__}, which keeps notes of "
            f"its own in a study of Optuna. Take dialed.strategies.{NOTE_TAKERS[name]} instead."
        )


def _seed(sampler: object, rng: np.random.Generator) -> None:
    """Give each random generator inside `sampler`, and inside the samplers that it is made of, a seed from `rng`."""
    from optuna.samplers import BaseSampler

    for name, part in vars(sampler).items():
        if isinstance(part, np.random.Generator):
            setattr(sampler, name, np.random.default_rng(int(rng.integers(2**63))))
        elif isinstance(part, BaseSampler):
            _seed(part, rng)
        else:
            inner = part if isinstance(part, np.random.RandomState) else getattr(part, "rng", None)
            if isinstance(inner, np.random.RandomState):
                inner.seed(int(rng.integers(2**32)))


def _study(sampler: optuna.samplers.BaseSampler, space: Space, history: History, begun: list[Values]) -> optuna.Study:
    """The history as a study of Optuna that minimises. `begun` are the trials that this decision begins before."""
    import optuna
    from optuna.storages import InMemoryStorage
    from optuna.study import StudyDirection

    storage = InMemoryStorage()
    with _unannounced():
        storage.create_new_study([StudyDirection.MINIMIZE], STUDY)
    study = optuna.Study(STUDY, storage, sampler)
    for trial in history.trials:
        if (frozen := _frozen(trial, space, history)) is not None:
            study.add_trial(frozen)
    for values in begun:
        study.add_trial(optuna.create_trial(state=optuna.trial.TrialState.RUNNING, **_parameters(space, values)))
    return study


def _frozen(trial: Trial, space: Space, history: History) -> optuna.trial.FrozenTrial | None:
    """The trial as Optuna knows trials; `None` where its values do not fit into the space."""
    from optuna.trial import TrialState, create_trial

    inside = {name: value for name, value in trial.values.items() if name in space}
    if not space.contains(inside):
        return None
    parameters = _parameters(space, inside)
    loss = math.nan if trial.score is None else history.objective.loss(trial.score)
    if trial.state in (State.WAITING, State.RUNNING):
        return create_trial(state=TrialState.RUNNING, **parameters)
    if trial.state is State.FAILED or not math.isfinite(loss):
        return create_trial(state=TrialState.FAIL, **parameters)
    if trial.state is State.COMPLETED:
        return create_trial(value=loss, **parameters)
    epoch = max(member.epoch for member in trial.members)
    return create_trial(state=TrialState.PRUNED, value=loss, intermediate_values={epoch: loss}, **parameters)


def _parameters(space: Space, values: Values) -> dict[str, Any]:
    """The arguments `params` and `distributions` of a trial of Optuna with those values."""
    numbers: dict[str, float] = {}
    distributions: dict[str, Any] = {}
    for name, value in values.items():
        domain = space[name].domain
        if (distribution := distribution_of(domain)) is not None:
            distributions[name] = distribution
            numbers[name] = number_of(domain, value)
    return {"params": numbers, "distributions": distributions}


@contextmanager
def _unannounced() -> Iterator[None]:
    """Within it, Optuna does not announce our studies in its log: each lives for one decision."""
    logger = logging.getLogger("optuna.storages._in_memory")
    ours = logging.Filter()
    ours.filter = lambda record: STUDY not in record.getMessage()  # type: ignore[method-assign]
    logger.addFilter(ours)
    try:
        yield
    finally:
        logger.removeFilter(ours)
