"""States wait on the host until it is time to write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dialed.engine.keeping import Keeper
from dialed.engine.state import Snapshot
from dialed.events import Saved
from dialed.store.checkpoints import Checkpoints
from dialed.testing.engines import SteppingClock
from dialed.trial import MemberKey

KEY = MemberKey(1, 2, 3)


def keeper(folder: Path, told: list[Saved], *, seconds: float = 10.0) -> tuple[Keeper, SteppingClock]:
    clock = SteppingClock(step=0.0)
    return Keeper(Checkpoints(folder), KEY, clock=clock, seconds=seconds, tell=told.append), clock


def snapshot(value: float) -> Snapshot:
    return Snapshot(arrays={"trainable/0": np.full(2, value)}, meta={"value": value})


def test_nothing_is_written_before_it_is_time(tmp_path: Path) -> None:
    told: list[Saved] = []
    keep, clock = keeper(tmp_path, told)
    keep.keep_last(1, snapshot(1.0))
    clock.time += 9.0
    keep.write_if_due(None, 1.0)
    assert not told and keep.last is None
    clock.time += 1.0
    keep.write_if_due(None, 1.0)
    assert [saved.kind for saved in told] == ["last"]


def test_it_writes_early_when_another_epoch_would_pass_the_deadline(tmp_path: Path) -> None:
    told: list[Saved] = []
    keep, clock = keeper(tmp_path, told)
    keep.keep_last(1, snapshot(1.0))
    keep.write_if_due(clock.time + 5.0, 4.0)
    assert not told
    keep.write_if_due(clock.time + 5.0, 5.0)
    assert [saved.checkpoint.epoch for saved in told] == [1]


def test_the_best_is_written_first_and_nothing_twice(tmp_path: Path) -> None:
    """A state says which epoch was the best; a kill in between must not leave it without those weights."""
    told: list[Saved] = []
    keep, _ = keeper(tmp_path, told)
    keep.keep_last(2, snapshot(2.0))
    keep.keep_best(1, {"trainable/0": np.ones(2)}, 0.5)
    keep.write()
    keep.write()
    assert [(saved.kind, saved.checkpoint.epoch) for saved in told] == [("best", 1), ("last", 2)]
    assert keep.last == told[1].checkpoint and keep.best == told[0].checkpoint


def test_only_the_newest_state_is_written(tmp_path: Path) -> None:
    told: list[Saved] = []
    keep, _ = keeper(tmp_path, told)
    keep.keep_last(1, snapshot(1.0))
    keep.keep_last(2, snapshot(2.0))
    keep.write()
    arrays, meta = Checkpoints(tmp_path).load(told[0].checkpoint)
    assert meta == {"value": 2.0} and arrays["trainable/0"].tolist() == [2.0, 2.0] and len(told) == 1
