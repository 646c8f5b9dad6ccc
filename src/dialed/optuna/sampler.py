"""The sampler that hands Optuna's question to a strategy of Dialed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Any
from zlib import crc32

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from dialed.errors import InvalidInputError
from dialed.optuna.parameters import Parameters, Ranges
from dialed.optuna.record import Record
from dialed.search.decisions import Start
from dialed.search.history import Terms
from dialed.search.protocol import Strategy
from dialed.search.resolve import strategy_from
from dialed.space import Space
from dialed.trial import Objective, Values

__all__ = ["DialedSampler"]


class DialedSampler(BaseSampler):
    """Chooses the parameters of Optuna's trials by a strategy of Dialed.

    Choose it where a project runs on Optuna and is to stay there. Conditional parameters are learned from the trials
    and modelled together with the others. A parameter that is new, or whose range changes from trial to trial, is
    drawn at random, as by Optuna's own samplers. Running trials count as if they had come out as predicted, failed
    ones as a warning, pruned ones with the value that they reported last. Each draw follows from the seed and the
    trial's number, so a study that is loaded again goes on as if it had not been interrupted.

    When a finite space has been tried out, further trials are random: only Optuna's `n_trials` ends a study. Optuna
    decides how long a trial is trained, so of `ASHA` and its kind nothing but the sampler is left: use a pruner.

    Args:
        strategy: A name or an object, as for `dialed.Tuner`. Defaults to "bayesian".
        seed: Of all draws. Defaults to None: another one each time.

    Raises:
        InvalidInputError: No such strategy, or a `seed` that is not a non-negative int.

    Example:
        >>> import optuna
        >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
        >>> study = optuna.create_study(sampler=DialedSampler(seed=0))
        >>> study.optimize(lambda trial: (trial.suggest_float("x", -1, 1) - 0.3) ** 2, n_trials=20)
        >>> study.best_value < 1e-3
        True
    """

    def __init__(self, strategy: str | Strategy = "bayesian", *, seed: int | None = None) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0):
            raise InvalidInputError(f"The `seed` must be an int in the range [0, inf), or None. Got {seed!r}.")
        self._strategy = strategy_from(strategy)
        self._seed = int(np.random.default_rng().integers(2**32)) if seed is None else int(seed)
        self._forget(None)
        self._lock = RLock()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The parameters that the strategy chooses together: those of earlier trials, as far as they are explained."""
        with self._lock:
            parameters = self._known(study, study.get_trials(deepcopy=False))
            return {h.name: parameters.ranges[h.name].distribution for h in parameters.space}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The configuration that the strategy begins next; a random one where it has nothing more to try."""
        _refuse_several_objectives(study)
        with self._lock:
            trials = study.get_trials(deepcopy=False)
            space, ranges = self._known(study, trials).subspace(search_space)
            values = self._decided(study, trial, trials, space, ranges) if len(space) else {}
            self._proposed[trial.number] = values
        return {name: ranges[name].outwards(value) for name, value in values.items()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A random value."""
        _refuse_several_objectives(study)
        seed = np.random.default_rng([self._seed, trial.number, crc32(param_name.encode())]).integers(2**32)
        return RandomSampler(seed=int(seed)).sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Forget what was proposed for the trial: from now on its own record tells."""
        self._proposed.pop(trial.number, None)

    def reseed_rng(self) -> None:
        """Nothing: no two trials share a draw, in whatever thread they run, since draws follow their numbers."""

    def _known(self, study: Study, trials: Sequence[FrozenTrial]) -> Parameters:
        if self._study != (id(study._storage), study._study_id):
            self._forget((id(study._storage), study._study_id))
        self._parameters.read(trials)
        return self._parameters

    def _forget(self, study: tuple[int, int] | None) -> None:
        self._study = study
        self._parameters = Parameters()
        self._record: Record | None = None
        self._proposed: dict[int, Values] = {}

    def _decided(
        self, study: Study, trial: FrozenTrial, trials: Sequence[FrozenTrial], space: Space, ranges: Ranges
    ) -> Values:
        terms = Terms(objective=_objective(study), seed=self._seed)
        record = self._record
        if record is None or record.space != space or not record.covers(trials):
            record = self._record = Record(terms, space, ranges)
        others = [other for other in trials if other.number != trial.number]
        history = record.read(others, self._proposed)
        rng = np.random.default_rng([self._seed, trial.number])
        decisions = self._strategy.decide(space, history, rng, 1)
        return next((space.restrict(d.values) for d in decisions if isinstance(d, Start)), None) or space.sample(rng)

    def __getstate__(self) -> dict[str, Any]:
        return {"_strategy": self._strategy, "_seed": self._seed}  # a study is read anew from its storage

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget(None)
        self._lock = RLock()


def _objective(study: Study) -> Objective:
    return Objective(name="value", direction="max" if study.direction == StudyDirection.MAXIMIZE else "min")


def _refuse_several_objectives(study: Study) -> None:
    if len(study.directions) > 1:
        raise InvalidInputError(
            f"A study must have one objective for DialedSampler to choose its trials. Got {len(study.directions)} "
            f"`directions`. Return one number from the objective, or use another sampler."
        )
