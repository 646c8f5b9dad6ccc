"""The engine for code that is not a Keras build function: it calls the user's function."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from dialed.clock import Clock, SystemClock
from dialed.engine.protocol import Batch, OnReport
from dialed.errors import InvalidInputError
from dialed.events import Built
from dialed.space import Domain, Float, HyperParameters, Infeasible
from dialed.trial import Cause, Member, MemberKey, Objective, Outcome, Report, State, Values

__all__ = ["FunctionEngine", "ReportingHyperParameters", "failure_of", "metrics_of"]

Result: TypeAlias = float | int | Sequence[float] | Mapping[str, float] | None
Function: TypeAlias = Callable[["ReportingHyperParameters"], Result]


@dataclass(slots=True)
class _Progress:
    """What the function has told so far."""

    step: int = 0
    asked_to_pause: bool = False


class ReportingHyperParameters(HyperParameters):
    """Hyperparameters that can also report: what `dialed.optimize` hands to the function."""

    def __init__(self, values: Values, report: Callable[[int, Mapping[str, float]], bool], seed: int) -> None:
        super().__init__(values)
        self._report = report
        self.seed = seed

    def ask(self, name: str, domain: Domain) -> Any:
        """As in a build function, but nobody runs a range test for it."""
        if isinstance(domain, Float) and domain.prior == "range_test":
            raise InvalidInputError(
                f"Hyperparameter `{name}`: `prior`='range_test' must come with a Keras build function and `Tuner`, which can "
                "train its model. Got a function. Pass prior=(low, high), or leave it out."
            )
        return super().ask(name, domain)

    def report(self, step: int, metrics: float | Mapping[str, float]) -> bool:
        """Tell the metrics after `step` (1 for the first).

        Args:
            step: How much has been trained: epochs, rounds, whatever the function counts. Must grow.
            metrics: A dict of metrics that holds the objective, or the objective alone.

        Returns:
            True when the function should return now: the budget is spent, or the trial is not worth going on.
        """
        return self._report(step, metrics)  # type: ignore[arg-type]


class FunctionEngine:
    """Trains a member by one call of `function(hp)`.

    Args:
        function: Takes hyperparameters; returns the objective, or a dict of metrics that holds it.
        objective: The metric to improve.
        clock: Defaults to the machine's.
        others: The further objectives, in their order. Defaults to none.
        constrained: What else each result must hold. Defaults to nothing.
        given_space: Whether the values come from a space that was given, so that the function may read `hp.values`
            without asking. Defaults to False: what it does not ask for is inactive.
    """

    def __init__(
        self,
        function: Function,
        *,
        objective: Objective,
        others: Sequence[str] = (),
        constrained: Sequence[str] = (),
        clock: Clock | None = None,
        given_space: bool = False,
    ) -> None:
        self.function = function
        self.given_space = given_space
        self.objective = objective
        self.others = tuple(others)
        self.constrained = tuple(constrained)
        self.clock = clock or SystemClock()

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        return [Batch(members=(m,), program="function", reason="a Python function") for m in members]

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        for member in members:
            yield self._call(member, on_report)

    def _call(self, member: Member, on_report: OnReport) -> Outcome:
        progress = _Progress()
        start = self.clock.monotonic()

        def report(step: int, metrics: float | Mapping[str, float]) -> bool:
            nonlocal start
            if step <= progress.step:
                raise InvalidInputError(f"The `step` of a report must grow. Got {step} after {progress.step}.")
            if progress.step == 0:
                self._built(member, hp, on_report)
            now = self.clock.monotonic()
            told = self._metrics(metrics)
            pause = on_report(Report(key=member.key, epoch=step, metrics=told, seconds=now - start))
            progress.step, start = step, now
            progress.asked_to_pause |= pause
            return pause

        hp = ReportingHyperParameters(member.values, report, member.key.seed)
        try:
            metrics = self._metrics(self.function(hp), required=progress.step == 0)
        except InvalidInputError:
            raise  # the function breaks its contract: no other values will mend that
        except Exception as error:  # noqa: BLE001  whatever a user's function raises is this trial's failure
            if progress.step == 0:
                self._built(member, hp, on_report)
            return failure_of(member.key, progress.step, error)
        if progress.step == 0:
            self._built(member, hp, on_report)
        if progress.asked_to_pause:
            return Outcome(key=member.key, state=State.PAUSED, epoch=progress.step)
        step = progress.step
        if metrics:
            step += 1
            seconds = self.clock.monotonic() - start
            on_report(Report(key=member.key, epoch=step, metrics=metrics, seconds=seconds, final=True))
        return Outcome(key=member.key, state=State.COMPLETED, epoch=step)

    def _metrics(self, result: object, *, required: bool = True) -> dict[str, float]:
        metrics = metrics_of(
            result, self.objective, required=required, others=self.others, constrained=self.constrained
        )
        for name in (self.objective.name, *self.others):
            _refuse_nan(metrics, name)
        return metrics

    def _built(self, member: Member, hp: HyperParameters, on_report: OnReport) -> None:
        asked = {**member.values, **hp.asked} if self.given_space else hp.asked
        grown = None if asked.keys() <= member.values.keys() else hp.found.to_json()
        on_report(Built(trial=member.key.trial, values=asked, engine="function", space=grown))


class _NotANumber(Exception):
    """The objective is NaN or infinite."""


def metrics_of(
    result: object,
    objective: Objective,
    *,
    required: bool = True,
    others: Sequence[str] = (),
    constrained: Sequence[str] = (),
) -> dict[str, float]:
    """The metrics that `result` stands for.

    A number is the objective itself; several, in a list or a tuple, are the objectives in their order; a mapping holds
    each by name, and whatever is constrained. What Dialed measures itself, the seconds, may be missing.
    """
    if result is None and not required:
        return {}
    names = (objective.name, *others)
    if isinstance(result, (list, tuple)) and len(result) == len(names) and len(names) > 1:
        result = dict(zip(names, result, strict=True))
    if isinstance(result, Mapping):
        metrics = {str(name): float(value) for name, value in result.items()}
        if objective.name not in metrics:
            raise InvalidInputError(
                f"The function must return the objective '{objective.name}' among its metrics. "
                f"Got {sorted(metrics)}. Pass `objective=` to name another one."
            )
        _check_whole(metrics, (*others, *constrained))
        return metrics
    if others or constrained:
        wanted = ", ".join(f"'{name}'" for name in dict.fromkeys([*names, *constrained]))
        raise InvalidInputError(
            f"The function must return a dict with a number for each of {wanted}. Got {result!r:.80}."
        )
    try:
        return {objective.name: float(result)}  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"The function must return a number, or a dict of metrics. Got {result!r} ({type(result).__name__})."
        ) from None


def _check_whole(metrics: Mapping[str, float], names: Sequence[str]) -> None:
    missing = [name for name in names if name not in metrics and name != "seconds"]
    if missing:
        raise InvalidInputError(
            f"The function must return '{missing[0]}', an objective or what a constraint is on, among its metrics. "
            f"Got {sorted(metrics)}."
        )


def _refuse_nan(metrics: Mapping[str, float], name: str) -> None:
    value = metrics.get(name, 0.0)
    if not math.isfinite(value):
        raise _NotANumber(f"The objective '{name}' became {value}.")


def failure_of(key: MemberKey, step: int, error: Exception) -> Outcome:
    """The outcome of a member whose code raised `error` after `step` steps."""
    match error:
        case _NotANumber():
            cause, message = Cause.NAN, str(error)
        case Infeasible():
            cause, message = Cause.INFEASIBLE, str(error)
        case MemoryError():
            cause, message = Cause.OUT_OF_MEMORY, "The function ran out of memory."
        case _:
            cause, message = Cause.ERROR, _where(error)
    return Outcome(key=key, state=State.FAILED, epoch=step, cause=cause, message=message)


def _where(error: Exception) -> str:
    """The error with the innermost line of code that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f" (line {frames[-1].lineno} of {frames[-1].filename})" if frames else ""
    return f"{type(error).__name__}: {error}{at}"
