"""What a study remembers: events in, history out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dialed.events import Event
from dialed.trial import Member, Purpose

__all__ = ["Leased", "Recorded", "Store"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event as it was stored: its place in the order of the study, and when (seconds since the epoch)."""

    cursor: int
    time: float
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A member that a worker may train until `until`, while it renews its lease."""

    member: Member
    until: int


class Store(Protocol):
    """The record of one study. Safe for many threads and many processes."""

    def append(self, events: Sequence[Event], *, worker: str | None = None) -> int:
        """Store `events` in one transaction, in order, and return the cursor of the last.

        With `worker`, events of a member (reports, checkpoints, outcomes) are taken only while that worker holds its
        lease; otherwise `LeaseLostError` is raised and nothing is stored. A report of an epoch that is already known
        is dropped without a word.
        """
        ...

    def history(self, after: int = 0) -> list[Recorded]:
        """Return the events after the cursor `after`, in order."""
        ...

    def lease(self, worker: str, *, limit: int, seconds: float, purpose: Purpose | None = None) -> list[Leased]:
        """Give `worker` at most `limit` waiting members for `seconds`; only those of `purpose`, if one is given.

        First, members whose worker is gone (the lease expired, or its process on this machine is dead) are returned
        to the queue.
        """
        ...

    def renew(self, worker: str, *, seconds: float) -> None:
        """Keep all leases of `worker` for `seconds` from now."""
        ...
