"""A study of Optuna, retold as a history of Dialed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from optuna.trial import FrozenTrial, TrialState

from dialed.events import Event, TrialStarted
from dialed.optuna.parameters import Ranges, values_in
from dialed.search.history import History, Terms
from dialed.space import Space
from dialed.trial import Cause, MemberKey, Outcome, Report, State, Values

__all__ = ["Record"]


class Record:
    """The history of the trials that fit into one space, and what has been told of each.

    Args:
        terms: What the strategy is to improve.
        space: The space; another one needs another record.
        ranges: Of its hyperparameters.
    """

    def __init__(self, terms: Terms, space: Space, ranges: Ranges) -> None:
        self.history = History(terms)
        self.space = space
        self._ranges = ranges
        self._numbers: dict[int, int] = {}
        self._finished: set[int] = set()

    def read(self, trials: Sequence[FrozenTrial], proposed: Mapping[int, Values]) -> History:
        """Take in what is new among `trials`. `proposed` are the values of those that have not asked for all yet."""
        for trial in trials:
            if trial.number in self._finished:
                continue
            if trial.number not in self._numbers and (values := self._values(trial, proposed)) is not None:
                self._begin(trial, values)
            if trial.state.is_finished():
                self._finished.add(trial.number)
                for event in self._ended(trial):
                    self.history.apply(event)
        return self.history

    def covers(self, trials: Sequence[FrozenTrial]) -> bool:
        """Whether all that was read is still among `trials`."""
        return set(self._numbers) <= {trial.number for trial in trials}

    def _values(self, trial: FrozenTrial, proposed: Mapping[int, Values]) -> Values | None:
        """The trial's configuration; `None` where it has none in this space, or not yet."""
        params = trial.params if trial.state is not TrialState.WAITING else trial.system_attrs.get("fixed_params", {})
        values = values_in(self._ranges, params, self.space)
        if not trial.state.is_finished():
            values = {**proposed.get(trial.number, {}), **values}
        active = self.space.restrict(values)
        return active if active and active.keys() <= values.keys() else None

    def _begin(self, trial: FrozenTrial, values: Values) -> None:
        number = self._numbers[trial.number] = len(self.history)
        terms = self.history.terms
        self.history.apply(
            TrialStarted(
                trial=number, values=values, until=1, epochs=1, seeds=terms.seeds, folds=terms.folds, source="asked"
            )
        )

    def _ended(self, trial: FrozenTrial) -> list[Event]:
        number = self._numbers.get(trial.number)
        if number is None:
            return []
        key = MemberKey(number, self.history.terms.seeds[0], 0)
        value = _last_value(trial)
        if value is None:
            cause = Cause.NAN if trial.state is TrialState.COMPLETE else Cause.ERROR
            state = State.STOPPED if trial.state is TrialState.PRUNED else State.FAILED
            return [Outcome(key=key, state=state, epoch=0, cause=cause if state is State.FAILED else None)]
        report = Report(key=key, epoch=1, metrics={self.history.objective.name: value}, final=True)
        state = State.COMPLETED if trial.state is TrialState.COMPLETE else State.STOPPED
        return [report, Outcome(key=key, state=state, epoch=1)]


def _last_value(trial: FrozenTrial) -> float | None:
    """What a completed trial gave, or a pruned one reported last; `None` where it is no number."""
    value: float | None = None
    if trial.state is TrialState.COMPLETE:
        value = trial.values[0]
    elif trial.state is TrialState.PRUNED and trial.last_step is not None:
        value = trial.intermediate_values[trial.last_step]
    return value if value is not None and math.isfinite(value) else None
