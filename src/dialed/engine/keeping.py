"""What a member could go on from: the newest state on the host, and how much of it is on the disk already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from dialed.clock import Clock
from dialed.engine.packing import Arrays
from dialed.engine.state import Snapshot
from dialed.events import Saved
from dialed.trial import CheckpointRef, MemberKey

__all__ = ["CheckpointStore", "Keeper"]


class CheckpointStore(Protocol):
    """Where checkpoints lie; `dialed.store.Checkpoints` is one."""

    def save(
        self,
        key: MemberKey,
        epoch: int,
        kind: Literal["last", "best"],
        arrays: Mapping[str, Any],
        meta: Mapping[str, Any],
    ) -> CheckpointRef:
        """Write a checkpoint; return its address once it is safe."""
        ...

    def load(self, ref: CheckpointRef) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arrays and the meta of a checkpoint. Raises `CheckpointError`."""
        ...


class Keeper:
    """Holds a member's newest state and best weights, and writes them when it is time.

    Copies to the host are made after every epoch: then a deadline or a Ctrl-C in the middle of the next one costs that
    epoch only. The disk is slower, so it waits for `seconds` to pass.

    Args:
        checkpoints: Where to write.
        key: The member.
        clock: Time.
        seconds: The longest time between two writings, while epochs end.
        tell: Called with each `Saved`.
        last: The checkpoint that the member goes on from. Defaults to none.
    """

    def __init__(
        self,
        checkpoints: CheckpointStore,
        key: MemberKey,
        *,
        clock: Clock,
        seconds: float,
        tell: Callable[[Saved], object],
        last: CheckpointRef | None = None,
    ) -> None:
        self.last = last
        self.best: CheckpointRef | None = None
        self._checkpoints = checkpoints
        self._key = key
        self._clock = clock
        self._seconds = seconds
        self._tell = tell
        self._written_at = clock.monotonic()
        self._new_last: tuple[int, Snapshot] | None = None
        self._new_best: tuple[int, Snapshot] | None = None

    def keep_last(self, epoch: int, snapshot: Snapshot) -> None:
        """Hold the state after `epoch`."""
        self._new_last = (epoch, snapshot)

    def keep_best(self, epoch: int, weights: Arrays, score: float) -> None:
        """Hold the weights after `epoch`, the best so far."""
        self._new_best = (epoch, Snapshot(arrays=weights, meta={"score": score}))

    def write_if_due(self, deadline: float | None, epoch_seconds: float) -> None:
        """Write if it has been long, or if another epoch would likely pass `deadline`."""
        now = self._clock.monotonic()
        late = deadline is not None and now + epoch_seconds >= deadline
        if late or now - self._written_at >= self._seconds:
            self.write()

    def write(self) -> None:
        """Write what is not on the disk yet: the best weights first, for the state relies on them being there."""
        if self._new_best is not None:
            self.best = self._save("best", *self._new_best)
            self._new_best = None
        if self._new_last is not None:
            self.last = self._save("last", *self._new_last)
            self._new_last = None
        self._written_at = self._clock.monotonic()

    def _save(self, kind: Literal["last", "best"], epoch: int, snapshot: Snapshot) -> CheckpointRef:
        ref = self._checkpoints.save(self._key, epoch, kind, snapshot.arrays, snapshot.meta)
        self._tell(Saved(key=self._key, kind=kind, checkpoint=ref))
        return ref
