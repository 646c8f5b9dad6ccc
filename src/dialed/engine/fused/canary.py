"""Before a program is trusted: one of its lanes against Keras's own step, for a few batches."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from dialed.engine.fused.lane import HostState
from dialed.engine.fused.program import Feed, Program
from dialed.engine.fused.tracing import Step

__all__ = ["BATCHES", "disagreement"]

BATCHES = 3
"""The first loss shows the model, the next ones the optimizer."""

_RELATIVE = {"float64": 1e-6}
"""Keras's normalisations compute in float32 even then."""

_OTHERWISE = 2e-3
"""In float32 and below, three steps may drift apart by rounding alone; a wrong constant shows at once in the first
losses, and constants are compared exactly elsewhere (`division`)."""

_NOTHING: tuple[list[Any], list[Any]] = ([], [])
"""The own step has its numbers in it, and is as wide as its lane."""

_QUICK: dict[str, str | bool] = {"xla_backend_optimization_level": "0"}
"""Half the time to compile. XLA's exponentials then have the precision of float32, whatever the dtype."""


def disagreement(program: Program, own: Step, lane: int, alone: HostState, state: Any, brought: Any, feed: Feed) -> str:
    """How the losses of `lane` differ from those of `own`, the step of its own model; empty where they do not.

    Args:
        alone: The lane's own state, in its own model's shapes.
        state: The stacked state to start from. It is copied.
        brought: What the lanes bring.
        feed: The data.
    """
    batches = min(BATCHES, program.layout.training.full)
    if batches == 0:
        return ""
    expected = _alone(own, alone, [_rows(feed, i, lane, program) for i in range(batches)], feed, program)
    copied = jax.tree.map(lambda a: jax.device_put(np.array(a)), state)
    _, logs = program.run(copied, brought, feed, program.control(validate=False, batches=batches))
    found = [np.asarray(values)[lane] for values in logs.training]
    for name, one, other in zip(program.steps.names, found, expected, strict=True):
        tolerance = _RELATIVE.get(str(logs.training[0].dtype), _OTHERWISE)
        if not np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True):
            return f"after {batches} batches its {name} is {one}, where Keras's own step has {other}"
    return ""


def _alone(own: Step, state: HostState, rows: list[np.ndarray], feed: Feed, program: Program) -> list[np.ndarray]:
    def taking(state: Any, data: Any, indices: Any) -> Any:
        return own(state, jax.tree.map(lambda a: a[indices], data), _NOTHING)

    current: Any = (*state, program.steps.fresh_metrics)
    logs: list[Any] = []
    step = None
    for indices in rows:
        if step is None:
            options = None if _is_wide(state) else _QUICK
            step = jax.jit(taking).lower(current, feed.data, indices).compile(compiler_options=options)
        logs, current = step(current, feed.data, indices)
    return [np.asarray(value) for value in logs]


def _is_wide(state: Any) -> bool:
    return any(leaf.dtype == np.float64 for leaf in jax.tree.leaves(state))


def _rows(feed: Feed, batch: int, lane: int, program: Program) -> np.ndarray:
    order = np.asarray(feed.order)
    rows: np.ndarray = order[batch] if program.layout.shared else order[lane, batch]
    return rows
