"""What a member measures, epoch by epoch, when a function or a table stands for its training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from dialed.events import Event
from dialed.testing.simulate import Measured, ObjectiveFunction, Training
from dialed.trial import Cause, MemberKey, MemberRecord, Outcome, Report, State, Trial, Values

__all__ = ["Course", "Courses"]


class Course:
    """The way of one member from where it is to where it is trained now.

    Args:
        member: The member as it is.
        metric: The name of the objective.
        metrics: What it measures after each further epoch; it may end early, or raise.
        seconds: How long an epoch takes on a worker of usual speed.
    """

    __slots__ = ("_metric", "_metrics", "_until", "at", "key", "seconds")

    def __init__(
        self, member: MemberRecord, metric: str, metrics: Iterator[Mapping[str, float]], seconds: float
    ) -> None:
        self.key = member.key
        self.at = member.epoch
        self.seconds = seconds
        self._until = member.until
        self._metric = metric
        self._metrics = metrics

    def epoch(self, took: float) -> list[Event]:
        """What there is to tell after another epoch, which took so many seconds: an outcome comes last, if it is over."""
        try:
            metrics = next(self._metrics, None)
        except Exception as error:  # noqa: BLE001 - whatever a user's function raises is that trial's failure
            return [self._failed(Cause.ERROR, f"{type(error).__name__}: {error}")]
        if metrics is None:
            return [Outcome(key=self.key, state=State.COMPLETED, epoch=self.at)]
        self.at += 1
        value = metrics.get(self._metric, math.nan)
        if not math.isfinite(value):
            return [self._failed(Cause.NAN, f"The objective is {value}.")]
        report = Report(key=self.key, epoch=self.at, metrics=metrics, seconds=took)
        if self.at < self._until:
            return [report]
        return [report, Outcome(key=self.key, state=State.PAUSED, epoch=self.at)]

    def _failed(self, cause: Cause, message: str) -> Outcome:
        return Outcome(key=self.key, state=State.FAILED, epoch=self.at, cause=cause, message=message)


class Courses:
    """Gives each member its course, and keeps the states that copies go on from.

    Args:
        objective: A function of the values, or a `Training`.
        metric: The name of the objective.
        seconds: How long an epoch takes with these values.
    """

    def __init__(
        self, objective: ObjectiveFunction | Training, metric: str, seconds: Callable[[Values], float]
    ) -> None:
        self._training = objective if isinstance(objective, Training) else None
        self._function = objective
        self._metric = metric
        self._seconds = seconds
        self._states: dict[MemberKey, Any] = {}

    def course(self, trial: Trial, member: MemberRecord) -> Course:
        """The course of a member from where it is."""
        values = trial.values
        if self._training is not None:
            metrics = self._trained(self._training, values, member.key, member.epoch)
        else:
            metrics = self._measured(values, member.epoch)
        return Course(member, self._metric, metrics, self._seconds(values))

    def copy(self, trial: Trial) -> None:
        """Give a trial that has just been copied the states of its source."""
        if trial.origin is not None:
            for member in trial.members:
                source = member.key._replace(trial=trial.origin.source)
                if source in self._states:
                    self._states[member.key] = self._states[source]

    def forget(self, trial: Trial) -> None:
        """Nothing will go on from the states of that trial."""
        for member in trial.members:
            self._states.pop(member.key, None)

    def _measured(self, values: Values, epoch: int) -> Iterator[Mapping[str, float]]:
        measured: Measured = self._function(values)  # type: ignore[operator]
        others: Mapping[str, float] = {}
        if isinstance(measured, Mapping):
            others, measured = measured, measured.get(self._metric, math.nan)
        if not isinstance(measured, Sequence):
            yield from repeat({**others, self._metric: float(measured)})
        else:
            yield from ({self._metric: float(value)} for value in measured[epoch:])

    def _trained(self, training: Training, values: Values, key: MemberKey, epoch: int) -> Iterator[Mapping[str, float]]:
        state = self._states[key] if epoch else training.begin(values, key.seed)
        while True:
            state, value = training.epoch(state, values)
            self._states[key] = state
            yield {self._metric: value}
