"""How members are trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from dialed.events import Built, Measured, Saved
from dialed.trial import Member, Outcome, Report

__all__ = ["Batch", "Engine", "OnReport", "Progress"]

Progress: TypeAlias = Built | Measured | Report | Saved
"""What an engine tells while it trains: a model was built, or timed, an epoch ended, a checkpoint was written."""

OnReport: TypeAlias = Callable[[Progress], bool]
"""Called for each; returns True when the member should pause at once (it keeps its checkpoint and can go on later)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Members that are trained together, and how.

    `program` names the compiled program they share ("fit" where each has its own); `reason` says why it is not a
    faster one, and is empty where it is the fastest. `padding` says which widths were made equal for it.
    """

    members: tuple[Member, ...]
    program: str
    reason: str = ""
    padding: str = ""


class Engine(Protocol):
    """Trains members. Knows nothing of stores, strategies or workers."""

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        """Split `members` into batches that are trained together, without training."""
        ...

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        """Train `members` until each has `until` epochs; yield each one's outcome as it ends.

        A failure of a member is an `Outcome`, never an exception. An outcome's checkpoints are on disk when it is
        yielded.
        """
        ...
