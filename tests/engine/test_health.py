"""A training is given up when its loss is no number, or hopelessly high; not sooner."""

from __future__ import annotations

import math

import pytest

from dialed.engine.failures import MemberFailed
from dialed.engine.health import Health
from dialed.trial import Cause


def after(*losses: float, start: float = 2.0) -> Health:
    health = Health(objective="val_score", start=start)
    for epoch, loss in enumerate(losses, 1):
        health.check_epoch(epoch, {"loss": loss})
    return health


@pytest.mark.parametrize("name", ["loss", "val_loss", "val_score"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_or_objective_that_is_no_number_ends_it(name: str, value: float) -> None:
    with pytest.raises(MemberFailed, match=f"The metric '{name}' became {value} in epoch 4") as raised:
        Health(objective="val_score").check_epoch(4, {"loss": 1.0, name: value})
    assert raised.value.cause is Cause.NAN


def test_another_metric_may_be_undefined() -> None:
    Health(objective="val_score").check_epoch(1, {"loss": 1.0, "recall": math.nan})


def test_a_batch_that_is_no_number_ends_it_at_the_next() -> None:
    health = Health(objective="loss")
    health.note_batch(0, {"loss": 1.0})
    health.check_batches(2)
    health.note_batch(1, {"loss": math.nan})
    with pytest.raises(MemberFailed, match="The loss became NaN or infinite in epoch 3"):
        health.check_batches(2)


def test_the_start_is_the_first_batch_whatever_comes_first_to_be_known() -> None:
    health = Health(objective="loss")
    for batch, loss in ((2, 9.0), (0, 3.0), (1, 7.0)):
        health.note_batch(batch, {"loss": loss})
    health.check_epoch(1, {"loss": 5.0})
    health.note_batch(0, {"loss": 1.0})  # of the second epoch
    health.check_epoch(2, {"loss": 5.0})
    assert health.start == 3.0


def test_one_high_epoch_is_forgiven() -> None:
    assert after(5e3, 1.0, 5e3, 1.0).high_epochs == 0


def test_two_high_epochs_in_a_row_are_divergence() -> None:
    with pytest.raises(
        MemberFailed, match=r"The loss diverged: 6e\+03 in epoch 2, after 2 in the first batch"
    ) as raised:
        after(5e3, 6e3)
    assert raised.value.cause is Cause.DIVERGED


def test_one_hopeless_epoch_is_divergence() -> None:
    with pytest.raises(MemberFailed, match="diverged"):
        after(5e6)


@pytest.mark.parametrize(("start", "loss"), [(1e-6, 900.0), (-50.0, 40_000.0), (1e6, 9e8)])
def test_distance_is_measured_by_the_start(start: float, loss: float) -> None:
    assert after(loss, loss, loss, start=start).high_epochs == 0


def test_without_a_loss_there_is_no_judgement() -> None:
    Health(objective="score").check_epoch(1, {"score": 1e9})
