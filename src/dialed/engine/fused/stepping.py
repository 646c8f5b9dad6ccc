"""An epoch as a loop in Python over compiled steps, one lane at a time: for what is slow inside a compiled loop.

On a CPU a convolution with many channels or a large kernel is fastest as XLA's own, and that only outside of a loop
(https://github.com/jax-ml/jax/issues/12868). Lanes still share what is compiled, and the data stay on the device.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import jax
import numpy as np

from dialed.engine.fused.program import Control, Feed, Layout, Logs, Program, Steps, rows_of
from dialed.engine.fused.tracing import State, Step

__all__ = ["SteppedProgram"]


class SteppedProgram(Program):
    """A `Program` of one place, whose batches are calls.

    Args:
        steps: What its lane does.
        layout: Its shapes; one lane.
        state, numbers, feed: Examples of its inputs.
    """

    def __init__(self, steps: Steps, layout: Layout, state: State, numbers: Any, feed: Feed) -> None:
        self.steps = steps
        self.layout = layout
        trainable, other, _, metrics = state
        judged = (trainable, other, metrics)
        lower = _Lowering(numbers)
        self._lowered: Any = {
            "train": lower(steps.train, state, feed.data, feed.order),
            "train_rest": lower(steps.train_rest, state, feed.data, feed.rest),
            "test": lower(steps.test, judged, feed.validation, feed.validation_order),
            "test_rest": lower(steps.test_rest, judged, feed.validation, feed.validation_rest),
        }
        self._compiled: Any = None

    def compile(self) -> Program:
        """Compile, in any thread."""
        self._compiled = {name: lowered.compile() for name, lowered in self._lowered.items() if lowered is not None}
        self._lowered = None
        return self

    @cached_property
    def working_bytes(self) -> int:
        """What a batch takes on the device beside its inputs."""
        told = [one.memory_analysis() for one in self._compiled.values()]
        return max((int(t.temp_size_in_bytes) for t in told if t is not None), default=0)

    def run(self, state: State, numbers: Any, feed: Feed, control: Control) -> tuple[State, Logs]:
        """Train. `state` is used up: it must not be read afterwards."""
        if control.first == 0:
            state = (*state[:3], self._fresh())
        names = self.steps.names
        logs: list[Any] = [np.zeros(1, np.float32) for _ in names]
        first = np.zeros(1, np.float32)
        order = jax.device_put(feed.order)
        for i in range(int(control.first), int(control.full)):
            logs, state = self._compiled["train"](state, numbers, feed.data, order, np.int32(i))
            first = logs[0] if i == 0 else first
        if control.rest and self.steps.train_rest is not None:
            logs, state = self._compiled["train_rest"](state, numbers, feed.data, feed.rest, np.int32(0))
            first = logs[0] if control.full == 0 else first
        state, judged = self._judged(state, numbers, feed) if control.validate else (state, [])
        return state, Logs(logs, judged, first)

    def _judged(self, state: State, numbers: Any, feed: Feed) -> tuple[State, list[Any]]:
        trainable, other, optimizer, _ = state
        judged: Any = (trainable, other, self._fresh())
        logs: list[Any] = []
        if self.steps.test is not None and self.layout.validation is not None:
            order = jax.device_put(feed.validation_order)
            for i in range(self.layout.validation.full):
                logs, judged = self._compiled["test"](judged, numbers, feed.validation, order, np.int32(i))
        if self.steps.test_rest is not None:
            rest = feed.validation_rest
            logs, judged = self._compiled["test_rest"](judged, numbers, feed.validation, rest, np.int32(0))
        trainable, other, metrics = judged
        return (trainable, other, optimizer, metrics), logs

    def _fresh(self) -> list[Any]:
        return [jax.device_put(np.asarray(value)[None]) for value in self.steps.fresh_metrics]


class _Lowering:
    """Lowers steps as functions of (state, numbers, data, order, position), all of one lane with its axis."""

    def __init__(self, numbers: Any) -> None:
        self._numbers = numbers

    def __call__(self, step: Step | None, state: Any, data: Any, order: Any) -> Any:
        if step is None:
            return None
        function = jax.jit(_of_one_lane(step), donate_argnums=0)
        return function.lower(state, self._numbers, data, order, np.int32(0))


def _of_one_lane(step: Step) -> Callable[..., tuple[list[Any], Any]]:
    def one(state: Any, numbers: Any, data: Any, order: Any, position: Any) -> tuple[list[Any], Any]:
        rows = order[position] if order.ndim == 2 else order
        alone, brought = jax.tree.map(lambda a: a[0], (state, numbers))
        logs, after = step(alone, rows_of(data, rows), brought)
        logs, after = jax.tree.map(lambda a: a[None], (logs, after))
        return logs, after

    return one
