"""An oracle as a strategy of Dialed's: it is asked where a strategy decides, and told of what has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.engine.view import clean
from dialed.search import Continue, Decision, Finish, History, Start
from dialed.space import Space
from dialed.trial import State
from dialed.trial import Trial as Trained

if TYPE_CHECKING:
    from dialed.keras_tuner.engine.base_tuner import BaseTuner

__all__ = ["Asking"]


def _nothing() -> None:
    """What is done before and after each decision where nothing is."""


class Asking:
    """Asks the oracle of `tuner`.

    Args:
        tuner: Its hooks are called as trials begin.
        numbers: Gives the numbers that the oracle's trials have in the study, by their names, to be written to.
        end: Called with a trial of the oracle that has ended, and what the study knows of it.
        before: Called before each decision. Defaults to nothing.
        after: Called after each decision, before anybody sees it. Defaults to nothing.
        by_itself: Whether each trial is one of its own, also where it continues another. Defaults to False.

    Attributes:
        begun: Whether it has been asked.
        after: As given; may be set.
    """

    def __init__(
        self,
        tuner: BaseTuner,
        numbers: Callable[[], dict[str, int]],
        end: Callable[[Trial, Trained], None],
        *,
        before: Callable[[], object] = _nothing,
        after: Callable[[], object] = _nothing,
        by_itself: bool = False,
    ) -> None:
        self.tuner = tuner
        self.numbers = numbers
        self.begun = False
        self._end = end
        self._before = before
        self.after = after
        self._by_itself = by_itself
        self._asked = 0

    @property
    def plans(self) -> bool:
        """Whether the oracle's choices do not depend on results, so that large groups lose nothing."""
        return bool(getattr(self.tuner.oracle, "plans", False))

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """Tell the oracle what has ended, and ask it for as many trials as there is room for."""
        tuner, oracle = self.tuner, self.tuner.oracle
        self._before()
        if not self.begun:
            self.begun = True
            tuner.on_search_begin()
            self._take_up(history)
        self.settle(history)
        decisions: list[Decision] = []
        started = len(history)
        while len(decisions) < free:
            tuner.pre_create_trial()
            self._asked += 1
            trial = oracle.create_trial(f"{tuner.tuner_id}:{self._asked}")
            if trial.status != TrialStatus.RUNNING:
                break
            if not self._by_itself:
                tuner.on_trial_begin(trial)
            decisions.append(self._decision(trial, started))
            started += isinstance(decisions[-1], Start)
        oracle.save()
        self.after()
        return decisions or [Finish(reason="the oracle has nothing more to try")]

    def _take_up(self, history: History) -> None:
        """Trials that an earlier session began and the study still trains are not begun anew."""
        numbers, oracle = self.numbers(), self.tuner.oracle
        for trial_id in [i for i, number in numbers.items() if number >= len(history)]:
            del numbers[trial_id]
        for trial_id in [i for i in oracle._retry_queue if i in numbers]:
            trial = oracle.trials[trial_id]
            if trial.status == TrialStatus.RUNNING and history.trial(numbers[trial_id]).state is not State.FAILED:
                oracle._retry_queue.remove(trial_id)
                oracle.ongoing_trials[f"{self.tuner.tuner_id}:taken up {trial_id}"] = trial

    def _decision(self, trial: Trial, number: int) -> Decision:
        """Begin a trial, or go on with the one that it continues."""
        values, numbers = trial.hyperparameters.values, self.numbers()
        if self._by_itself:
            numbers[trial.trial_id] = number
            return Start(values={}, until=1)  # a worker reads them in the project's folder
        until, before = values.get("tuner/epochs", 0), values.get("tuner/trial_id")
        if before in numbers:
            numbers[trial.trial_id] = numbers[before]
            return Continue(trial=numbers[before], until=until)
        numbers[trial.trial_id] = number
        return Start(values=clean(values), until=until)

    def settle(self, history: History) -> None:
        """Tell the oracle of each of its trials that has ended."""
        for trial in list(self.tuner.oracle.ongoing_trials.values()):
            number = self.numbers().get(trial.trial_id, len(history))
            if number >= len(history):
                continue
            trained = history.trial(number)
            until = trial.hyperparameters.values.get("tuner/epochs", 0)
            arrived = trained.state is State.PAUSED and min(m.epoch for m in trained.members) >= until
            if trained.state.finished or (arrived and not self._by_itself):
                self._end(trial, trained)
