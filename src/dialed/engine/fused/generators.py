"""The random generators of one lane, between its epochs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dialed.engine.fused.order import BatchOrder
from dialed.engine.packing import Arrays, pack, unpack
from dialed.engine.seeding import capture_random, taken_up

__all__ = ["Generators"]


@dataclass(slots=True, kw_only=True, eq=False)
class Generators:
    """NumPy's generator moves with the order of a lane's samples; the others stand still unless a callback draws.

    Args:
        seed: The member's.
        order: The order of the member's samples.
        state: All generators, as `seeding.capture_random` returned them; NumPy's is not read.
        arrays: The arrays of `state`.
    """

    seed: int
    order: BatchOrder
    state: dict[str, Any]
    arrays: Arrays

    def to_json(self, arrays: Arrays) -> dict[str, Any]:
        """All of them as JSON, as `seeding.capture_random` would find them; their arrays go into `arrays`."""
        arrays.update(self.arrays)
        return {**self.state, "numpy": pack(self.order.state, "random/numpy", arrays)}

    @contextmanager
    def in_place(self, *, in_epoch: bool = False) -> Iterator[None]:
        """Put them in the place of the process's own; they go on from where whoever draws inside leaves them.

        Args:
            in_epoch: Whether the epoch whose order is drawn has begun. Where it has not, its order is taken back, and
                must be drawn again. Defaults to False.
        """
        if not in_epoch:
            self.order.undo()
        arrays: Arrays = {}
        with taken_up(self.seed, self.to_json(arrays), arrays):
            yield
            after: Arrays = {}
            self.state, self.arrays = capture_random(after), after
        self.order.go_on_from(unpack(self.state["numpy"], after))
