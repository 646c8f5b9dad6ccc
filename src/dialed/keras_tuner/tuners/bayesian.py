"""Bayesian search: Dialed's model of the objective behind KerasTuner's interface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dialed.events import Event, TrialStarted
from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.oracle import Oracle
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.engine.tuner import Tuner
from dialed.keras_tuner.engine.view import View
from dialed.search import Bayesian, History, Start, Terms
from dialed.search.protocol import generator
from dialed.trial import Cause, MemberKey, Objective, Outcome, Report, State

__all__ = ["BayesianOptimization", "BayesianOptimizationOracle"]


class BayesianOptimizationOracle(Oracle):
    """Tries what promises the most by a model of the results so far, the defaults first.

    Args:
        num_initial_points: Trials before the model is asked. Defaults to None: few, as `dialed.strategies.Bayesian`
            says.
        alpha: Is kept and not used: the model learns how noisy the scores are. Defaults to 1e-4.
        beta: Is kept and not used: the model weighs what is unknown by what may be gained. Defaults to 2.6.

    The other arguments mean what they mean in `Oracle`; `max_trials` defaults to 10.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
    ) -> None:
        super().__init__(
            objective=objective,
            max_trials=max_trials,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        self.num_initial_points = num_initial_points
        self.alpha = alpha
        self.beta = beta

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The values that promise the most; "STOPPED" once all were tried."""
        view = View(self.hyperparameters.space)
        history = self._history(view)
        strategy = Bayesian(start=self.num_initial_points or None)
        for decision in strategy.decide(view.space, history, generator(history), 1):
            if isinstance(decision, Start):
                return {"status": TrialStatus.RUNNING, "values": view.values(decision.values)}
        return {"status": TrialStatus.STOPPED, "values": None}

    def _history(self, view: View) -> History:
        objective = Objective(name=self.objective.name, direction="max" if self.objective.direction == "max" else "min")
        history = History(Terms(objective=objective, seed=abs(self.seed), max_trials=self.max_trials))
        for number, trial in enumerate(self.trials.values()):
            for event in _events(number, trial, view, objective):
                history.apply(event)
        return history

    def get_state(self) -> dict[str, Any]:
        """The oracle's state and its settings."""
        settings = {name: getattr(self, name) for name in ("num_initial_points", "alpha", "beta")}
        return super().get_state() | settings

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up the state that `get_state` gave."""
        super().set_state(state)
        self.num_initial_points, self.alpha = state["num_initial_points"], state["alpha"]
        self.beta = state["beta"]


def _events(number: int, trial: Trial, view: View, objective: Objective) -> Iterator[Event]:
    """A trial as Dialed's strategies read it: a failure counts as one, and a running trial as running."""
    key = MemberKey(number, 0, 0)
    yield TrialStarted(trial=number, values=view.known(trial.hyperparameters.values), until=1, epochs=1, seeds=(0,))
    if trial.status == TrialStatus.COMPLETED and trial.score is not None:
        yield Report(key=key, epoch=1, metrics={objective.name: float(trial.score)}, final=True)
        yield Outcome(key=key, state=State.COMPLETED, epoch=1)
    elif trial.status in (TrialStatus.FAILED, TrialStatus.INVALID):
        yield Outcome(key=key, state=State.FAILED, epoch=0, cause=Cause.ERROR, message=trial.message or "")


class BayesianOptimization(Tuner):
    """Tunes a Keras model by a model of the results so far.

    Args:
        hypermodel: A `HyperModel` or a build function.
        objective: A metric's name, an `Objective`, or a list of them.
        max_trials: The most trials. Defaults to 10.
        num_initial_points: Trials before the model is asked. Defaults to few.
        alpha: Is kept and not used. Defaults to 1e-4.
        beta: Is kept and not used. Defaults to 2.6.
        seed: Makes the choice repeatable. Defaults to a fresh one.

    The other arguments mean what they mean in `Oracle` and `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = 10,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = BayesianOptimizationOracle(
            objective=objective,
            max_trials=max_trials,
            num_initial_points=num_initial_points,
            alpha=alpha,
            beta=beta,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle=oracle, hypermodel=hypermodel, **kwargs)
