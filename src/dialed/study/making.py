"""What makes the engine of a search, as values: this process calls them, and a worker is sent them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dialed.clock import Clock
from dialed.engine.function import Function, FunctionEngine
from dialed.engine.movable import Part
from dialed.engine.protocol import Engine
from dialed.executor import Deadline
from dialed.objectives import LATENCY
from dialed.study.arguments import Prepared
from dialed.study.engines import make_engine
from dialed.trial import Objective

if TYPE_CHECKING:
    from dialed.engine.jax_worker.process import JaxProcess
    from dialed.store import Checkpoints

__all__ = ["FunctionMaker", "KerasMaker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionMaker:
    """Makes the engine that calls a function. The arguments are those of `FunctionEngine`."""

    function: Function
    objective: Objective
    others: tuple[str, ...]
    constrained: tuple[str, ...]
    clock: Clock
    given_space: bool

    @property
    def parts(self) -> Sequence[Part]:
        """What of it is the user's own."""
        return (Part("the function", self.function, "make such objects inside of it"),)

    def __call__(self, deadline: Deadline) -> Engine:
        return FunctionEngine(
            self.function,
            objective=self.objective,
            others=self.others,
            constrained=self.constrained,
            clock=self.clock,
            given_space=self.given_space,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasMaker:
    """Makes the engine of a search over Keras models.

    Sent to another process, it brings what the build function may rely on: Keras's settings, and the classes that the
    user's script has registered.

    Args:
        kind: The tuner's `engine`.
        prepared: What is searched.
        checkpoints: Where checkpoints lie.
        clock: Time.
        checkpoint_seconds: The longest time between two checkpoints of a member.
        compile_cache: Whether compiled programs are kept, or the folder for them.
        times: Whether models are timed; not where a metric of their own goes by that name. Defaults to True.
        process: One with JAX that was started early, for this process. Defaults to none.
    """

    kind: str
    prepared: Prepared
    checkpoints: Checkpoints
    clock: Clock
    checkpoint_seconds: float
    compile_cache: bool | str | os.PathLike[str]
    times: bool = True
    process: JaxProcess | None = None

    @property
    def parts(self) -> Sequence[Part]:
        """What of it is the user's own."""
        from dialed.engine.jax_worker.settings import registered_here

        recipe = self.prepared.recipe
        return (
            Part("the build function", recipe.hypermodel, "make such objects inside of it"),
            Part("the arguments of the search", recipe.arguments, "pass plain values"),
            Part("the data", self.prepared.data, "pass arrays, or let one process train: workers=1"),
            Part("a registered class", registered_here(), "move it into a module"),
        )

    def __call__(self, deadline: Deadline) -> Engine:
        from dialed.engine.assignment import Assignment

        assignment = Assignment(
            recipe=self.prepared.recipe,
            data=self.prepared.data,
            objective=self.prepared.terms.objective,
            checkpoints=self.checkpoints,
            clock=self.clock,
            checkpoint_seconds=self.checkpoint_seconds,
            deadline=deadline,
        )
        engine = make_engine(
            self.kind,
            assignment,
            max_trials=self.prepared.terms.max_trials,
            compile_cache=self.compile_cache,
            process=self.process,
        )
        if not self.times:
            return engine
        from dialed.engine.latency import Timed

        return Timed(engine, assignment, asked=LATENCY in self.prepared.terms.kept)

    def __reduce__(self) -> tuple[Any, ...]:
        from dialed.engine.jax_worker.settings import backend_settings, registered_here

        recipe = self.prepared.recipe
        made = {name: getattr(self, name) for name in _PLAIN}
        return _unpacked, (
            recipe.hypermodel,
            recipe.arguments,
            recipe.max_parameters,
            recipe.inputs,
            replace(self.prepared, recipe=None, probe=None, data=replace(self.prepared.data, _kept={})),  # type: ignore[arg-type]
            made,
            backend_settings(),
            registered_here(),
        )


_PLAIN = ("kind", "checkpoints", "clock", "checkpoint_seconds", "compile_cache", "times")


def _unpacked(
    hypermodel: Any,
    arguments: Mapping[str, Any],
    max_parameters: int | None,
    inputs: Any,
    prepared: Prepared,
    made: Mapping[str, Any],
    settings: Mapping[str, Any],
    registered: Mapping[str, Any],
) -> KerasMaker:
    """The maker in another process, once Keras is there as it was where it came from."""
    from dialed.engine.jax_worker.settings import register, restore_settings
    from dialed.engine.recipe import Recipe

    restore_settings(settings)
    register(registered)
    recipe = Recipe(hypermodel, arguments, max_parameters=max_parameters)
    recipe.inputs = inputs
    return KerasMaker(prepared=replace(prepared, recipe=recipe), **made)
