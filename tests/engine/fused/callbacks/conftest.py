"""One search with callbacks, by either engine; a program is compiled once for all tests of the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.fused.engine import FusedEngine
from dialed.engine.recipe import Recipe
from dialed.events import Built
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Member, MemberKey, Objective, Outcome, Report

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(48, 4)).astype("float32")
LABELS = (ROWS[:, 0] > 0).astype("int32")


def build(hp: Any) -> Any:
    hp.Int("trial", 0, 99)
    inner = [layers.Dense(3, activation="relu"), layers.Dropout(hp.Float("rate", 0.0, 0.5))]
    model = keras.Sequential([keras.Input((4,)), *inner, layers.Dense(2, activation="softmax")])
    rate = hp.Float("lr", 1e-4, 1e30)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Stopping(keras.callbacks.Callback):
    """Sets `stop_training` when it is told so."""

    def __init__(self, moment: str, epoch: int) -> None:
        super().__init__()
        self.moment, self.epoch = moment, epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training |= (self.moment, self.epoch) == ("begin", epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.stop_training |= (self.moment, self.epoch) == ("end", epoch)


@dataclass
class Told:
    """What an engine told, and how members ended."""

    metrics: dict[Any, dict[str, float]] = field(default_factory=dict)
    engines: dict[int, str] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def of(self, trial: int) -> list[dict[str, float]]:
        """The metrics of one trial, epoch by epoch."""
        return [metrics for (key, _), metrics in sorted(self.metrics.items()) if key.trial == trial]


@dataclass(frozen=True)
class Search:
    """Both engines over one folder of checkpoints. `given` makes the callbacks of each trial."""

    fused: FusedEngine
    fit: FitEngine
    checkpoints: Checkpoints
    given: dict[int, Callable[[], list[Any]]]
    rows: Any = field(default_factory=lambda: ROWS)
    labels: Any = field(default_factory=lambda: LABELS)

    def member(self, trial: int, rate: float = 0.2, lr: float = 3e-2) -> Member:
        return Member(key=MemberKey(trial, 3, 0), values={"trial": trial, "rate": rate, "lr": lr})

    @property
    def others(self) -> list[Member]:
        return [self.member(0), self.member(1, rate=0.3, lr=1e-2), self.member(2, rate=0.4)]

    def train(self, engine: Any, members: list[Member], until: int = 4) -> Told:
        told = Told()

        def on_report(progress: Any) -> bool:
            if isinstance(progress, Built):
                told.engines[progress.trial] = progress.engine
            if isinstance(progress, Report):
                told.metrics[progress.key, progress.epoch] = dict(progress.metrics)
            return False

        for outcome in engine.train(members, until, on_report):
            told.outcomes[outcome.key.trial] = outcome
        return told

    def stopping(self, moment: str, epoch: int) -> Stopping:
        """A callback that stops its training at the begin or the end of an epoch, counted from 0."""
        return Stopping(moment, epoch)

    def arrays(self, outcome: Outcome) -> dict[str, np.ndarray]:
        return self.checkpoints.load(outcome.last)[0]


@pytest.fixture(scope="session")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    checkpoints = Checkpoints(tmp_path_factory.mktemp("company"))
    made: dict[int, Callable[[], list[Any]]] = {}
    given = {"batch_size": 16, "callbacks": [lambda hp: made.get(hp.get("trial"), list)()]}
    data = Data.of(ROWS, LABELS, validation_split=0.25)
    assignment = Assignment(
        recipe=Recipe(build, given),
        data=data,
        objective=Objective(name="val_loss", direction="min"),
        checkpoints=checkpoints,
        clock=SystemClock(),
    )
    fit = FitEngine(assignment)
    return Search(fused=FusedEngine(assignment, fallback=fit), fit=fit, checkpoints=checkpoints, given=made)


@pytest.fixture(autouse=True)
def nothing_given(request):
    """A test's callbacks are its own."""
    yield
    if "search" in request.fixturenames:
        request.getfixturevalue("search").given.clear()
