"""Values of metrics over steps and executions, and which way each is better."""

from __future__ import annotations

import json
from typing import Any

import keras
import pytest

from dialed.keras_tuner.engine.metrics_tracking import (
    MetricHistory,
    MetricObservation,
    MetricsTracker,
    infer_metric_direction,
)


def test_an_observation_holds_a_value_for_each_execution() -> None:
    """One, or several at once; its mean counts."""
    one = MetricObservation(3.0, step=1)
    one.append([5.0, 7.0])
    assert (one.value, one.mean()) == ([3.0, 5.0, 7.0], 5.0)
    assert one == MetricObservation.from_config(one.get_config()) != MetricObservation(3.0, step=1)
    assert repr(one) == "MetricObservation(value=[3.0, 5.0, 7.0], step=1)"


def test_a_history_is_ordered_by_step_whatever_came_first() -> None:
    """And executions of the same step are joined."""
    history = MetricHistory("max")
    for value, step in [(2.0, 3), (1.0, 1), (4.0, 3)]:
        history.update(value, step=step)
    assert history.get_history() == [MetricObservation(1.0, 1), MetricObservation([2.0, 4.0], 3)]
    assert (history.get_last_value(), history.get_best_value(), history.get_best_step()) == (3.0, 3.0, 3)


@pytest.mark.parametrize(("direction", "best", "step"), [("min", 1.0, 1), ("max", 4.0, 2)])
def test_the_best_is_that_of_the_direction(direction: str, best: float, step: int) -> None:
    """Steps that measured no number are passed over."""
    history = MetricHistory(direction)
    for number, value in enumerate([float("nan"), 1.0, 4.0]):
        history.update(value, step=number)
    assert (history.get_best_value(), history.get_best_step()) == (best, step)
    assert history.get_statistics() == pytest.approx(
        {"min": 1.0, "max": 4.0, "mean": 2.5, "median": 2.5, "var": 2.25, "std": 1.5}
    )


def test_an_empty_history_knows_nothing() -> None:
    """No error: there is nothing yet."""
    history = MetricHistory()
    assert (history.get_best_value(), history.get_best_step(), history.get_last_value()) == (None, None, None)
    assert history.get_statistics() == {}


def test_a_tracker_registers_what_it_is_told_and_survives_json() -> None:
    """With the direction that the name says."""
    tracker = MetricsTracker([keras.metrics.CategoricalAccuracy()])
    assert tracker.get_direction("categorical_accuracy") == "max"
    assert tracker.update("val_loss", 2.0) and tracker.update("val_loss", 1.0, step=1)
    assert not tracker.update("val_loss", 3.0, step=2)
    tracker.set_history("score", [MetricObservation([1.0, 3.0], 4)])
    again = MetricsTracker.from_config(json.loads(json.dumps(tracker.get_config())))
    assert again.get_config() == tracker.get_config()
    assert (again.get_best_value("val_loss"), again.get_best_step("val_loss")) == (1.0, 1)
    assert again.get_history("score") == [MetricObservation([1.0, 3.0], 4)]
    assert (again.get_last_value("score"), again.get_statistics("score")["mean"]) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda tracker: MetricHistory("up"), "`direction` should be one of"),
        (lambda tracker: tracker.register("loss"), "Metric already exists: loss"),
        (lambda tracker: tracker.get_best_value("nothing"), "Unknown metric: nothing"),
        (lambda tracker: tracker.get_history("nothing"), "Unknown metric: nothing"),
    ],
)
def test_what_is_unknown_or_known_twice_is_refused(make: Any, message: str) -> None:
    """With KerasTuner's kind of error."""
    tracker = MetricsTracker()
    tracker.register("loss")
    with pytest.raises(ValueError, match=message):
        make(tracker)


def own(y_true: Any, y_pred: Any) -> Any:
    """A metric of the user's."""
    return y_true


class Own(keras.metrics.Metric):  # type: ignore[misc]
    """Another one."""


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("ce", "min"),
        ("val_weighted_ce", "min"),
        ("crossentropy", "min"),
        ("MAE", "min"),
        ("mse", "min"),
        ("squared_hinge", "min"),
        ("mean_squared_error", "min"),
        ("acc", "max"),
        ("val_acc", "max"),
        ("weighted_acc", "max"),
        ("accuracy", "max"),
        ("weighted_binary_accuracy", "max"),
        ("val_auc_3", "max"),
        (keras.metrics.binary_crossentropy, "min"),
        (keras.metrics.categorical_accuracy, "max"),
        (keras.losses.hinge, "min"),
        (keras.losses.CategoricalCrossentropy(), "min"),
        (keras.metrics.FalsePositives(), "min"),
        (keras.metrics.Precision(), "max"),
        ("own", None),
        (own, None),
        (Own(), None),
    ],
)
def test_keras_metrics_have_a_direction_and_others_have_none(metric: Any, direction: str | None) -> None:
    """By name in the logs, by function, by object."""
    assert infer_metric_direction(metric) == direction
