"""Lanes that train together: as many epochs behind them, and the same order of samples where enough have it.

A batch that all lanes of a program share is gathered once. That halves the cost of a small network's step, so lanes
are parted by their orders where each part is large enough; the others draw an order each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dialed.engine.fused.lane import Lane
from dialed.engine.fused.shift import Shift

__all__ = ["Course", "course_key", "courses"]

_ENOUGH = 4
"""Lanes with one order that get a program call of their own."""


class Course:
    """Lanes that go from epoch to epoch together, in the places of one or more shifts.

    Attributes:
        lanes: Those that have not ended.
        shifts: Where they train; none until `settle`.
    """

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self.lanes = list(lanes)
        self.shifts: list[Shift] = []

    def settle(self, size: int, shift: Callable[[Sequence[Lane], int], Shift]) -> None:
        """Have shifts of `size` places, made by `shift`: no more than needed."""
        needed = -(-len(self.lanes) // size)
        if len(self.shifts) == needed and all(one.size == size for one in self.shifts):
            return
        self.shifts = []  # what they hold on the device goes before anything new is put there
        self.shifts = [shift(part, size) for part in self.parts(size)]

    def parts(self, size: int) -> list[list[Lane]]:
        """The lanes in as few parts of at most `size` as may be, all about as large."""
        each = -(-len(self.lanes) // -(-len(self.lanes) // size))
        return [self.lanes[i : i + each] for i in range(0, len(self.lanes), each)]

    def drop(self, lane: Lane) -> None:
        """`lane` has ended."""
        self.lanes.remove(lane)
        for shift in self.shifts:
            if lane in shift.left:
                shift.left.remove(lane)
        self.shifts = [shift for shift in self.shifts if shift.left]


def courses(lanes: Sequence[Lane]) -> list[Course]:
    """Divide `lanes`."""
    alike: dict[Any, list[Lane]] = {}
    for lane in lanes:
        alike.setdefault(course_key(lane), []).append(lane)
    by_epoch: dict[int, list[Lane]] = {}
    found: list[Course] = []
    for group in alike.values():
        if len(group) >= _ENOUGH:
            found.append(Course(group))
        else:
            by_epoch.setdefault(group[0].run.epoch, []).extend(group)
    return found + [Course(group) for group in by_epoch.values()]


def course_key(lane: Lane) -> tuple[Any, ...]:
    """Equal for lanes that will draw the same samples in the same order."""
    order = _order_key(lane.order.state) if lane.order.shuffle else None
    return (lane.run.epoch, lane.member.key.fold, lane.order.shuffle, order)


def _order_key(state: dict[str, Any]) -> tuple[Any, ...]:
    inner = state["state"]
    return (inner["key"].tobytes(), inner["pos"])
