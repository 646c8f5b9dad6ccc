"""Which batch sizes to try, in which order, and what follows: plain logic over a bench that does the trying."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["NEAR_BEST", "Bench", "Ladder", "Rung", "climb", "knee"]

NEAR_BEST = 0.95
"""A throughput of this share of the best is as good: larger batches would buy nothing that is worth their price."""

FLAT = 2
"""So many sizes after each other that do not beat the best by more than that, and larger ones are not timed."""

CLOSE = 1.0 / 16.0
"""The largest size that fits is found to this share of itself."""

HEADROOM = 0.9
"""What is planned for of the memory: allocators lose some to gaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A batch size that was tried, and fits.

    Attributes:
        size: Samples.
        step_seconds: Of a step of `fit`; `None` where the step was not timed.
        bytes: What a step takes in all, by the compiled program or else as measured; `None` where nothing says.
    """

    size: int
    step_seconds: float | None
    bytes: int | None


class Bench(Protocol):
    """Tries sizes, out of the way of whoever asks."""

    def limit(self) -> int | None:
        """The memory in bytes that there is; `None` where nothing says."""
        ...

    def needs(self, size: int) -> int | None:
        """The memory in bytes that a step would take, without taking it; `None` where the backend does not say."""
        ...

    def tries(self, size: int, *, timed: bool) -> Rung | None:
        """Take one training and one validation step, and time more of them if asked; `None` where that does not fit."""
        ...

    def verifies(self, size: int) -> bool:
        """Whether one training and one validation step fit in a process that has done nothing else."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What a climb found.

    Attributes:
        rungs: The sizes that were timed, rising.
        largest: The largest size that fits, verified; `None` where not even the lowest does.
        is_all: Whether that is the highest size that was asked about, so that memory sets no limit.
        foretold: Whether memory was read from compiled programs.
    """

    rungs: Sequence[Rung]
    largest: int | None
    is_all: bool
    foretold: bool


def climb(bench: Bench, low: int, high: int) -> Ladder:
    """Double from `low` while batches fit and pay, then find the largest that fits, up to `high`."""
    rungs, too_large = _timed(bench, low, high)
    foretold = bench.needs(low) is not None
    if not rungs:
        return Ladder(rungs=(), largest=None, is_all=False, foretold=foretold)
    fits = _foretold_to_fit if foretold else _is_tried
    least, most = rungs[-1].size, too_large
    while most is None and least < high:  # gradual doubling
        size = min(2 * least, high) if not foretold else high
        least, most = (size, None) if fits(bench, size) else (least, size)
    while most is not None and most - least > max(1, int(CLOSE * least)):  # then bisection
        middle = min(max(int(math.sqrt(least * most)), least + 1), most - 1)
        least, most = (middle, most) if fits(bench, middle) else (least, middle)
    largest = _verified(bench, [rung.size for rung in rungs], least)
    return Ladder(rungs=rungs, largest=largest, is_all=largest == high, foretold=foretold)


def _timed(bench: Bench, low: int, high: int) -> tuple[list[Rung], int | None]:
    """The rungs until larger ones stop to pay, and the size that did not fit, if one did not."""
    rungs: list[Rung] = []
    size = low
    while True:
        rung = bench.tries(size, timed=True) if _foretold_to_fit(bench, size) else None
        if rung is None:
            return rungs, size
        rungs.append(rung)
        if size >= high or _is_flat(rungs):
            return rungs, None
        size = min(2 * size, high)


def _is_flat(rungs: Sequence[Rung]) -> bool:
    speeds = [speed(rung) for rung in rungs]
    before = max(speeds[:-FLAT], default=0.0)
    return len(speeds) > FLAT and all(NEAR_BEST * late <= before for late in speeds[-FLAT:])


def _foretold_to_fit(bench: Bench, size: int) -> bool:
    needed, limit = bench.needs(size), bench.limit()
    return needed is None or limit is None or needed <= HEADROOM * limit


def _is_tried(bench: Bench, size: int) -> bool:
    return bench.tries(size, timed=False) is not None


def _verified(bench: Bench, timed: Sequence[int], size: int) -> int | None:
    """`size`, or the next one below that passes in a fresh process: an eighth less each time, then those timed."""
    lower = [size - size * i // 8 for i in range(5)]
    below = sorted((s for s in timed if s < lower[-1]), reverse=True)
    return next((s for s in dict.fromkeys([*lower, *below]) if s > 0 and bench.verifies(s)), None)


def speed(rung: Rung) -> float:
    """Samples a second."""
    return rung.size / rung.step_seconds if rung.step_seconds else 0.0


def knee(rungs: Sequence[Rung]) -> int:
    """The smallest size whose throughput is near the best."""
    best = max(speed(rung) for rung in rungs)
    return next(rung.size for rung in rungs if speed(rung) >= NEAR_BEST * best)
