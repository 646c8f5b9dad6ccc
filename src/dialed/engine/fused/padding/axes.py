"""Where a narrow model's own elements stand in a wider tensor, axis by axis.

A lane that is narrower than its program has its elements at some places of each axis, and zeros at all others. The own
elements of a tensor are the product of the own places of its axes, so one record for each axis tells everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "Axis",
    "Tensor",
    "Unpaddable",
    "aligned",
    "flattened",
    "is_whole",
    "joined",
    "leading",
    "narrow",
    "same",
    "widen",
]


class Unpaddable(Exception):
    """A narrow model cannot be a lane of a wider one; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One axis.

    Args:
        wide: Its length in the program; `None` for an axis that batches set.
        places: Where the lane's own elements stand, (own,), in their order; `None` where all places are its own.
    """

    wide: int | None
    places: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.places is not None and len(self.places) == self.wide and np.array_equal(self.places, range(self.wide)):
            object.__setattr__(self, "places", None)

    @property
    def own(self) -> int | None:
        """Its length in the lane's own model."""
        return self.wide if self.places is None else len(self.places)

    @property
    def where(self) -> np.ndarray:
        """The places of the own elements, (own,)."""
        assert self.wide is not None
        return np.arange(self.wide) if self.places is None else self.places

    @property
    def coordinates(self) -> np.ndarray:
        """For each place which own element stands there, -1 for none: (wide,)."""
        assert self.wide is not None
        found = np.full(self.wide, -1, np.int32)
        found[self.where] = np.arange(len(self.where), dtype=np.int32)
        return found

    def matches(self, other: Axis) -> bool:
        """Whether both have their elements at the same places."""
        return self is other or (
            self.wide == other.wide and (self.wide is None or np.array_equal(self.where, other.where))
        )


Tensor: TypeAlias = tuple[Axis, ...]
"""All axes of a tensor, that of the batch first."""


def leading(own: int | None, wide: int | None) -> Axis:
    """The own elements first, the padding behind them."""
    if own == wide or own is None or wide is None:
        return Axis(wide)
    if own > wide:
        raise Unpaddable(f"an axis of {own} does not fit into one of {wide}")
    return Axis(wide, np.arange(own))


def aligned(own: Sequence[int | None], wide: Sequence[int | None]) -> Tensor:
    """`leading` for all axes of two shapes.

    Raises:
        Unpaddable: The shapes have different ranks, or one does not fit into the other.
    """
    if len(own) != len(wide):
        raise Unpaddable(f"shapes of different ranks: {tuple(own)} and {tuple(wide)}")
    return tuple(leading(a, b) for a, b in zip(own, wide, strict=True))


def joined(axes: Sequence[Axis]) -> Axis:
    """Axes one behind the other, as by concatenation."""
    if any(axis.wide is None for axis in axes):
        raise Unpaddable("axes of unknown length are concatenated")
    starts = np.cumsum([0, *(axis.wide for axis in axes)])
    places = [axis.where + start for axis, start in zip(axes, starts[:-1], strict=True)]
    return Axis(int(starts[-1]), np.concatenate(places))


def flattened(axes: Sequence[Axis]) -> Axis:
    """Axes made one, the last running fastest, as by reshaping."""
    places, wide = np.zeros(1, np.int64), 1
    for axis in axes:
        if axis.wide is None:
            raise Unpaddable("an axis of unknown length is flattened")
        places = (places[:, None] * axis.wide + axis.where[None, :]).ravel()
        wide *= axis.wide
    return Axis(wide, places)


def is_whole(tensor: Tensor) -> bool:
    """Whether nothing of it is padding."""
    return all(axis.places is None for axis in tensor)


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have their elements at the same places."""
    return len(one) == len(other) and all(a.matches(b) for a, b in zip(one, other, strict=True))


def widen(array: Any, tensor: Tensor) -> np.ndarray:
    """`array` in its own shape, at its places among zeros."""
    given = np.asarray(array)
    if is_whole(tensor):
        return given
    wide = np.zeros([axis.wide or 0 for axis in tensor], given.dtype)
    wide[np.ix_(*(axis.where for axis in tensor))] = given
    return wide


def narrow(array: np.ndarray, tensor: Tensor) -> np.ndarray:
    """The own elements of a wide `array`, in their own shape."""
    return array if is_whole(tensor) else array[np.ix_(*(axis.where for axis in tensor))]
