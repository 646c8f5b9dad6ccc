"""A family's epochs are loops of whichever kind is faster; both kinds train the same."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.fused import engine, mode
from dialed.engine.fused.capacity import Plan
from dialed.engine.fused.engine import FusedEngine
from dialed.engine.fused.mode import decide
from dialed.engine.fused.stepping import SteppedProgram
from dialed.engine.recipe import Recipe
from dialed.store.checkpoints import Checkpoints
from dialed.trial import Member, MemberKey, Objective, Report

pytestmark = pytest.mark.slow  # each test compiles programs

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(54, 6, 6, 2)).astype("float32")
LABELS = RANDOM.integers(0, 3, 54)
DATA = Data.of(IMAGES, LABELS, validation_split=0.3)
LOSS = Objective(name="val_loss", direction="min")


def build(hp: Any) -> Any:
    inner = [layers.Conv2D(3, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.3)]
    model = keras.Sequential([keras.Input((6, 6, 2)), *inner, layers.Dense(3, activation="softmax")])
    model.compile(
        keras.optimizers.Adam(hp.Float("lr", 1e-4, 1e-1)), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def dense(hp: Any) -> Any:
    model = keras.Sequential([keras.Input((6, 6, 2)), layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(hp.Float("lr", 1e-4, 1e-1)), "sparse_categorical_crossentropy")
    return model


def engines(folder, make=build):
    recipe = Recipe(make, {"batch_size": 8})
    assignment = Assignment(
        recipe=recipe, data=DATA, objective=LOSS, checkpoints=Checkpoints(folder), clock=SystemClock()
    )
    fit = FitEngine(assignment)
    return fit, FusedEngine(assignment, fallback=fit)


TEAM = [Member(key=MemberKey(i, 3, 0), values={"lr": 0.002 * (1 + i)}) for i in range(2)]


def train(engine_, epochs=2):
    told = {}

    def hear(progress):
        if isinstance(progress, Report):
            told[progress.key.trial, progress.epoch] = dict(progress.metrics)
        return False

    assert all(outcome.epoch == epochs for outcome in engine_.train(TEAM, epochs, hear))
    return told


def test_steps_train_what_fit_trains(tmp_path, monkeypatch):
    """Full and smaller batches, validation, two lanes at once."""
    ran = []
    run = SteppedProgram.run
    monkeypatch.setattr(SteppedProgram, "run", lambda program, *of: (ran.append(1), run(program, *of))[1])
    monkeypatch.setattr(engine, "decide", lambda family, *others: setattr(family, "stepwise", True))
    fit, fused = engines(tmp_path)
    expected, told = train(fit), train(fused)
    assert ran
    assert told.keys() == expected.keys()
    for key, metrics in expected.items():
        assert told[key] == pytest.approx(metrics, rel=2e-5)


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    """One family and its lanes for each model, and the engine's costs."""
    made = {}
    for name, make in (("conv", build), ("dense", dense)):
        _, fused = engines(tmp_path_factory.mktemp(name), make)
        ((family, lanes),) = engine._Sorted(fused, TEAM, until=2).families
        made[name] = (family, lanes, fused.costs)
    return made


@pytest.mark.parametrize(
    ("name", "size", "worth", "paces", "expected"),
    [
        ("conv", 1, 0.0, [2.0, 1.0], True),
        ("conv", 1, 0.0, [1.0, 2.0], False),
        ("conv", 1, 1e9, [], True),
        ("conv", 8, 0.0, [], False),
        ("dense", 1, 0.0, [], False),
    ],
)
def test_the_faster_mode_is_taken_where_it_is_worth_a_look(families, monkeypatch, name, size, worth, paces, expected):
    family, lanes, costs = families[name]
    family.faster = None
    left = list(paces)
    monkeypatch.setattr(mode, "WORTH_SECONDS", worth)
    monkeypatch.setattr(mode, "_pace", lambda *given: left.pop(0))
    for _ in range(2):  # the second time it is remembered
        decide(family, lanes, lambda lanes: Plan(size=size, hands=1, room=9), SystemClock(), costs)
        assert family.stepwise is expected
        assert left == []


def test_many_lanes_train_in_a_loop_whatever_was_faster_for_one(families):
    family, lanes, costs = families["conv"]
    family.faster = True
    for size, expected in ((1, True), (8, False), (1, True)):
        decide(family, lanes, lambda lanes, size=size: Plan(size=size, hands=1, room=9), SystemClock(), costs)
        assert family.stepwise is expected


def test_large_convolutions_train_as_steps_however_many_lanes_there_are(families, monkeypatch):
    family, lanes, costs = families["conv"]
    family.faster = None
    monkeypatch.setattr(mode, "LARGE_STEP", 1.0)
    decide(family, lanes, lambda lanes: Plan(size=8, hands=1, room=9), SystemClock(), costs)
    assert family.stepwise


@pytest.mark.slow
def test_a_look_changes_nobodys_training(families, monkeypatch):
    family, lanes, costs = families["conv"]
    family.faster = None
    before = [np.array(array) for group in lanes[0].state for array in group]
    drawn = lanes[0].order.state["state"]["pos"]
    monkeypatch.setattr(mode, "WORTH_SECONDS", 0.0)
    decide(family, lanes, lambda lanes: Plan(size=1, hands=1, room=9), SystemClock(), costs)
    assert family.faster is family.stepwise
    after = [array for group in lanes[0].state for array in group]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert lanes[0].order.state["state"]["pos"] == drawn


def test_convolutions_are_replaced_only_in_loops(families):
    family, lanes, _ = families["conv"]
    family.stepwise = False
    looped = str(family.steps(lanes[0].setting).train.program)
    family.stepwise = True
    stepped = str(family.steps(lanes[0].setting).train.program)
    assert "conv_general_dilated" not in looped
    assert "conv_general_dilated" in stepped
    assert "select_and_scatter" not in stepped, "pooling is replaced everywhere"
