"""Lanes in training: one program after another until each lane has ended.

Between two epochs everything is on the host: each lane takes in what it measured and decides whether it ends. A lane
that has ended leaves its place to itself: the program goes on computing there, and nobody looks. When so many have
ended that a smaller program pays for its compilation, the others move there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from dialed.clock import Clock
from dialed.engine.failures import failure_from, is_out_of_memory
from dialed.engine.fused.canary import disagreement
from dialed.engine.fused.family import Family, Running
from dialed.engine.fused.lane import HostState, Lane, Measured
from dialed.engine.fused.order import Split
from dialed.engine.fused.program import Feed, Layout, Logs
from dialed.engine.fused.stack import bucket, on_host, stacked, unstacked
from dialed.trial import Outcome

__all__ = ["Crew", "Mistrusted"]

_log = logging.getLogger("dialed")

_Result = TypeVar("_Result")


class Mistrusted(Exception):
    """The program does not do what Keras does, or does not run at all. Its lanes are as after their last epoch."""


@dataclass(slots=True, kw_only=True, eq=False)
class Crew:
    """Trains lanes of one family.

    Args:
        family: Their family.
        lanes: Who trains.
        clock: For the deadline.
        began: Called for each lane when its training begins.
        witness: The lane whose own step the program must agree with before it is trusted; `None` for none.
    """

    family: Family
    lanes: list[Lane]
    clock: Clock
    began: Callable[[Family, Lane], None]
    witness: Lane | None = None
    _left: list[Lane] | None = None
    _announced: bool = False

    def train(self) -> Iterator[Outcome]:
        """Train to the end of each lane; yield outcomes as they come.

        Raises:
            Mistrusted: The lanes that have not ended can go on elsewhere.
        """
        waiting = [list(self.lanes)]
        while waiting:
            lanes = waiting.pop(0)
            try:
                yield from self._with_one_program(lanes)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                alive = self._left or lanes
                for lane in alive:
                    lane.order.undo()
                if len(alive) == 1:
                    yield alive[0].fail(failure_from(error))
                    continue
                _log.warning("%s: %d lanes do not fit into memory; halved", self.family.name, len(alive))
                half = len(alive) // 2
                waiting[:0] = [alive[:half], alive[half:]]
                continue
            if self._left:
                waiting.insert(0, self._left)

    def _with_one_program(self, lanes: list[Lane]) -> Iterator[Outcome]:
        """Train until all lanes have ended or those left (`_left`) are better off in a smaller program."""
        self._left = list(lanes)
        shift = _Shift(self.family, lanes, self.clock, self.witness)
        while self._left:
            if self._is_late(shift.epoch_seconds):
                yield from (lane.end() for lane in self._take_left())
                return
            began = self.clock.monotonic()
            self._trusted(shift.get_ready)
            self._announce()
            for lane in [lane for lane in self._left if lane.run.ended]:  # whoever listens wants no more of it
                self._left.remove(lane)
                yield lane.end()
            if not self._left:
                return
            epoch = self._trusted(shift.epoch)
            shift.epoch_seconds = self.clock.monotonic() - began
            for lane, measured, state in epoch.each(self._left, shift.epoch_seconds):
                outcome = lane.end_epoch(measured, state)
                if outcome is not None:
                    self._left = [other for other in self._left if other is not lane]
                    yield outcome
            if self._left and shift.should_move(self._left):
                return

    def _trusted(self, work: Callable[[Sequence[Lane]], _Result]) -> _Result:
        """What `work` does for the lanes that are left. Where a program fails, no other is made of this family."""
        try:
            return work(self._left or [])
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self.family.refused = (
                str(error) if isinstance(error, Mistrusted) else f"{type(error).__name__}: {error!s:.300}"
            )
            raise Mistrusted(self.family.refused) from error

    def _announce(self) -> None:
        """Tell that training begins, once: the program is compiled and trusted."""
        if not self._announced:
            self._announced = True
            for lane in self.lanes:
                self.began(self.family, lane)

    def _take_left(self) -> list[Lane]:
        left, self._left = self._left or [], []
        return left

    def _is_late(self, epoch_seconds: float) -> bool:
        """Whether the deadline has passed, or would in the middle of another epoch."""
        deadline = self.lanes[0].run.deadline()
        return deadline is not None and self.clock.monotonic() + epoch_seconds >= deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class _Epoch:
    """What one epoch left on the host."""

    names: tuple[str, ...]
    logs: Logs
    state: HostState
    places: dict[int, int]

    def each(self, lanes: Sequence[Lane], seconds: float) -> Iterator[tuple[Lane, Measured, HostState]]:
        columns = [*self.logs.training, *self.logs.validation]
        share = seconds / len(lanes)
        for lane in list(lanes):
            place = self.places[id(lane)]
            row = {name: column[place] for name, column in zip(self.names, columns, strict=False)}
            metrics = {name: float(value) for name, value in row.items() if np.ndim(value) == 0}
            first = float(self.logs.first_loss[place])
            yield lane, Measured(metrics=metrics, first_loss=first, seconds=share), unstacked(self.state, place)


class _Shift:
    """Lanes in the places of one program."""

    def __init__(self, family: Family, lanes: Sequence[Lane], clock: Clock, witness: Lane | None) -> None:
        self.family = family
        self.witness = witness
        self.clock = clock
        self.epoch_seconds = 0.0
        self._setting = lanes[0].setting
        self._places = {id(lane): i for i, lane in enumerate(lanes)}
        self._lanes = list(lanes)
        self._steps = family.steps(self._setting)
        size = bucket(len(lanes))
        self._numbers = family.numbers(lanes, size)
        self._state: Any = stacked([lane.state for lane in lanes], self._steps.fresh_metrics, size)
        self._size = size
        self._layout: Layout | None = None
        self._running: Running | None = None
        self._drawn: list[np.ndarray] = []

    def get_ready(self, lanes: Sequence[Lane]) -> None:
        """Draw the coming epoch's orders, and have a program."""
        self._drawn = self._orders(lanes)
        self._program(self._drawn)

    def epoch(self, lanes: Sequence[Lane]) -> _Epoch:
        """Train one epoch; validate where the lanes' setting wants it."""
        orders, running = self._drawn, self._program(self._drawn)
        validates = self._setting.validates(lanes[0].run.epoch + 1)
        state, logs = running.program.run(
            self._state, self._numbers, self._feed(orders), running.program.control(validate=validates)
        )
        self._state = state
        names = self._steps.names
        if validates:
            names = (*names, *(f"val_{name}" for name in self._steps.validation_names))
        columns = Logs(*(_on_host(part) for part in logs))
        return _Epoch(names=names, logs=columns, state=on_host(state), places=self._places)

    def should_move(self, lanes: Sequence[Lane]) -> bool:
        """Whether what a smaller program saves on the epochs left is more than its compilation takes."""
        size = bucket(len(lanes))
        if size * 2 > self._size or self._running is None or self._layout is None:
            return False
        smaller = Layout(
            lanes=size, training=self._layout.training, validation=self._layout.validation, shared=self._layout.shared
        )
        cost = 0.0 if self.family.has(smaller) else self._running.compile_seconds
        epochs = max(lane.run.target - lane.run.epoch for lane in lanes)
        return epochs * self.epoch_seconds * (1 - size / self._size) > cost

    def _orders(self, lanes: Sequence[Lane]) -> list[np.ndarray]:
        """The rows that each place takes in the coming epoch; ended lanes repeat the first that has not."""
        drawn = {id(lane): lane.setting.training.rows[lane.order.draw()] for lane in lanes}
        first = drawn[id(lanes[0])]
        if self._layout and self._layout.shared and not all(np.array_equal(rows, first) for rows in drawn.values()):
            raise RuntimeError(
                "Lanes that share an order must draw the same one. They did not: this is a bug in Dialed."
            )
        return [drawn.get(id(lane), first) for lane in self._lanes]

    def _program(self, orders: Sequence[np.ndarray]) -> Running:
        if self._running is None:
            setting = self._setting
            validation = setting.validation
            shared = all(np.array_equal(rows, orders[0]) for rows in orders[1:])
            self._layout = Layout(
                lanes=self._size,
                training=Split(setting.training.samples, setting.batch_size),
                validation=Split(validation.samples, setting.validation_batch_size) if validation else None,
                shared=shared and self._same_validation(),
            )
            feed = self._feed(orders)
            self._running = self.family.running(self._layout, self._state, self._numbers, feed, self.clock)
            self._check(self._running, feed)
        return self._running

    def _same_validation(self) -> bool:
        parts = [lane.setting.validation for lane in self._lanes]
        first = parts[0]
        return first is None or all(p is not None and np.array_equal(p.rows, first.rows) for p in parts[1:])

    def _feed(self, orders: Sequence[np.ndarray]) -> Feed:
        assert self._layout is not None
        setting, layout = self._setting, self._layout
        filled = [*orders, *[orders[0]] * (self._size - len(orders))]
        full, rest = _cut(filled, layout.training, shared=layout.shared)
        if setting.validation is None or layout.validation is None:
            return Feed(setting.training.data, full, rest, None, None, None)
        parts = [lane.setting.validation for lane in self._lanes]
        rows = [part.rows for part in parts if part is not None]
        rows = [*rows, *[rows[0]] * (self._size - len(rows))]
        judged, judged_rest = _cut(rows, layout.validation, shared=layout.shared)
        return Feed(setting.training.data, full, rest, setting.validation.data, judged, judged_rest)

    def _check(self, running: Running, feed: Feed) -> None:
        """One lane against its own model, once for each family that has anything lifted."""
        family, other = self.family, self.family.division.other
        place = self._places.get(id(self.witness))
        if family.checked or other is None or place is None:
            return
        found = disagreement(running.program, other[1], place, self._state, self._numbers, feed)
        if found:
            raise Mistrusted(found)
        family.checked = True


def _cut(rows: Sequence[np.ndarray], split: Split, *, shared: bool) -> tuple[np.ndarray, np.ndarray]:
    if shared:
        return split.cut(rows[0])
    parts = [split.cut(of_lane) for of_lane in rows]
    return np.stack([full for full, _ in parts]), np.stack([rest for _, rest in parts])


def _on_host(part: Any) -> Any:
    return [np.asarray(values) for values in part] if isinstance(part, list) else np.asarray(part)
