"""Memory stays flat however many members are trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.memory import CACHED_MEMBERS, peak_memory_bytes
from dialed.engine.recipe import Recipe
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Member, MemberKey, Objective

MEBIBYTE = 2**20


def test_the_peak_covers_what_is_held() -> None:
    before = peak_memory_bytes()
    held = np.ones(64 * MEBIBYTE, np.uint8)
    after = peak_memory_bytes()
    assert before is None or (after is not None and after >= before > MEBIBYTE and after >= held.nbytes)


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow keeps each program that XLA compiled")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the size of the process as Linux tells it")
def test_trials_of_different_shapes_take_no_more_than_a_few(tmp_path: Path) -> None:
    """Without care, JAX keeps some 10 MB for each new shape: 300 MB for those that are counted."""

    def build(hp: Any) -> keras.Model:
        layers = [keras.layers.Dense(hp.Int("units", 1, 64)), keras.layers.Dropout(0.1), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((8,)), *layers])
        model.compile("adam", "mse")
        return model

    rng = np.random.default_rng(0)
    assignment = Assignment(
        recipe=Recipe(build, {"batch_size": 32}),
        data=Data.of(rng.normal(size=(64, 8)), rng.normal(size=64), validation_split=0.5),
        objective=Objective(name="val_loss", direction="min"),
        checkpoints=Checkpoints(tmp_path),
        clock=SystemClock(),
    )
    engine = FitEngine(assignment)
    sizes = []
    for trial in range(64):
        member = Member(key=MemberKey(trial, 0, 0), values={"units": trial + 1})
        list(engine.train([member], 1, lambda progress: False))
        if trial % CACHED_MEMBERS == CACHED_MEMBERS - 1:
            sizes.append(resident())
    growth = (sizes[-1] - sizes[1]) / MEBIBYTE
    assert growth < 100, f"{growth:.0f} MiB: {[size // MEBIBYTE for size in sizes]}"
