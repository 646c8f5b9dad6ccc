"""A sweep with all seeds as lanes of one program: Keras's own train step, mapped over seeds, in a loop over batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from dialed.engine.assignment import Assignment
from dialed.engine.fused.boarding import Boarding, Unfusable
from dialed.engine.fused.lane import Lane
from dialed.engine.fused.lifted import CannotLift, Guards, LanesDisagree
from dialed.engine.fused.program import fresh_metrics, rows_of
from dialed.engine.fused.resident import Resident, reason_against_size
from dialed.engine.fused.sites import Sites
from dialed.engine.fused.stack import stacked
from dialed.engine.fused.tracing import Step, shapes_of, trace_test, trace_train
from dialed.tools.numbers import check_number, optimizer_of
from dialed.tools.sweep import JUDGED_ROWS, Curves, Plan
from dialed.trial import Member, MemberKey

__all__ = ["NoLanes", "sweep_lanes"]


class NoLanes(Exception):
    """The seeds cannot share a program; the message says why."""


def sweep_lanes(assignment: Assignment, plan: Plan, seeds: Sequence[int], values: dict[str, Any]) -> Curves:
    """The curves of models built from `values`, one for each seed.

    Raises:
        NoLanes: They must be trained one after another.
        InvalidInputError: The model has no such number, or a schedule sets it.
    """
    against = reason_against_size(assignment.data)
    if against:
        raise NoLanes(against)
    boarding = Boarding(assignment, Resident(assignment.data))
    try:
        lanes = [boarding.lane(Member(key=MemberKey(0, s, 0), values=values), 1, lambda *_: None) for s in seeds]
        check_number(_model(lanes[0]), plan.number)
        if len({_anatomy(lane).digest for lane in lanes}) > 1:
            raise NoLanes("the build function makes another model under each seed")
        return _Sweep(lanes, plan).curves()
    except (Unfusable, CannotLift, LanesDisagree) as error:
        raise NoLanes(str(error)) from error


def _model(lane: Lane) -> Any:
    assert lane.candidate is not None
    return lane.candidate.model


def _anatomy(lane: Lane) -> Any:
    assert lane.candidate is not None
    return lane.candidate.anatomy


class _Sweep:
    """One compiled loop, called piece by piece."""

    def __init__(self, lanes: Sequence[Lane], plan: Plan) -> None:
        self.lanes = lanes
        self.plan = plan
        first = lanes[0]
        assert first.candidate is not None
        first.candidate.prepare()
        model, setting = first.candidate.model, first.setting
        self.fresh = fresh_metrics(model)
        self.place = _place_of(model, plan.number)
        self.sites = self._sites()
        data = shapes_of(setting.training.data, plan.batch_size)
        self.step = trace_train(model, self.sites, data)
        self.judge = None if setting.validation is None else self._judge(model)
        self.state = stacked([lane.state for lane in lanes], self.fresh, len(lanes))

    def curves(self) -> Curves:
        """Run the sweep to its end, or until every seed has diverged."""
        losses = np.full((len(self.lanes), len(self.plan.values)), np.nan)
        judged = np.full((len(self.lanes), len(self.plan.pieces)), np.nan)
        orders = [_batches(lane) for lane in self.lanes]
        run = jax.jit(self._piece, donate_argnums=0)
        for i, piece in enumerate(self.plan.pieces):
            values = self.plan.values[piece]
            rows = np.array([[next(order) for order in orders] for _ in values])
            self.state, found = run(self.state, values, rows)
            losses[:, piece] = np.asarray(found).T
            if self.judge is not None:
                judged[:, i] = np.asarray(self.judge(self.state))
            done = losses[:, : piece.stop]
            if not np.isfinite(done[:, -1]).any() or self.plan.is_over(done):
                break
        return Curves(
            losses=losses,
            judged=judged if self.judge is not None else None,
            way=f"{len(self.lanes)} seeds in one compiled program",
        )

    def _sites(self) -> Sites:
        """The number as an input, where it is no variable of the optimizer already."""
        if self.place is not None:
            return Sites(places=(), known={}, guards=Guards())
        candidate = self.lanes[0].candidate
        assert candidate is not None
        path = f"model.optimizer.{self.plan.number}"
        if path not in candidate.anatomy.places:
            raise NoLanes(f"the optimizer keeps its `{self.plan.number}` where it is not found")
        known = {path: tuple(float(value) for value in self.plan.values)}
        return Sites(places=(candidate.anatomy.places[path],), known=known, guards=Guards())

    def _piece(self, state: Any, values: Any, rows: Any) -> tuple[Any, Any]:
        data = self.lanes[0].setting.training.data
        step = jax.vmap(self.step, in_axes=(0, 0, None))

        def one(state: Any, given: tuple[Any, Any]) -> tuple[Any, Any]:
            value, taken = given
            numbers = [] if self.place is not None else [(value, 1 - value)]
            logs, state = step(self._with(state, value), rows_of(data, taken), (numbers, []))
            return state, logs[0]

        after, losses = jax.lax.scan(one, state, (values, rows))
        return after, losses

    def _with(self, state: Any, value: Any) -> Any:
        """`state` at the beginning of a batch: metrics anew, so that the loss is the batch's own; the learning rate set."""
        trainable, other, optimizer, _ = state
        count = len(self.lanes)
        metrics = [jnp.broadcast_to(jnp.asarray(each), (count, *each.shape)) for each in self.fresh]
        if self.place is not None:
            old = optimizer[self.place]
            optimizer = [*optimizer]
            optimizer[self.place] = jnp.broadcast_to(value, old.shape).astype(old.dtype)
        return trainable, other, optimizer, metrics

    def _judge(self, model: Any) -> Any:
        part = self.lanes[0].setting.validation
        assert part is not None
        rows = part.rows[:JUDGED_ROWS]
        test: Step = trace_test(model, self.sites, shapes_of(part.data, len(rows)))
        batch = rows_of(part.data, jnp.asarray(rows))
        numbers = self.sites.examples()

        def judged(state: Any) -> Any:
            trainable, other, _, metrics = self._with(state, 0.0)
            logs, _ = jax.vmap(test, in_axes=(0, None, None))((trainable, other, metrics), batch, (numbers, []))
            return logs[0]

        return jax.jit(judged)


def _place_of(model: Any, number: str) -> int | None:
    """Where the learning rate stands among the optimizer's variables; `None` for other numbers."""
    if number != "learning_rate":
        return None
    rate = optimizer_of(model)._learning_rate
    found = [i for i, variable in enumerate(model.optimizer.variables) if variable is rate]
    if not found:
        raise NoLanes("the optimizer keeps its learning rate elsewhere")
    return found[0]


def _batches(lane: Lane) -> Iterator[NDArray[np.int32]]:
    """The rows of the lane's full batches, epoch after epoch."""
    own = lane.setting.training.rows
    while True:
        full, _ = lane.order.split.cut(lane.order.draw())
        lane.order.settle()
        yield from own[full]
