"""A bench to train members on: an engine over a little data, with checkpoints in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialed.testing.engines import Recorder, SteppingClock
from dialed.trial import CheckpointRef, Member, MemberKey, Objective, Outcome

KEY = MemberKey(0, 7, 0)


class Bench:
    """Trains one member at a time, each time with a fresh engine, as a new process would."""

    def __init__(self, folder: Path) -> None:
        from dialed.store.checkpoints import Checkpoints

        self.checkpoints = Checkpoints(folder)
        self.told = Recorder()

    def train(
        self,
        build: Any,
        until: int,
        *,
        values: Any = None,
        start: CheckpointRef | None = None,
        data: Any = None,
        objective: Objective | None = None,
        on_report: Callable[[Any], bool] | None = None,
        checkpoint_seconds: float = 1e9,
        deadline: Any = None,
        clock: Any = None,
        max_parameters: int | None = None,
        **arguments: Any,
    ) -> Outcome:
        """Train to `until` epochs from the checkpoint `start`; what is told goes to `self.told`."""
        from dialed.engine.assignment import Assignment
        from dialed.engine.fit import FitEngine
        from dialed.engine.recipe import Recipe

        self.told = Recorder()
        assignment = Assignment(
            recipe=Recipe(build, {"batch_size": 8, **arguments}, max_parameters=max_parameters),
            data=data if data is not None else digits(),
            objective=objective or Objective(name="val_loss", direction="min"),
            checkpoints=self.checkpoints,
            clock=clock or SteppingClock(),
            checkpoint_seconds=checkpoint_seconds,
            **({"deadline": deadline} if deadline else {}),
        )
        member = Member(key=KEY, values=values or {}, epoch=start.epoch if start else 0, checkpoint=start)
        (outcome,) = FitEngine(assignment).train([member], until, on_report or self.told)
        return outcome

    @property
    def curve(self) -> list[dict[str, float]]:
        """What was reported after each epoch of the last training."""
        return self.told.curve(KEY)

    def state(self, ref: CheckpointRef | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is in a checkpoint."""
        assert ref is not None
        return self.checkpoints.load(ref)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench with an empty folder."""
    return Bench(tmp_path)


def digits(samples: int = 44, **more: Any) -> Any:
    """A little data of two classes, with a last batch that is not full."""
    from dialed.engine.data import Data

    rng = np.random.default_rng(3)
    x = rng.normal(size=(samples, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("float32")
    return Data.of(x[:-16], y[:-16], validation_data=(x[-16:], y[-16:]), **more)
