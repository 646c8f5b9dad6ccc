"""What is sent to other processes, and what of it is the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

__all__ = ["Movable", "Part"]


class Part(NamedTuple):
    """A part of what is sent: what it is, the thing itself, and what to do where it cannot be sent."""

    what: str
    thing: object
    remedy: str


class Movable(Protocol):
    """What can be sent to another process."""

    @property
    def parts(self) -> Sequence[Part]:
        """What of it is the user's own; first, the code that makes models."""
        ...
