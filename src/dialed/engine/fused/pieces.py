"""An epoch in pieces of about half a second, so that a deadline or Ctrl-C is noticed in its middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dialed.clock import Clock
from dialed.engine.fused.hands import Stopped
from dialed.engine.fused.program import Control, Program

__all__ = ["Late", "Pieces"]

SECONDS = 0.5
"""A piece. Calling a program takes well under a thousandth of that."""

_GROWTH = 8
"""How much larger than the piece before a piece may be: the first ones are slower than the rest."""


class Late(Exception):
    """The deadline passed in the middle of an epoch. Its lanes are as after their last complete one."""


class Pieces:
    """Cuts epochs by the time that batches were measured to take.

    Args:
        clock: Time.
        deadline: When to stop, on the clock's monotonic time, or `None`.
        is_stopped: Whether nobody wants the result any more.
    """

    def __init__(self, clock: Clock, deadline: Callable[[], float | None], is_stopped: Callable[[], bool]) -> None:
        self._clock = clock
        self._deadline = deadline
        self._is_stopped = is_stopped
        self._batches = 1

    def of(self, program: Program, *, validate: bool) -> Iterator[Control]:
        """The pieces of one epoch. A piece must have been trained when the next is asked for.

        Raises:
            Late: The deadline has passed.
            Stopped: Nobody wants the result any more.
        """
        full, first = program.layout.training.full, 0
        while full - first > self._batches:
            began = self._clock.monotonic()
            yield program.piece(first, first + self._batches)
            first += self._batches
            self._go_on(self._clock.monotonic() - began)
        yield program.last_piece(first, validate=validate)

    def _go_on(self, seconds: float) -> None:
        if self._is_stopped():
            raise Stopped
        deadline = self._deadline()
        if deadline is not None and self._clock.monotonic() >= deadline:
            raise Late
        fitting = SECONDS / max(seconds / self._batches, 1e-9)
        self._batches = max(1, int(min(fitting, self._batches * _GROWTH)))
