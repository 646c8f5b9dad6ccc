"""A search without training: a strategy against a plain Python function.

The function stands for the training; everything else is as in a study: decisions become events, events are folded
into a history, and the history is what the strategy sees next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from dialed.events import Enqueued, Event, TrialContinued, TrialStarted, TrialStopped
from dialed.search.decisions import Continue, Decision, Start, Stop
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy, generator
from dialed.space import Space
from dialed.trial import Cause, MemberKey, MemberRecord, Objective, Outcome, Report, State, Trial, Values

__all__ = ["ObjectiveFunction", "Simulation", "simulate"]

ObjectiveFunction: TypeAlias = Callable[[Values], float | Sequence[float]]
"""The objective of a configuration, or its value after each epoch. NaN, infinity or an exception fail the trial."""

LOSS = Terms(objective=Objective(name="loss", direction="min"))


class Simulation:
    """A study in the making. `events` is all that happened, `history` what follows from it.

    Args:
        strategy: Chooses the trials.
        space: What they vary. It may be replaced on the way, as a study's space grows.
        objective: Stands for the training.
        terms: What a trial is trained for; `max_trials` among them is the budget.
        free: Trials that may run at the same time; they end in the order in which they were begun. Defaults to 1.
    """

    def __init__(
        self, strategy: Strategy, space: Space, objective: ObjectiveFunction, *, terms: Terms = LOSS, free: int = 1
    ) -> None:
        self.strategy = strategy
        self.space = space
        self.objective = objective
        self.free = free
        self.history = History(terms)
        self.events: list[Event] = []

    def enqueue(self, values: Values) -> None:
        """Ask for `values` to be tried next."""
        self._record(Enqueued(values=values))

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
        return [trial for trial in self.history.unfinished if trial.state is State.WAITING]

    def _begin(self) -> None:
        places = self.free - len(self._waiting())
        while places > 0 and self.history.enqueued and self._has_room():
            self._start(self.history.enqueued[0], self.history.terms.epochs, source="enqueued")
            places -= 1
        if places > 0 and (self._has_room() or self.history.unfinished):
            rng = generator(self.history)
            self._carry_out(self.strategy.decide(self.space, self.history, rng, places))

    def _has_room(self) -> bool:
        most = self.history.terms.max_trials
        return most is None or len(self.history) < most

    def _carry_out(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            match decision:
                case Start() if self._has_room():
                    self._start(decision.values, decision.until, seeds=decision.seeds, folds=decision.folds)
                case Continue():
                    self._record(TrialContinued(trial=decision.trial, until=decision.until))
                case Stop():
                    self._record(TrialStopped(trial=decision.trial))
                case _:
                    pass  # a Start beyond the budget; a Finish shows itself: nothing is begun

    def _start(
        self,
        values: Values,
        until: int,
        *,
        source: Literal["default", "enqueued", "strategy"] = "strategy",
        seeds: tuple[int, ...] = (),
        folds: tuple[int, ...] = (),
    ) -> None:
        terms = self.history.terms
        complete = self.space.restrict(values)
        if source == "strategy" and self.history.baseline is None and complete == self.space.default_values():
            source = "default"
        self._record(
            TrialStarted(
                trial=len(self.history),
                values=complete,
                until=until,
                epochs=terms.epochs,
                seeds=seeds or terms.seeds,
                folds=folds or terms.folds,
                source=source,
            )
        )

    def _train(self, trial: Trial) -> None:
        for member in trial.members:
            if member.state is State.WAITING:
                for event in _training(member, self.history.objective.name, lambda: self.objective(trial.values)):
                    self._record(event)

    def _record(self, event: Event) -> None:
        self.events.append(event)
        self.history.apply(event)


def simulate(
    strategy: Strategy,
    space: Space,
    objective: ObjectiveFunction,
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
        objective: Stands for the training: values to a number, or to a number for each epoch.
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


def _training(member: MemberRecord, metric: str, measure: Callable[[], float | Sequence[float]]) -> list[Event]:
    """What happens while one member is trained to its `until`."""
    try:
        measured = measure()
    except Exception as error:  # noqa: BLE001 - whatever a user's function raises is that trial's failure
        return [_failed(member.key, member.epoch, Cause.ERROR, f"{type(error).__name__}: {error}")]
    curve = _curve(measured, member.until)
    events: list[Event] = []
    for epoch, value in curve.items():
        if epoch > member.epoch:
            if not math.isfinite(value):
                return [*events, _failed(member.key, epoch, Cause.NAN, f"The objective is {value}.")]
            events.append(Report(key=member.key, epoch=epoch, metrics={metric: value}))
    last = max(curve, default=0)
    state = State.PAUSED if last == member.until else State.COMPLETED
    return [*events, Outcome(key=member.key, state=state, epoch=last)]


def _curve(measured: float | Sequence[float], until: int) -> dict[int, float]:
    if isinstance(measured, Sequence):
        return {epoch: float(value) for epoch, value in enumerate(measured[:until], start=1)}
    return {until: float(measured)}


def _failed(key: MemberKey, epoch: int, cause: Cause, message: str) -> Outcome:
    return Outcome(key=key, state=State.FAILED, epoch=epoch, cause=cause, message=message)
