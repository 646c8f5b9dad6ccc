"""The plan before paying: what a search would train, and about how long that takes."""

from __future__ import annotations

from dataclasses import dataclass

from dialed.clock import Clock
from dialed.observe.text import format_bytes, format_seconds
from dialed.search import Strategy
from dialed.space import Row
from dialed.study.arguments import Prepared
from dialed.study.budget import Budget
from dialed.study.confirm import AUTOMATIC_TOP, LEAST_REPEATS, SHARE

__all__ = ["Preview", "preview_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a search would do.

    Args:
        limit: What ends the search: a budget, or the space when it is exhausted.
        configurations: How many the space has; `None` when it is continuous.
        trials: How many trials are to be expected.
        members: Trials times repeats times folds.
        epochs: Trained epochs over all members, if none ends early.
        confirm_epochs: Epochs that the confirmation at the end takes besides.
        programs: Programs that are compiled, at most: one for each member.
        parameters: Parameters of the default model.
        memory_bytes: Of the default model's weights, gradients and optimizer, and of the data. Activations come on
            top.
        seconds_to_start: Measured: building and compiling the default model.
        seconds_per_epoch: Measured on a few batches of the default model.
        seconds: Estimated for the whole search, the confirmation included.
        builds: How often the build function was called to discover the space.
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
    space: tuple[str, ...] = ()

    def __str__(self) -> str:
        size = "endlessly many" if self.configurations is None else f"{self.configurations:,}"
        confirm = f", and {self.confirm_epochs:,} to confirm the winner" if self.confirm_epochs else ""
        lines = [
            f"Space            {size} configurations of {len(self.space)} hyperparameters",
            *(f"                 {line}" for line in self.space),
            f"Trials           about {self.trials:,} ({self.members:,} members), until {self.limit}",
            f"Epochs           at most {self.epochs:,}{confirm}",
            f"Programs         at most {self.programs:,} to compile",
            f"Default model    {self.parameters:,} parameters, {format_bytes(self.memory_bytes)} with the data",
            f"Time             about {format_seconds(self.seconds)}",
            f"                 {format_seconds(self.seconds_to_start)} to build and compile a model",
            f"                 {format_seconds(self.seconds_per_epoch)} an epoch of the defaults",
        ]
        return "\n".join(lines)


def preview_of(prepared: Prepared, *, budget: Budget, strategy: Strategy, confirm: bool, clock: Clock) -> Preview:
    """Measure a few batches of the defaults, and reckon the rest."""
    from dialed.engine.pace import measure_pace

    terms, space = prepared.terms, prepared.space
    pace = measure_pace(prepared.recipe, space.default_values(), prepared.data, seed=terms.seeds[0], clock=clock)
    each = len(terms.seeds) * len(terms.folds)
    per_member = pace.seconds_to_start + pace.seconds_per_epoch * terms.epochs
    trials, limit = _trials(budget, space.size(), each, terms.epochs, per_member)
    members, epochs = trials * each, trials * each * terms.epochs
    if budget.max_epochs is not None:
        epochs = min(epochs, budget.max_epochs)
    extra = _confirm_members(epochs, terms.epochs, len(terms.folds)) if confirm else 0
    seconds = members * pace.seconds_to_start + epochs * pace.seconds_per_epoch + extra * per_member
    if budget.max_seconds is not None:
        seconds = min(seconds, budget.max_seconds)
    return Preview(
        limit=limit,
        configurations=space.size(),
        trials=trials,
        members=members,
        epochs=epochs,
        confirm_epochs=extra * terms.epochs,
        programs=members + extra,
        parameters=pace.parameters,
        memory_bytes=pace.memory_bytes + (prepared.data.bytes or 0),
        seconds_to_start=pace.seconds_to_start,
        seconds_per_epoch=pace.seconds_per_epoch,
        seconds=seconds,
        builds=prepared.builds,
        space=tuple(_line(row) for row in space.describe()),
    )


def _line(row: Row) -> str:
    condition = "" if row.active == "always" else f", if {row.active}"
    return f"{row.name}: {row.values}{condition}"


def _trials(budget: Budget, size: int | None, each: int, epochs: int, per_member: float) -> tuple[int, str]:
    """How many trials to expect, and which limit is reached first."""
    limits = []
    if budget.max_trials is not None:
        limits.append((budget.max_trials, f"max_trials={budget.max_trials}"))
    if budget.max_epochs is not None:
        limits.append((-(-budget.max_epochs // (each * epochs)), f"max_epochs={budget.max_epochs}"))
    if budget.max_seconds is not None:
        affordable = max(1, int(budget.max_seconds / (each * per_member)))
        limits.append((affordable, f"max_time={format_seconds(budget.max_seconds)}"))
    if size is not None:
        limits.append((size, "the space is exhausted"))
    return min(limits, default=(0, "you stop it"))


def _confirm_members(epochs: int, length: int, folds: int) -> int:
    """Members of the automatic confirmation: the finalists and the defaults, under as many seeds as it may afford."""
    contestants = AUTOMATIC_TOP + 1
    affordable = int(SHARE * epochs / (contestants * length * folds))
    return contestants * folds * min(5, max(LEAST_REPEATS, affordable))
