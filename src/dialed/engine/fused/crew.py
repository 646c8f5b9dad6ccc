"""Lanes of one family in training: all of them go from epoch to epoch together, in the places of as few programs as fit.

Between two epochs everything is on the host: each lane takes in what it measured and decides whether it ends. A lane
that has ended leaves its place to itself: the program goes on computing there, and nobody looks. When those that are
left fit into fewer programs they move together, when a smaller program pays for its compilation they move there, and
lanes that waited for a place take what is free.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import jax

from dialed.clock import Clock
from dialed.engine.failures import failure_from, is_out_of_memory
from dialed.engine.fused.capacity import Plan, halved
from dialed.engine.fused.courses import Course, courses
from dialed.engine.fused.device import free_bytes
from dialed.engine.fused.family import Family
from dialed.engine.fused.hands import Hands
from dialed.engine.fused.lane import Lane
from dialed.engine.fused.pieces import Late
from dialed.engine.fused.shift import Epoch, Mistrusted, Shift
from dialed.trial import Outcome

__all__ = ["Crew", "Mistrusted"]

_log = logging.getLogger("dialed")

_Result = TypeVar("_Result")


@dataclass(slots=True, kw_only=True, eq=False)
class Crew:
    """Trains lanes of one family.

    Args:
        family: Their family.
        lanes: Who trains.
        clock: For the deadline.
        began: Called for each lane when its training begins.
        plan: How so many lanes are trained best.
        witness: The lane whose own step the program must agree with before it is trusted; `None` for none.
    """

    family: Family
    lanes: Sequence[Lane]
    clock: Clock
    began: Callable[[Family, Lane], None]
    plan: Callable[[int], Plan]
    witness: Lane | None = None
    _waiting: list[Lane] = field(default_factory=list)
    _courses: list[Course] = field(default_factory=list)
    _begun: set[int] = field(default_factory=set)
    _now: Plan = field(default=Plan(size=1, hands=1, room=1))
    _hands: Hands[Epoch] = field(default_factory=lambda: Hands(1))
    _seconds: float = 0.0

    def train(self) -> Iterator[Outcome]:
        """Train to the end of each lane; yield outcomes as they come.

        Raises:
            Mistrusted: The lanes that have not ended can go on elsewhere.
        """
        self._waiting = list(self.lanes)
        self._go_by(self.plan(len(self.lanes)))
        if self._now.room < len(self.lanes):
            self._waiting.sort(key=lambda lane: lane is not self.witness)
        try:
            while self._waiting or self._courses:
                yield from self._round()
        finally:
            self._hands.close()

    def _round(self) -> Iterator[Outcome]:
        """One epoch of all lanes in training."""
        if self._is_late():
            yield from (lane.end() for lane in self._dismissed())
            return
        try:
            self._arrange()
            for shift in self._shifts:
                self._trusted(shift.get_ready)
            self._check_memory()
            yield from self._begin()
            for shift in self._shifts:
                self._trusted(shift.take_up)
                yield from self._stopped_at_once(shift)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            yield from self._make_room(error)
            return
        yield from self._epoch()

    def _arrange(self) -> None:
        """Give places to lanes that wait, where there are free ones, and move the others together."""
        free = self._now.room - len(self._left)
        if self._waiting and (not self._courses or free >= min(self._now.size, len(self._waiting))):
            admitted, self._waiting = self._waiting[:free], self._waiting[free:]
            self._courses += courses(admitted)
        if not self._waiting and self._pays_to_shrink():
            self._now = replace(self._now, size=self.plan(len(self._left)).size)
        for course in self._courses:
            course.settle(self._now.size, self._shift)

    def _check_memory(self) -> None:
        """Raise `MemoryError` where the programs, now that they are compiled, are known to need more than there is.

        A single lane is tried all the same.
        """
        at_once = min(self._now.hands, len(self._shifts))
        needed = max((shift.working_bytes for shift in self._shifts), default=0) * at_once
        if self._now.size * at_once > 1 and needed > free_bytes():
            raise MemoryError(f"{at_once} programs of {self._now.size} lanes need {needed} bytes")

    def _pays_to_shrink(self) -> bool:
        """Whether what a smaller program saves on the epochs left is more than its compilation takes."""
        left, size = self._left, self._now.size
        wanted = self.plan(len(left)).size
        if wanted * 2 > size or not self._shifts:
            return False
        cost = 0.0 if wanted in self.family.sizes else max(shift.compile_seconds for shift in self._shifts)
        epochs = max(lane.run.target - lane.run.epoch for lane in left)
        return epochs * self._seconds * (1 - wanted / size) > cost

    def _begin(self) -> Iterator[Outcome]:
        """Tell of lanes that are new, once their program is compiled and trusted; let callbacks begin the epoch.

        Yields the outcomes of lanes that whoever listens wants no more of, and of lanes whose callbacks fail.
        """
        for lane in [lane for lane in self._left if id(lane) not in self._begun]:
            self._begun.add(id(lane))
            lane.begin()
            if lane.failure is None:
                self.began(self.family, lane)
        for lane in self._left:
            if lane.run.ended:
                self._drop(lane)
                yield lane.end()
                continue
            lane.begin_epoch()
            if lane.failure is not None:
                self._drop(lane)
                yield lane.fail(lane.failure)

    def _stopped_at_once(self, shift: Shift) -> Iterator[Outcome]:
        """Lanes that a callback stopped as their epoch began: `fit` looks at `stop_training` after a batch."""
        hasty = [lane for lane in shift.left if lane.company is not None and lane.company.stops]
        if hasty:
            first = self._trusted(lambda: shift.first_batch(hasty))
            for lane, measured, state in first.each(hasty, 0.0):
                outcome = lane.end_epoch(measured, state)
                assert outcome is not None, "a lane that is stopped ends with its epoch"
                self._drop(lane)
                yield outcome

    def _epoch(self) -> Iterator[Outcome]:
        shifts, began = self._shifts, self.clock.monotonic()
        at_once = not any(shift.asks_between for shift in shifts)
        tight: Exception | None = None
        trouble: Exception | None = None
        for shift, result in zip(shifts, self._hands.each([one.epoch for one in shifts], at_once=at_once), strict=True):
            if isinstance(result, Epoch):
                yield from self._taken_in(shift, result, min(self._now.hands, len(shifts)))
            elif isinstance(result, Late):
                shift.undo()
            elif is_out_of_memory(result):
                tight = result
            else:
                trouble = result
        self._seconds = self.clock.monotonic() - began
        if trouble is not None:
            raise self._mistrusted(trouble) from trouble
        if tight is not None:
            yield from self._make_room(tight)

    def _taken_in(self, shift: Shift, epoch: Epoch, at_once: int) -> Iterator[Outcome]:
        share = epoch.seconds / len(shift.left) / at_once
        for lane, measured, state in epoch.each(shift.left, share):
            outcome = lane.end_epoch(measured, state)
            if outcome is not None:
                self._drop(lane)
                yield outcome

    def _make_room(self, error: Exception) -> Iterator[Outcome]:
        """Go on with half of the lanes in each program; fail the one that does not even fit alone."""
        left = self._left
        for lane in left:
            lane.order.undo()
        smaller = halved(self._now, len(jax.local_devices()))
        if smaller is None:
            self._courses = []
            self._waiting = [*left[1:], *self._waiting]
            yield left[0].fail(failure_from(error))
            return
        _log.warning("%s: %d lanes do not fit into memory; now %d", self.family.name, self._now.size, smaller.size)
        self._courses, self._waiting = [], [*left, *self._waiting]
        self._go_by(smaller)

    def _go_by(self, plan: Plan) -> None:
        self._now = plan
        if plan.hands != self._hands.count:
            self._hands.close()
            self._hands = Hands(plan.hands)

    def _shift(self, lanes: Sequence[Lane], size: int) -> Shift:
        return Shift(
            self.family,
            lanes,
            size,
            clock=self.clock,
            witness=self.witness,
            is_stopped=lambda: self._hands.is_stopped,
        )

    def _trusted(self, work: Callable[[], _Result]) -> _Result:
        """What `work` does. Where a program fails, no other is made of this family."""
        try:
            return work()
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise self._mistrusted(error) from error

    def _mistrusted(self, error: Exception) -> Mistrusted:
        said = str(error) if isinstance(error, Mistrusted) else f"{type(error).__name__}: {error!s:.300}"
        self.family.refused = said
        return Mistrusted(said)

    @property
    def _left(self) -> list[Lane]:
        return [lane for course in self._courses for lane in course.lanes]

    @property
    def _shifts(self) -> list[Shift]:
        return [shift for course in self._courses for shift in course.shifts]

    def _drop(self, lane: Lane) -> None:
        for course in self._courses:
            if lane in course.lanes:
                course.drop(lane)
        self._courses = [course for course in self._courses if course.lanes]

    def _dismissed(self) -> list[Lane]:
        left = [*self._left, *self._waiting]
        self._courses, self._waiting = [], []
        return left

    def _is_late(self) -> bool:
        """Whether the deadline has passed, or would in the middle of another epoch."""
        deadline = self.lanes[0].run.deadline()
        return deadline is not None and self.clock.monotonic() + self._seconds >= deadline
