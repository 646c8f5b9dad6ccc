"""The plan before paying: what a search would train, and about how long that takes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from dialed.clock import Clock
from dialed.engine.protocol import Engine
from dialed.observe.text import format_bytes, format_seconds
from dialed.search import Auto, Strategy, Terms
from dialed.space import Row, Space
from dialed.study.arguments import Prepared
from dialed.study.budget import Budget
from dialed.study.confirm import AUTOMATIC_TOP, BESIDES, LEAST_REPEATS, MOST_SEEDS
from dialed.study.forecast import Forecast, Planned, forecast

if TYPE_CHECKING:
    from dialed.engine.pace import Pace

__all__ = ["Preview", "preview_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a search would do.

    Args:
        limit: What ends the search: a budget, or the space when it is exhausted.
        configurations: How many the space has; `None` when it is continuous.
        trials: How many trials are to be expected.
        members: Trials times repeats times folds.
        epochs: Trained epochs over all members, if none ends early by itself.
        confirm_epochs: Epochs that the confirmation at the end takes besides.
        programs: Programs that are compiled, about: one for each member that `model.fit` trains, and those that the
            other trials share.
        planned: How the first trials would be trained: which share a program, and what cannot, with the reasons.
        sampled: How many trials those are.
        parameters: Parameters of the default model.
        memory_bytes: Of the default model's weights, gradients and optimizer, and of the data. Activations come on
            top.
        seconds_to_start: Measured: building and compiling the default model.
        seconds_per_epoch: Measured on a few batches of the default model.
        seconds: Estimated for the whole search, the confirmation included, as if every epoch took as long as one of
            the defaults by `model.fit`. Trials that share a program usually take less.
        builds: How often the build function was called to discover the space.
        strategy: What the strategy says of its own cost; empty where it says nothing.
        workers: How many processes train; `seconds` is what one would take.
    """

    limit: str
    configurations: int | None
    trials: int
    members: int
    epochs: int
    confirm_epochs: int
    programs: int
    parameters: int
    memory_bytes: int
    seconds_to_start: float
    seconds_per_epoch: float
    seconds: float
    builds: int
    planned: tuple[Planned, ...] = ()
    sampled: int = 0
    space: tuple[str, ...] = ()
    strategy: str = ""
    workers: int = 1

    def __str__(self) -> str:
        size = "endlessly many" if self.configurations is None else f"{self.configurations:,}"
        confirm = f", and {self.confirm_epochs:,} to confirm the winner" if self.confirm_epochs else ""
        lines = [
            f"Space            {size} configurations of {len(self.space)} hyperparameters",
            *(f"                 {line}" for line in self.space),
            f"Trials           about {self.trials:,} ({self.members:,} members), until {self.limit}",
            f"Epochs           at most {self.epochs:,}{confirm}",
            *([f"Strategy         {self.strategy}"] if self.strategy else []),
            *self._programs(),
            f"Default model    {self.parameters:,} parameters, {format_bytes(self.memory_bytes)} with the data",
            f"Time             {'at most ' if self._forecast.fused else ''}about {format_seconds(self.seconds)}{self._shared}",
            f"                 {format_seconds(self.seconds_to_start)} to build and compile a model",
            f"                 {format_seconds(self.seconds_per_epoch)} an epoch of the defaults",
        ]
        return "\n".join(lines)

    @property
    def _shared(self) -> str:
        """Who shares the time. By how much it shrinks depends on how well one training fills the machine."""
        return "" if self.workers == 1 else f" in one process, which {self.workers} workers share"

    @property
    def _forecast(self) -> Forecast:
        return Forecast(sampled=self.sampled, planned=self.planned)

    def _programs(self) -> list[str]:
        """How many programs, and for the first trials who shares them."""
        about = "about" if self._forecast.fused else "at most"
        lines = [f"Programs         {about} {self.programs:,} to compile"]
        told = self._forecast.lines
        if told:
            lines[0] += f"; of the first {self.sampled:,} trials" if self.sampled > 1 else "; of the first trial"
        return lines + [f"                 {line}" for line in told]


def preview_of(
    prepared: Prepared,
    *,
    engine: Engine,
    budget: Budget,
    strategy: Strategy,
    confirm: bool,
    clock: Clock,
    workers: int = 1,
) -> Preview:
    """Measure a few batches of the defaults, plan the first trials, and reckon the rest."""
    from dialed.engine.pace import measure_pace

    terms, space = prepared.terms, prepared.space
    pace = measure_pace(prepared.recipe, space.default_values(), prepared.data, seed=terms.seeds[0], clock=clock)
    each = len(terms.seeds) * len(terms.folds)
    known = [limit for limit in (budget.max_trials, space.size()) if limit is not None]
    plan = forecast(engine, prepared, strategy, trials=min(known, default=0))
    expense = _Expense(pace=pace, plan=plan, each=each, epochs=_epochs_per_trial(strategy, terms, space))
    trials, limit = _trials(budget, space.size(), expense)
    members, epochs = trials * each, ceil(trials * each * expense.epochs)
    if budget.max_epochs is not None:
        epochs = min(epochs, budget.max_epochs)
    extra = _confirm_members(epochs, terms.epochs, len(terms.folds)) if confirm else 0
    programs = plan.programs(trials) + (members + extra) * plan.share_alone
    seconds = programs * pace.seconds_to_start + (epochs + extra * terms.epochs) * pace.seconds_per_epoch
    if budget.max_seconds is not None:
        seconds = min(seconds, budget.max_seconds)
    return Preview(
        limit=limit,
        configurations=space.size(),
        trials=trials,
        members=members,
        epochs=epochs,
        confirm_epochs=extra * terms.epochs,
        programs=round(programs),
        parameters=pace.parameters,
        memory_bytes=pace.memory_bytes + (prepared.data.bytes or 0),
        seconds_to_start=pace.seconds_to_start,
        seconds_per_epoch=pace.seconds_per_epoch,
        seconds=seconds,
        builds=prepared.builds,
        planned=plan.planned,
        sampled=plan.sampled,
        space=tuple(_line(row) for row in space.describe()),
        strategy=_explained(strategy, terms, space),
        workers=workers,
    )


def _explained(strategy: Strategy, terms: Terms, space: Space) -> str:
    """What the strategy says of its plan and cost, where it has a method for that."""
    if isinstance(strategy, Auto):
        return strategy.explain(terms, space)
    explain = getattr(strategy, "explain", None)
    return str(explain(terms)) if callable(explain) else ""


def _epochs_per_trial(strategy: Strategy, terms: Terms, space: Space) -> float:
    """Epochs that each member of a trial is trained on average: all of them, unless the strategy says otherwise."""
    if isinstance(strategy, Auto):
        return strategy.epochs_per_trial(terms, space)
    on_rungs = getattr(strategy, "epochs_per_trial", None)
    return float(on_rungs(terms)) if callable(on_rungs) else float(terms.epochs)


def _line(row: Row) -> str:
    condition = "" if row.active == "always" else f", if {row.active}"
    return f"{row.name}: {row.values}{condition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expense:
    """What trials take: `each` members of `epochs` epochs on average, at this pace, compiled as planned."""

    pace: Pace
    plan: Forecast
    each: int
    epochs: float

    def affordable(self, seconds: float) -> int:
        """How many trials fit into `seconds`; one at least."""
        plan, start = self.plan, self.pace.seconds_to_start
        fixed = (plan.programs(plan.sampled) - plan.rate * plan.sampled) * start
        each = (self.each * plan.share_alone + plan.rate) * start
        each += self.each * self.epochs * self.pace.seconds_per_epoch
        return max(1, int((seconds - fixed) / max(each, 1e-9)))


def _trials(budget: Budget, size: int | None, expense: _Expense) -> tuple[int, str]:
    """How many trials to expect, and which limit is reached first."""
    limits = []
    if budget.max_trials is not None:
        limits.append((budget.max_trials, f"max_trials={budget.max_trials}"))
    if budget.max_epochs is not None:
        epochs = expense.each * expense.epochs
        limits.append((ceil(budget.max_epochs / epochs), f"max_epochs={budget.max_epochs}"))
    if budget.max_seconds is not None:
        limits.append((expense.affordable(budget.max_seconds), f"max_time={format_seconds(budget.max_seconds)}"))
    if size is not None:
        limits.append((size, "the space is exhausted"))
    return min(limits, default=(0, "you stop it"))


def _confirm_members(epochs: int, length: int, folds: int) -> int:
    """Members of the automatic confirmation: the finalists and the defaults, under as many seeds as it may afford."""
    contestants = AUTOMATIC_TOP + 1
    affordable = int(BESIDES * epochs / (contestants * length * folds))
    return contestants * folds * min(MOST_SEEDS, max(LEAST_REPEATS, affordable))
