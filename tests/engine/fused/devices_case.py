"""Trains lanes on as many devices as there are, in float64. Run as a script; prints metrics as one JSON object."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
from keras import layers

from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.fused import capacity
from dialed.engine.fused.engine import FusedEngine
from dialed.engine.recipe import Recipe
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Member, MemberKey, Objective, Report


def build(hp: Any) -> Any:
    inner = [
        layers.Dense(5, activation="tanh"),
        layers.BatchNormalization(),
        layers.Dropout(hp.Float("rate", 0.1, 0.5)),
    ]
    model = keras.Sequential([keras.Input((4,)), *inner, layers.Dense(1)])
    model.compile(keras.optimizers.Adam(hp.Float("lr", 1e-4, 1e-1)), "mse")
    return model


def main() -> None:
    capacity.cores = lambda: 4  # one device trains as many lanes in a program as each of four does
    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    rows = np.random.default_rng(0).normal(size=(60, 4))
    recipe, data = Recipe(build, {"batch_size": 8}), Data.of(rows, rows[:, :1], validation_split=0.25)
    assignment = Assignment(
        recipe=recipe,
        data=data,
        objective=Objective(name="val_loss", direction="min"),
        checkpoints=Checkpoints(Path(tempfile.mkdtemp())),
        clock=SystemClock(),
    )
    engine = FusedEngine(assignment, fallback=FitEngine(assignment))
    values = [{"rate": 0.1 + 0.05 * i, "lr": 0.001 * (i + 1)} for i in range(8)]
    shared = [Member(key=MemberKey(i, 3, 0), values=of) for i, of in enumerate(values)]
    own = [Member(key=MemberKey(i, 3 + i, 0), values=of) for i, of in enumerate(values[:4])]
    told: dict[str, Any] = {}

    def hear(progress: Any) -> bool:
        if isinstance(progress, Report):
            told[f"{progress.key.trial} {progress.key.seed} {progress.epoch}"] = dict(progress.metrics)
        return False

    failures = [o.message for team in (shared, own) for o in engine.train(team, 2, hear) if o.message]
    programs = [layout for family in engine.families for layout in family._programs]
    print(
        json.dumps(
            {
                "told": told,
                "failures": failures,
                "devices": sorted({layout.devices for layout in programs}),
                "refused": [family.refused for family in engine.families],
                "checked": [family.checked for family in engine.families],
            }
        )
    )


if __name__ == "__main__":
    main()
