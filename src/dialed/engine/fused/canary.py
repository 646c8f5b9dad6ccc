"""Before a program is trusted: one of its lanes against Keras's own step, for a few batches."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from dialed.engine.fused.program import Feed, Program
from dialed.engine.fused.tracing import Step

__all__ = ["BATCHES", "disagreement"]

BATCHES = 3
"""The first loss shows the model, the next ones the optimizer."""

_RELATIVE = {"float64": 1e-9}
_OTHERWISE = 2e-3
"""In float32 and below, three steps may drift apart by rounding alone; a wrong constant shows at once in the first
losses, and constants are compared exactly elsewhere (`division`)."""

_QUICK: dict[str, str | bool] = {"xla_backend_optimization_level": "0"}
"""Half the time to compile. XLA's exponentials then have the precision of float32, whatever the dtype."""


def disagreement(program: Program, own: Step, lane: int, state: Any, numbers: Any, feed: Feed) -> str:
    """How the losses of `lane` differ from those of `own`, the step of its own model; empty where they do not.

    Args:
        state: The stacked state to start from. It is copied.
        numbers: The lanes' numbers.
        feed: The data.
    """
    batches = min(BATCHES, program.layout.training.full)
    if batches == 0:
        return ""
    alone = _lane_of(state, lane)
    expected = _alone(own, alone, [_rows(feed, i, lane, program) for i in range(batches)], feed, program)
    copied = jax.tree.map(lambda a: jax.device_put(np.array(a)), state)
    _, logs = program.run(copied, numbers, feed, program.control(validate=False, batches=batches))
    found = [np.asarray(values)[lane] for values in logs.training]
    for name, one, other in zip(program.steps.names, found, expected, strict=True):
        tolerance = _RELATIVE.get(str(logs.training[0].dtype), _OTHERWISE)
        if not np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True):
            return f"after {batches} batches its {name} is {one}, where Keras's own step has {other}"
    return ""


def _alone(own: Step, state: Any, rows: list[np.ndarray], feed: Feed, program: Program) -> list[np.ndarray]:
    trainable, other, optimizer, _ = state
    current = (trainable, other, optimizer, program.steps.fresh_metrics)
    logs: list[Any] = []
    step = None
    for indices in rows:
        batch = jax.tree.map(lambda a, i=indices: a[i], feed.data)
        if step is None:
            step = (
                jax.jit(lambda *of: own(*of))
                .lower(current, batch, [])
                .compile(compiler_options=None if _is_wide(state) else _QUICK)
            )
        logs, current = step(current, batch, [])
    return [np.asarray(value) for value in logs]


def _is_wide(state: Any) -> bool:
    return any(leaf.dtype == np.float64 for leaf in jax.tree.leaves(state))


def _rows(feed: Feed, batch: int, lane: int, program: Program) -> np.ndarray:
    order = np.asarray(feed.order)
    rows: np.ndarray = order[batch] if program.layout.shared else order[lane, batch]
    return rows


def _lane_of(state: Any, lane: int) -> Any:
    return jax.tree.map(lambda a: np.asarray(a)[lane], state)
