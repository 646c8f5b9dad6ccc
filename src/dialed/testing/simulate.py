"""A search without training: a strategy against a plain Python function.

The function stands for the training; everything else is as in a study: decisions become events, events are folded
into a history, and the history is what the strategy sees next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeAlias, runtime_checkable

from dialed.events import Enqueued, Event
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy
from dialed.space import Space
from dialed.testing.unstored import Unstored
from dialed.trial import Cause, MemberKey, MemberRecord, Objective, Outcome, Report, State, Trial, Values

__all__ = ["ObjectiveFunction", "Simulation", "Training", "simulate"]

Measured: TypeAlias = float | Sequence[float] | Mapping[str, float]
ObjectiveFunction: TypeAlias = Callable[[Values], Measured]
"""The objective of a configuration, its value after each epoch, or all metrics by name. NaN, infinity or an exception
fail the trial."""


@runtime_checkable
class Training(Protocol):
    """A training that can go on from its state, with other values: what copies of trials need to mean anything."""

    def begin(self, values: Values, seed: int) -> Any:
        """The state before the first epoch."""
        ...

    def epoch(self, state: Any, values: Values) -> tuple[Any, float]:
        """The state after another epoch with `values`, and the objective there. The state that came is left as it is."""
        ...


LOSS = Terms(objective=Objective(name="loss", direction="min"))


class Simulation:
    """A study in the making. `events` is all that happened, `history` what follows from it.

    Args:
        strategy: Chooses the trials.
        space: What they vary. It may be replaced on the way, as a study's space grows.
        objective: Stands for the training: a function, or an object with the methods of `Training`.
        terms: What a trial is trained for; `max_trials` among them is the budget.
        free: Trials that may run at the same time; they end in the order in which they were begun. Defaults to 1.
    """

    def __init__(
        self,
        strategy: Strategy,
        space: Space,
        objective: ObjectiveFunction | Training,
        *,
        terms: Terms = LOSS,
        free: int = 1,
    ) -> None:
        self.objective = objective
        self.free = free
        self.events: list[Event] = []
        self._study = Unstored(strategy, space, terms, on_event=self.events.append)
        self._states: dict[tuple[MemberKey, int], Any] = {}

    @property
    def history(self) -> History:
        """What has happened so far."""
        return self._study.history

    @history.setter
    def history(self, history: History) -> None:
        self._study.history = history

    @property
    def strategy(self) -> Strategy:
        """What chooses the trials."""
        return self._study.strategy

    @property
    def space(self) -> Space:
        """What trials vary."""
        return self._study.space

    @space.setter
    def space(self, space: Space) -> None:
        self._study.space = space

    def enqueue(self, values: Values) -> None:
        """Ask for `values` to be tried next."""
        self._study.record(Enqueued(values=values))

    def apply(self, event: Event) -> None:
        """Let something happen that no strategy decides, such as a warm start."""
        self._study.record(event)

    def run(self, trials: int | None = None) -> History:
        """Go on until the strategy has nothing more, the budget is spent, or the study has so many `trials`."""
        while True:
            if trials is None or len(self.history) < trials:
                self._begin()
            waiting = self._waiting()
            if not waiting:
                return self.history
            self._train(waiting[0])

    def _waiting(self) -> list[Trial]:
        return [trial for trial in self.history.busy if trial.state is State.WAITING]

    def _begin(self) -> None:
        places = self.free - len(self._waiting())
        places -= len(self._study.begin_enqueued(places))
        self._study.carry_out(self._study.choose(places))

    def _train(self, trial: Trial) -> None:
        for member in trial.members:
            if member.state is State.WAITING:
                for event in _training(member, self.history.objective.name, partial(self._measured, trial, member)):
                    self._study.record(event)

    def _measured(self, trial: Trial, member: MemberRecord) -> Measured:
        """The value of the objective, or its values after each epoch up to where the member is trained now."""
        if not isinstance(self.objective, Training):
            return self.objective(trial.values)
        values, state = list(member.curve), self._state(self.objective, trial, member.key, member.epoch)
        for epoch in range(member.epoch + 1, member.until + 1):
            state, value = self.objective.epoch(state, trial.values)
            self._states[member.key, epoch] = state
            values.append(value)
        return values

    def _state(self, training: Training, trial: Trial, key: MemberKey, epoch: int) -> Any:
        """The state of a member after `epoch` epochs: that of its ancestor where it had just been copied."""
        if epoch == 0:
            return training.begin(trial.values, key.seed)
        if (key, epoch) not in self._states and trial.origin is not None and epoch == trial.origin.epoch:
            source = self.history.trial(trial.origin.source)
            return self._state(training, source, key._replace(trial=source.number), epoch)
        return self._states[key, epoch]


def simulate(
    strategy: Strategy,
    space: Space,
    objective: ObjectiveFunction | Training,
    *,
    terms: Terms = LOSS,
    max_trials: int | None = None,
    seed: int | None = None,
    free: int = 1,
) -> History:
    """Search `space` for the best value of `objective`, and return the history.

    Args:
        strategy: Chooses the trials.
        space: What they vary.
        objective: Stands for the training: values to a number, or to a number for each epoch; or an object with the
            methods of `Training`, whose trials can be copied with their state.
        terms: What a trial is trained for. Defaults to one epoch that minimises a loss.
        max_trials: The budget in trials. Defaults to that of `terms`.
        seed: The study's seed. Defaults to that of `terms`.
        free: Trials that may run at the same time. Defaults to 1.

    Example:
        >>> from dialed.space import Float, Hyperparameter, Space
        >>> from dialed.strategies import Random
        >>> space = Space([Hyperparameter("x", Float(-1.0, 1.0))])
        >>> history = simulate(Random(), space, lambda values: values["x"] ** 2, max_trials=50, seed=1)
        >>> len(history), history.best_trial.score < 0.01
        (50, True)
    """
    terms = replace(
        terms,
        max_trials=terms.max_trials if max_trials is None else max_trials,
        seed=terms.seed if seed is None else seed,
    )
    return Simulation(strategy, space, objective, terms=terms, free=free).run()


def _training(member: MemberRecord, metric: str, measure: Callable[[], Measured]) -> list[Event]:
    """What happens while one member is trained to its `until`."""
    try:
        measured = measure()
    except Exception as error:  # noqa: BLE001 - whatever a user's function raises is that trial's failure
        return [_failed(member.key, member.epoch, Cause.ERROR, f"{type(error).__name__}: {error}")]
    others = dict(measured) if isinstance(measured, Mapping) else {}
    curve = _curve(others.get(metric, math.nan) if isinstance(measured, Mapping) else measured, member.until)
    events: list[Event] = []
    for epoch, value in curve.items():
        if epoch > member.epoch:
            if not math.isfinite(value):
                return [*events, _failed(member.key, epoch, Cause.NAN, f"The objective is {value}.")]
            events.append(Report(key=member.key, epoch=epoch, metrics={**others, metric: value}))
    last = max(curve, default=0)
    state = State.PAUSED if last == member.until else State.COMPLETED
    return [*events, Outcome(key=member.key, state=state, epoch=last)]


def _curve(measured: float | Sequence[float], until: int) -> dict[int, float]:
    if isinstance(measured, Sequence):
        return {epoch: float(value) for epoch, value in enumerate(measured[:until], start=1)}
    return {until: float(measured)}


def _failed(key: MemberKey, epoch: int, cause: Cause, message: str) -> Outcome:
    return Outcome(key=key, state=State.FAILED, epoch=epoch, cause=cause, message=message)
