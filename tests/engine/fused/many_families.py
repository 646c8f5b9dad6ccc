"""Trains one program after another. Run as a script; prints the resident megabytes of the process as a JSON list."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.fused import engine as fused
from dialed.engine.fused.engine import FusedEngine
from dialed.engine.recipe import Recipe
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Member, MemberKey, Objective


def build(hp: Any) -> Any:
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(hp.Int("units", 2, 999), activation="relu"), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    return model


def resident_megabytes() -> float:
    words = Path("/proc/self/statm").read_text().split()
    return int(words[1]) * 4096 / 2**20


def main(rounds: int) -> None:
    fused.MOST_FAMILIES = 4
    rows = np.ones((16, 4), "float32")
    recipe, data = Recipe(build, {"batch_size": 8}), Data.of(rows, rows[:, :1])
    assignment = Assignment(
        recipe=recipe,
        data=data,
        objective=Objective(name="loss", direction="min"),
        checkpoints=Checkpoints(Path(tempfile.mkdtemp())),
        clock=SystemClock(),
    )
    engine = FusedEngine(assignment, fallback=FitEngine(assignment))
    sizes = []
    for trial in range(rounds):
        (outcome,) = engine.train(
            [Member(key=MemberKey(trial, 3, 0), values={"units": 2 + trial})], 1, lambda told: False
        )
        assert outcome.epoch == 1
        assert not outcome.message
        if trial % 16 == 15:  # caches have just been emptied
            sizes.append(resident_megabytes())
    print(json.dumps({"megabytes": sizes, "families": len(engine.families)}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
