"""A state that goes on with other values: what is copied, and what the new values decide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from dialed.clock import SystemClock
from dialed.engine.assignment import Assignment
from dialed.engine.data import Data
from dialed.engine.fit import FitEngine
from dialed.engine.recipe import Recipe
from dialed.engine.state import Snapshot
from dialed.engine.takeover import taken_over
from dialed.store import Checkpoints
from dialed.trial import Cause, Member, MemberKey, Objective, Outcome, State, Values

ROWS = np.random.default_rng(0).normal(size=(48, 3)).astype("float32")
TARGETS = (ROWS @ np.array([[1.0], [-2.0], [0.5]])).astype("float32")
KEY, COPY = MemberKey(0, 7, 0), MemberKey(1, 7, 0)
SLOW: Values = {"rate": 0.01, "units": 4, "momentum": 0.5, "factor": 0.5, "cooldown": 0}


def build(hp: Any) -> Any:
    layers = [keras.Input((3,)), keras.layers.Dense(hp.Int("units", 2, 8), "tanh"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    momentum = hp.Float("momentum", 0.1, 0.9)
    model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-4, 1.0), momentum=momentum), "mse")
    return model


def callbacks(hp: Any) -> list[Any]:
    factor, cooldown = hp.Float("factor", 0.1, 0.9), hp.Int("cooldown", 0, 3)
    return [
        keras.callbacks.ReduceLROnPlateau(
            "loss", factor=factor, cooldown=cooldown, patience=1, min_delta=100.0, min_lr=0
        )
    ]


@pytest.fixture
def assignment(tmp_path: Any) -> Assignment:
    arguments = {"batch_size": 16, "shuffle": False, "callbacks": callbacks}
    return Assignment(
        recipe=Recipe(build, arguments),
        data=Data.of(ROWS, TARGETS, seed=0),
        objective=Objective(name="loss", direction="min"),
        checkpoints=Checkpoints(tmp_path),
        clock=SystemClock(),
    )


def train(assignment: Assignment, member: Member, until: int) -> tuple[Outcome, list[Any]]:
    told: list[Any] = []
    [outcome] = FitEngine(assignment).train([member], until, lambda progress: bool(told.append(progress)))
    return outcome, told


def saved(assignment: Assignment, outcome: Outcome) -> Snapshot:
    assert outcome.last is not None
    arrays, meta = assignment.checkpoints.load(outcome.last)
    return Snapshot(arrays=arrays, meta=meta)


def copy_of(outcome: Outcome, **changes: Any) -> Member:
    values = {**SLOW, **changes}
    return Member(key=COPY, values=values, epoch=outcome.epoch, checkpoint=outcome.last, before=SLOW, inherits=True)


def test_only_what_the_new_values_decide_differs_from_the_copied_state(assignment: Assignment) -> None:
    outcome, _ = train(assignment, Member(key=KEY, values=SLOW), 2)
    snapshot = saved(assignment, outcome)
    taken = taken_over(snapshot, assignment, copy_of(outcome, rate=0.1))
    different = [n for n, a in taken.arrays.items() if not np.array_equal(a, snapshot.arrays[n])]
    assert different == ["optimizer/1"]
    assert float(taken.arrays["optimizer/1"]) == pytest.approx(0.1)
    assert taken.arrays["optimizer/1"].dtype == snapshot.arrays["optimizer/1"].dtype
    assert (taken.meta["best_score"], taken.meta["best_epoch"], taken.meta["epoch"]) == (None, 2, 2)


def test_a_rate_that_a_callback_reduced_stays_reduced_unless_the_values_change_it(assignment: Assignment) -> None:
    outcome, _ = train(assignment, Member(key=KEY, values=SLOW), 3)
    snapshot = saved(assignment, outcome)
    assert float(snapshot.arrays["optimizer/1"]) < 0.01
    kept = taken_over(snapshot, assignment, copy_of(outcome, momentum=0.8))
    assert kept.arrays["optimizer/1"] == snapshot.arrays["optimizer/1"]


def test_what_the_values_decide_of_a_callback_is_not_copied_and_the_rest_is(assignment: Assignment) -> None:
    outcome, _ = train(assignment, Member(key=KEY, values=SLOW), 2)
    snapshot = saved(assignment, outcome)
    taken = taken_over(snapshot, assignment, copy_of(outcome, factor=0.9))
    [(_, before)], [(_, now)] = snapshot.meta["callbacks"], taken.meta["callbacks"]
    assert before.keys() - now.keys() == {"factor"}
    assert "wait" in now


def test_a_member_without_other_values_before_goes_on_from_the_state_itself(assignment: Assignment) -> None:
    outcome, _ = train(assignment, Member(key=KEY, values=SLOW), 1)
    snapshot = saved(assignment, outcome)
    assert taken_over(snapshot, assignment, Member(key=KEY, values=SLOW, checkpoint=outcome.last)) is snapshot


def test_training_goes_on_as_keras_would_with_the_rate_set_by_hand(assignment: Assignment) -> None:
    outcome, _ = train(assignment, Member(key=KEY, values=SLOW), 2)
    copied, told = train(assignment, copy_of(outcome, rate=0.1, momentum=0.7), 3)
    model = build(_Values({**SLOW, "momentum": 0.7}))
    snapshot = saved(assignment, outcome)
    model.optimizer.build(model.trainable_variables)
    for i, variable in enumerate(model.trainable_variables):
        variable.assign(snapshot.arrays[f"trainable/{i}"])
    for i, variable in enumerate(model.optimizer.variables):
        variable.assign(snapshot.arrays[f"optimizer/{i}"])
    model.optimizer.learning_rate = 0.1
    [expected] = model.fit(ROWS, TARGETS, batch_size=16, shuffle=False, verbose=0).history["loss"]
    reported = [p.metrics["loss"] for p in told if hasattr(p, "metrics")]
    assert copied.state is State.PAUSED
    assert reported[0] == pytest.approx(expected, rel=1e-6)


def test_values_that_change_shapes_fail_the_trial_with_what_changed(assignment: Assignment) -> None:
    outcome, _ = train(assignment, Member(key=KEY, values=SLOW), 1)
    failed, told = train(assignment, copy_of(outcome, units=5), 2)
    assert (failed.state, failed.cause, failed.epoch, told) == (State.FAILED, Cause.MISFIT, 1, [])
    assert "`units` went from 4 to 5. The checkpoint must fit the model" in failed.message


def test_a_copy_whose_state_is_lost_fails_instead_of_beginning_again(assignment: Assignment) -> None:
    outcome, _ = train(assignment, Member(key=KEY, values=SLOW), 1)
    assert outcome.last is not None
    assignment.checkpoints.delete(outcome.last)  # type: ignore[attr-defined]
    failed, _ = train(assignment, copy_of(outcome, rate=0.1), 2)
    assert (failed.state, failed.cause) == (State.FAILED, Cause.ERROR)
    assert failed.message.startswith("The state that it goes on from cannot be used.")


class _Values:
    """Hands out values as `hp` does."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def __getattr__(self, kind: str) -> Any:
        return lambda name, *_: self._values[name]
