"""Callbacks in lanes do what they do in `fit`, each lane's for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from keras import callbacks

from dialed.trial import Cause, State

pytestmark = pytest.mark.slow  # each test compiles programs


def beside_others(search: Any, undisturbed: Any, trial: int, *given: Any, **values: float) -> Any:
    """A trial with callbacks among lanes without; these must not notice."""
    search.given[trial] = lambda: list(given)
    told = search.train(search.fused, [search.others[0], search.member(trial, **values), *search.others[1:]])
    assert told.engines[trial].startswith("fused-")
    for other in range(3):
        for one, expected in zip(told.of(other), undisturbed.of(other), strict=True):
            assert one == pytest.approx(expected, rel=1e-5), (
                "orders apart are another program, which may round otherwise"
            )
    return told


@pytest.fixture(scope="module")
def undisturbed(search):
    """Three lanes without callbacks."""
    return search.train(search.fused, search.others)


def test_a_lane_that_stops_is_complete_and_stays_as_it_was(search, undisturbed):
    told = beside_others(search, undisturbed, 3, search.stopping("end", 1))
    assert told.outcomes[3].state is State.COMPLETED
    assert [told.outcomes[trial].epoch for trial in range(4)] == [4, 4, 4, 2]
    paused = search.train(search.fused, [search.others[0], search.member(3), *search.others[1:]], until=2).outcomes[3]
    one, other = search.arrays(told.outcomes[3]), search.arrays(paused)
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


class Broken(callbacks.Callback):
    """Raises in its second epoch, or before all."""

    def __init__(self, moment: str) -> None:
        super().__init__()
        self.moment = moment
        self.ended = 0

    def on_train_begin(self, logs: Any = None) -> None:
        if self.moment == "train":
            raise OSError("no space left")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if (self.moment, epoch) == ("begin", 1):
            raise OSError("no space left")

    def on_test_begin(self, logs: Any = None) -> None:
        if self.moment == "test" and int(self.model.optimizer.iterations) > 3:
            raise OSError("no space left")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (self.moment, epoch) == ("end", 1):
            raise OSError("no space left")

    def on_train_end(self, logs: Any = None) -> None:
        self.ended += 1


@pytest.mark.parametrize("moment", ["begin", "test", "end"])
def test_a_callback_that_raises_fails_its_member_alone(search, undisturbed, moment):
    broken = Broken(moment)
    told = beside_others(search, undisturbed, 3, broken)
    outcome = told.outcomes[3]
    assert (outcome.state, outcome.cause, outcome.epoch) == (State.FAILED, Cause.ERROR, 1)
    assert "OSError: no space left (line" in outcome.message
    assert broken.ended == 1, "it may close its files"


def test_a_callback_that_raises_before_training_leaves_no_trace(search):
    search.given[3] = lambda: [Broken("train")]
    told = search.train(search.fused, [search.others[0], search.member(3)])
    assert told.outcomes[3].cause is Cause.ERROR
    assert 3 not in told.engines
    assert told.outcomes[0].state is State.PAUSED


class Drawing(callbacks.Callback):
    """Draws from NumPy's generator, which also draws the order of the samples."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        np.random.normal()


def test_what_a_callback_draws_is_drawn_from_its_own_lane(search, undisturbed):
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    told = beside_others(search, undisturbed, 3, Drawing())
    assert np.array_equal(before, np.random.get_state()[1])
    assert told.of(3)[0]["val_loss"] != undisturbed.of(0)[0]["val_loss"], "its samples come in another order"


class Shaking(callbacks.Callback):
    """Moves weights at random, and remembers by how much."""

    def __init__(self) -> None:
        super().__init__()
        self.moved: list[float] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.scale = float(np.random.uniform(0.01, 0.02))
        self.model.layers[0].bias.assign([self.scale] * 3)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.moved.append(float(np.random.normal(scale=self.scale)))
        bias = self.model.layers[-1].bias
        bias.assign(bias + self.moved[-1])


def test_a_lane_goes_on_from_what_its_callbacks_did_and_drew(search):
    search.given[3] = lambda: [Shaking()]
    whole = search.train(search.fused, [search.member(3)]).outcomes[3]
    half = search.train(search.fused, [search.member(3)], until=2).outcomes[3]
    rest = replace(search.member(3), epoch=2, checkpoint=half.last)
    two = search.train(search.fused, [rest]).outcomes[3]
    (one, meta), (other, meta_of_two) = (search.checkpoints.load(outcome.last) for outcome in (whole, two))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert meta == meta_of_two
    ((_, state),) = meta["callbacks"]
    assert len(set(state["moved"])) == 4


class Freezing(callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.layers[0].trainable = False


def test_a_callback_that_changes_what_is_trained_is_refused(search, undisturbed):
    outcome = beside_others(search, undisturbed, 3, Freezing()).outcomes[3]
    assert outcome.cause is Cause.ERROR
    assert "Pass engine='fit'" in outcome.message


def test_lanes_that_would_write_one_file_are_left_to_fit(search, tmp_path):
    for trial in (3, 4):
        search.given[trial] = lambda: [callbacks.CSVLogger(str(tmp_path / "log.csv"))]
    batches = search.fused.plan([*search.others, search.member(3), search.member(4)])
    reasons = {member.key.trial: batch.reason for batch in batches for member in batch.members}
    assert reasons[3] == reasons[4]
    assert "log.csv, as that of another trial does, line by line. In `callbacks`, pass a function" in reasons[3]
    assert [reasons[trial] for trial in range(3)] == ["", "", ""]


def test_a_callback_sees_the_training_as_a_history(search, undisturbed):
    seen: list[Any] = []
    history = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, dict(logs))),
        on_train_end=lambda logs: seen.append(dict(logs)),
    )
    history.set_model = lambda model: seen.append(model)
    told = beside_others(search, undisturbed, 3, history, lr=1e-3)
    model, *epochs, last = seen
    assert [epoch for epoch, _ in epochs] == [0, 1, 2, 3]
    assert [logs for _, logs in epochs] == told.of(3)
    assert list(last) == sorted(last)
    assert model.history.history["val_loss"] == [logs["val_loss"] for _, logs in epochs]
    assert history.params == {"verbose": 0, "epochs": 4, "steps": 3}


class Judging(callbacks.Callback):
    """Validates once more by itself."""

    def __init__(self, rows: Any, labels: Any) -> None:
        super().__init__()
        self.rows, self.labels = rows, labels

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        again = self.model.evaluate(self.rows, self.labels, batch_size=16, verbose=0, return_dict=True)
        logs["again"] = again["loss"]
        predicted = self.model.predict(self.rows, verbose=0)
        logs["right"] = float((predicted.argmax(1) == self.labels).mean())


def test_a_callback_may_evaluate_and_predict_with_its_model(search, undisturbed):
    told = beside_others(search, undisturbed, 3, Judging(search.rows[36:], search.labels[36:]))
    plain = search.train(search.fused, [search.others[0], search.member(5), *search.others[1:]])
    for judged, expected in zip(told.of(3), plain.of(5), strict=True):
        assert judged.pop("again") == pytest.approx(judged["val_loss"], rel=1e-5)
        assert judged.pop("right") == pytest.approx(judged["val_accuracy"])
        assert judged == pytest.approx(expected, rel=1e-5)
