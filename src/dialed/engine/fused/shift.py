"""Lanes in the places of one program, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from dialed.clock import Clock
from dialed.engine.fused.canary import disagreement
from dialed.engine.fused.family import Family, Running
from dialed.engine.fused.lane import HostState, Lane, Measured
from dialed.engine.fused.order import Split
from dialed.engine.fused.pieces import Pieces
from dialed.engine.fused.program import Control, Feed, Layout, Logs, Program
from dialed.engine.fused.stack import on_host, replaced, stacked, unstacked

__all__ = ["Epoch", "Mistrusted", "Shift", "feed_of", "layout_of"]


class Mistrusted(Exception):
    """The program does not do what Keras does, or does not run at all. Its lanes are as after their last epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What one epoch left on the host, and how long it took."""

    family: Family
    names: tuple[str, ...]
    logs: Logs
    state: HostState
    places: dict[int, int]
    metrics: Sequence[np.ndarray] = ()
    seconds: float = 0.0

    def each(self, lanes: Sequence[Lane], share: float) -> Iterator[tuple[Lane, Measured, HostState]]:
        """For each of `lanes` what it measured and its state; `share` is its part of the time, in seconds."""
        columns = [*self.logs.training, *self.logs.validation]
        for lane in list(lanes):
            place = self.places[id(lane)]
            row = {name: column[place] for name, column in zip(self.names, columns, strict=False)}
            measured = Measured(
                metrics={name: float(value) for name, value in row.items() if np.ndim(value) == 0},
                arrays={name: value for name, value in row.items() if np.ndim(value)},
                variables=[values[place] for values in self.metrics],
                first_loss=float(self.logs.first_loss[place]),
                seconds=share,
            )
            yield lane, measured, self.family.narrowed(lane, unstacked(self.state, place))


class Shift:
    """Lanes in the places of one program. A lane that has ended leaves its place to itself.

    Args:
        family: Their family.
        lanes: Who trains; all have trained for the same number of epochs.
        size: How many places there are.
        clock: For the deadline and for measuring.
        witness: The lane whose own step the program must agree with before it is trusted; `None` for none.
        is_stopped: Whether nobody wants the result any more.

    Attributes:
        left: The lanes that have not ended.
    """

    def __init__(
        self,
        family: Family,
        lanes: Sequence[Lane],
        size: int,
        *,
        clock: Clock,
        witness: Lane | None = None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.family = family
        self.left = list(lanes)
        self.size = size
        self._lanes = tuple(lanes)
        self._clock = clock
        self._witness = witness
        self._setting = lanes[0].setting
        self._places = {id(lane): i for i, lane in enumerate(lanes)}
        self._pieces = Pieces(clock, lanes[0].run.deadline, is_stopped)
        self._steps = family.steps(self._setting)
        self._brought = family.brought(lanes, size)
        self._state: Any = stacked(
            [family.widened(lane, lane.state) for lane in lanes], self._steps.fresh_metrics, size
        )
        self._layout: Layout | None = None
        self._running: Running | None = None
        self._drawn: list[np.ndarray] = []

    @property
    def asks_between(self) -> bool:
        """Whether callbacks are to be called between the epoch and its validation."""
        return any(lane.company is not None and lane.company.splits_validation for lane in self.left)

    @property
    def working_bytes(self) -> int:
        """What a run of its program takes beside its state."""
        return self._running.program.working_bytes if self._running else 0

    @property
    def compile_seconds(self) -> float:
        """What its program took to compile."""
        return self._running.compile_seconds if self._running else 0.0

    def get_ready(self) -> None:
        """Draw the coming epoch's orders, and have a program."""
        self._drawn = self._orders(self.left)
        self._program(self._drawn)

    def take_up(self) -> None:
        """Give the program what callbacks assigned to variables, and draw again where they may have drawn."""
        changed = _changed(self.left)
        if changed:
            states = [self.family.widened(lane, lane.state) for lane in self._lanes]
            self._state = replaced(self._state, states, changed)
        if not all(lane.order.is_drawn for lane in self.left):
            self.undo()
            self.get_ready()

    def pace(self, batches: int) -> float:
        """Seconds that the first full `batches` take, in the samples' own order. Nobody's training is changed."""
        rows = [self._setting.training.rows] * len(self._lanes)
        running, feed = self._program(rows), self._feed(rows)
        kept = jax.tree.map(lambda a: jax.device_put(np.array(a), a.sharding), self._state)
        began = self._clock.monotonic()
        count = min(batches, running.program.layout.training.full)
        self._run(running.program, feed, running.program.control(validate=False, batches=count))
        self._state = kept
        return self._clock.monotonic() - began

    def undo(self) -> None:
        """Take back the orders of an epoch that was not trained."""
        for lane in self.left:
            lane.order.undo()

    def first_batch(self, lanes: Sequence[Lane]) -> Epoch:
        """An epoch of one batch for `lanes`. The state that the others go on from is as before."""
        kept = jax.tree.map(lambda a: jax.device_put(np.array(a), a.sharding), self._state)
        everyone, self.left = self.left, list(lanes)
        found = self.epoch(batches=1 if self._setting.training.samples > self._setting.batch_size else None)
        self.left, self._state = everyone, kept
        return found

    def epoch(self, *, batches: int | None = None) -> Epoch:
        """Train one epoch, or its first full `batches`; validate where the lanes' setting wants it.

        Raises:
            Late: The deadline passed in the middle. The program's state is spoiled.
        """
        began = self._clock.monotonic()
        running, feed, names = self._program(self._drawn), self._feed(self._drawn), self._steps.names
        validates = self._setting.validates(self.left[0].run.epoch + 1)
        if validates:
            names = (*names, *(f"val_{name}" for name in self._steps.validation_names))
        if validates and self.asks_between:
            logs = self._in_two(running.program, feed, batches)
        else:
            logs = self._trained(running.program, feed, batches, validate=validates)
        state = on_host(self._state)
        seconds = self._clock.monotonic() - began
        return Epoch(
            family=self.family,
            names=names,
            logs=logs,
            state=state,
            places=self._places,
            metrics=self._metrics(),
            seconds=seconds,
        )

    def _metrics(self) -> list[np.ndarray]:
        """What the variables of metrics hold, (places, ...) each, where callbacks may look at them."""
        wanted = any(lane.company is not None and lane.company.sees_metrics for lane in self.left)
        return [np.array(values) for values in self._state[3]] if wanted else []

    def _trained(self, program: Program, feed: Feed, batches: int | None, *, validate: bool) -> Logs:
        """One epoch, piece by piece."""
        if batches is not None:
            return self._run(program, feed, program.control(validate=validate, batches=batches))
        logs: Logs | None = None
        for control in self._pieces.of(program, validate=validate):
            piece = self._run(program, feed, control)
            logs = piece if logs is None else Logs(piece.training, piece.validation, logs.first_loss)
        assert logs is not None
        return logs

    def _run(self, program: Program, feed: Feed, control: Control) -> Logs:
        self._state, logs = program.run(self._state, self._brought, feed, control)
        return Logs(*(_on_host(part) for part in logs))

    def _in_two(self, program: Program, feed: Feed, batches: int | None) -> Logs:
        """Train, let callbacks do what they do before a validation, and validate."""
        trained = self._trained(program, feed, batches, validate=False)
        between = Epoch(
            family=self.family,
            names=self._steps.names,
            logs=trained,
            state=on_host(self._state),
            places=self._places,
            metrics=self._metrics(),
        )
        states = {id(lane): lane.state for lane in self._lanes}
        for lane, measured, state in between.each(self.left, 0.0):
            lane.begin_validation(measured, state)
            states[id(lane)] = state
        widened = [self.family.widened(lane, states[id(lane)]) for lane in self._lanes]
        self._state = replaced(self._state, widened, _changed(self.left))
        judged = self._run(program, feed, program.control(validate=True, batches=0))
        return Logs(trained.training, judged.validation, trained.first_loss)

    def _orders(self, lanes: Sequence[Lane]) -> list[np.ndarray]:
        """The rows that each place takes in the coming epoch; ended lanes repeat the first that has not."""
        drawn = {id(lane): lane.setting.training.rows[lane.order.draw()] for lane in lanes}
        first = drawn[id(lanes[0])]
        if self._layout and self._layout.shared and not all(np.array_equal(rows, first) for rows in drawn.values()):
            if any(lane.company is not None and lane.company.draws for lane in lanes):
                self._layout = self._running = None  # a callback drew random numbers: from here on orders differ
                return [drawn.get(id(lane), first) for lane in self._lanes]
            raise RuntimeError(
                "Lanes that share an order must draw the same one. They did not: this is a bug in Dialed."
            )
        return [drawn.get(id(lane), first) for lane in self._lanes]

    def _program(self, orders: Sequence[np.ndarray]) -> Running:
        if self._running is None:
            shared = all(np.array_equal(rows, orders[0]) for rows in orders[1:])
            self._layout = layout_of(self._lanes, self.size, shared=shared, stepwise=self.family.stepwise)
            feed = self._feed(orders)
            self._running = self.family.running(self._layout, self._state, self._brought, feed, self._clock)
            self._check(self._running, feed)
        return self._running

    def _feed(self, orders: Sequence[np.ndarray]) -> Feed:
        assert self._layout is not None
        return feed_of(self._lanes, orders, self._layout)

    def _check(self, running: Running, feed: Feed) -> None:
        """One lane against its own model, once for each family that has anything lifted."""
        family, witness = self.family, self._witness
        if family.checked or family.witness is None or witness is None or id(witness) not in self._places:
            return
        place, own = self._places[id(witness)], family.witness[1]
        found = disagreement(running.program, own, place, witness.state, self._state, self._brought, feed)
        if found:
            raise Mistrusted(found)
        family.checked = True


def layout_of(lanes: Sequence[Lane], size: int, *, shared: bool, stepwise: bool) -> Layout:
    """The shapes of a program of `size` places for `lanes`; `shared` says whether they train in the same order."""
    setting, validation = lanes[0].setting, lanes[0].setting.validation
    return Layout(
        lanes=size,
        training=Split(setting.training.samples, setting.batch_size),
        validation=Split(validation.samples, setting.validation_batch_size) if validation else None,
        shared=shared and _same_validation(lanes),
        stepwise=stepwise,
        devices=len(jax.local_devices()),
    )


def feed_of(lanes: Sequence[Lane], orders: Sequence[np.ndarray], layout: Layout) -> Feed:
    """What a program of `layout` reads when `lanes` train on the rows of `orders`. Free places repeat the first."""
    setting = lanes[0].setting
    full, rest = _cut(_filled(orders, layout.lanes), layout.training, shared=layout.shared)
    if setting.validation is None or layout.validation is None:
        return Feed(setting.training.data, full, rest, None, None, None)
    rows = [lane.setting.validation.rows for lane in lanes if lane.setting.validation is not None]
    judged, judged_rest = _cut(_filled(rows, layout.lanes), layout.validation, shared=layout.shared)
    return Feed(setting.training.data, full, rest, setting.validation.data, judged, judged_rest)


def _same_validation(lanes: Sequence[Lane]) -> bool:
    parts = [lane.setting.validation for lane in lanes]
    first = parts[0]
    return first is None or all(p is not None and np.array_equal(p.rows, first.rows) for p in parts[1:])


def _filled(rows: Sequence[np.ndarray], places: int) -> list[np.ndarray]:
    return [*rows, *[rows[0]] * (places - len(rows))]


def _changed(lanes: Sequence[Lane]) -> set[tuple[int, int]]:
    """The variables that callbacks of any of the lanes assigned to; the program is to have them now."""
    changed: set[tuple[int, int]] = set()
    for lane in lanes:
        if lane.company is not None:
            changed |= lane.company.changed
            lane.company.changed = set()
    return changed


def _cut(rows: Sequence[np.ndarray], split: Split, *, shared: bool) -> tuple[np.ndarray, np.ndarray]:
    if shared:
        return split.cut(rows[0])
    parts = [split.cut(of_lane) for of_lane in rows]
    return np.stack([full for full, _ in parts]), np.stack([rest for _, rest in parts])


def _on_host(part: Any) -> Any:
    return [np.asarray(values) for values in part] if isinstance(part, list) else np.asarray(part)
