"""Compiling the next programs while the present one is compiled or trains.

What is compiled is Keras's code no more, but instructions that were traced before: no thread touches the generators or
the model. It is lowered where the engine runs, and only XLA works in the thread, outside Python's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from dialed.clock import Clock
from dialed.engine.fused.capacity import Plan
from dialed.engine.fused.courses import course_key, courses
from dialed.engine.fused.family import Family
from dialed.engine.fused.hands import cores
from dialed.engine.fused.lane import Lane
from dialed.engine.fused.program import Feed, Layout
from dialed.engine.fused.shift import feed_of, layout_of
from dialed.engine.fused.stack import dtype_on_device

__all__ = ["Ahead"]


class Ahead:
    """Compiles programs before they are wanted, one for each core: XLA keeps little more than one busy with each.

    Where many small trials are of different structures, the search is mostly compilation: the demonstration's 40 trials
    need 26 programs of a second and a half each.
    """

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    @property
    def reach(self) -> int:
        """How many families to look at: one more than are compiled at once is lowered meanwhile."""
        return cores() + 1

    def compile(self, family: Family, lanes: Sequence[Lane], plan: Plan, clock: Clock) -> None:
        """Begin to compile what the first of `lanes` will train in."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(cores(), thread_name_prefix="dialed-compile")
        layout, state, brought, feed = _wanted(family, lanes, plan)
        family.compile_ahead(layout, state, brought, feed, clock, self._threads)

    def cancel(self) -> None:
        """Compile nothing more than what is being compiled."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


def _wanted(family: Family, lanes: Sequence[Lane], plan: Plan) -> tuple[Layout, Any, Any, Feed]:
    """The program of the first shift, and what it will be called with, its state as shapes."""
    first = courses(lanes[: plan.room])[0].parts(plan.size)[0]
    shared = len({course_key(lane) for lane in first}) == 1
    layout = layout_of(first, plan.size, shared=shared, stepwise=family.stepwise)
    fresh = family.steps(first[0].setting).fresh_metrics
    state = [
        [jax.ShapeDtypeStruct((plan.size, *a.shape), dtype_on_device(a)) for a in group]  # type: ignore[no-untyped-call]
        for group in (*family.widened(first[0], first[0].state), fresh)
    ]
    orders = [np.asarray(lane.setting.training.rows) for lane in first]
    return layout, tuple(state), family.brought(first, plan.size), feed_of(first, orders, layout)
