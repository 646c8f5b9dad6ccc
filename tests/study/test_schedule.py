"""What a trial was trained with, epoch by epoch, and its learning rate as a schedule of Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dialed.errors import InvalidInputError
from dialed.study.schedule import Schedule
from dialed.trial import Ancestor, MemberKey, MemberRecord, Origin, Trial

keras = pytest.importorskip("keras")

FIRST = Ancestor(trial=0, until=2, values={"rate": 0.1, "units": 4, "kind": "a"})
SECOND = Ancestor(trial=3, until=3, values={"rate": 0.05, "units": 4, "kind": "a"})
MEMBER = MemberRecord(key=MemberKey(5, 0, 0), epoch=5, since=3)
TRIAL = Trial(
    number=5,
    values={"rate": 0.01, "units": 4, "kind": "a"},
    members=(MEMBER,),
    origin=Origin(ancestors=(FIRST, SECOND), replaces=4),
)
SCHEDULE = Schedule.of(TRIAL)


def test_each_epoch_has_the_values_of_its_stretch() -> None:
    assert SCHEDULE.per_epoch("rate") == (0.1, 0.1, 0.05, 0.01, 0.01)
    assert SCHEDULE.per_epoch("units") == (4,) * 5
    assert (SCHEDULE.epochs, SCHEDULE.changing) == (5, ("rate",))
    assert SCHEDULE.values(2) == SECOND.values
    assert SCHEDULE.values(100) == TRIAL.values


def test_the_rate_of_each_step_is_that_of_its_epoch() -> None:
    schedule = SCHEDULE.learning_rate(3, name="rate")
    found = [float(schedule(step)) for step in range(15)]
    assert found == pytest.approx([rate for rate in SCHEDULE.per_epoch("rate") for _ in range(3)])


def test_a_trial_without_ancestors_has_one_rate() -> None:
    alone = Schedule.of(
        Trial(number=1, values={"rate": 0.25}, members=(MemberRecord(key=MemberKey(1, 0, 0), epoch=2),))
    )
    schedule = alone.learning_rate(4, name="rate")
    assert {float(schedule(step)) for step in range(12)} == {0.25}
    assert alone.changing == ()


def test_a_model_with_the_schedule_is_saved_and_loaded(tmp_path: Any) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(SCHEDULE.learning_rate(2, name="rate")), "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, epochs=3, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.01) == float(model.optimizer.learning_rate)


def test_it_survives_json() -> None:
    import json

    assert Schedule.from_json(json.loads(json.dumps(SCHEDULE.to_json()))) == SCHEDULE


def test_it_prints_what_changed() -> None:
    assert str(SCHEDULE).splitlines() == [
        "epochs 1 to 2 (trial 0): rate=0.1",
        "epochs 3 to 3 (trial 3): rate=0.05",
        "epochs 4 to 5 (trial 5): rate=0.01",
    ]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: SCHEDULE.per_epoch("rat"), "`name` must be that of a hyperparameter of the trial. Got 'rat'. Did you"),
        (lambda: SCHEDULE.learning_rate(3, name="kind"), "must be that of a number. Got `kind`, which was 'a'"),
        (lambda: SCHEDULE.learning_rate(0, name="rate"), r"`steps_per_epoch` must be an int in the range \[1, inf\)"),
        (lambda: Schedule.from_json({"stretches": [{}]}), "`data` must be a schedule as `to_json` writes it"),
        (lambda: Schedule.from_json({"stretches": []}), "`data` must hold one stretch at least. Got none"),
    ],
)
def test_bad_input_is_refused(ask: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        ask()
