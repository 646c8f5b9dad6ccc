"""What a trial may return, and what of it counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dialed.keras_tuner.engine.objective import Objective, create_objective
from dialed.keras_tuner.engine.results import average, best_epoch_of, best_step_of, check_results, metrics_of
from dialed.keras_tuner.errors import FatalTypeError, FatalValueError

LOSS, ACC = Objective("val_loss", "min"), Objective("val_acc", "max")


def history(**metrics: list[float]) -> Any:
    """What `model.fit` returns."""
    return SimpleNamespace(history=metrics, epoch=list(range(len(next(iter(metrics.values()))))))


@pytest.mark.parametrize(
    ("objective", "results", "metrics", "step"),
    [
        (LOSS, 0.5, {"val_loss": 0.5}, 0),
        (LOSS, np.float32(0.5), {"val_loss": 0.5}, 0),
        (LOSS, {"val_loss": 1, "a": 2}, {"val_loss": 1.0, "a": 2.0}, 0),
        (LOSS, history(val_loss=[2.0, 1.0], a=[7.0, 8.0]), {"val_loss": 1.0, "a": 8.0}, 1),
        (ACC, history(val_acc=[0.1, 0.9, 0.9]), {"val_acc": 0.9}, 1),
        (LOSS, [1.0, 2.0], {"val_loss": 1.5}, 0),
        (LOSS, [{"val_loss": 1.0, "a": 1.0}, {"val_loss": 3.0}], {"val_loss": 2.0, "a": 1.0}, 0),
        (LOSS, [history(val_loss=[2.0, 1.0]), history(val_loss=[3.0, 4.0, 1.0, 0.0])], {"val_loss": 0.5}, 2),
    ],
)
def test_what_counts_are_the_metrics_of_the_best_epoch(
    objective: Objective, results: Any, metrics: dict[str, float], step: int
) -> None:
    """The first of the best; of a list the mean."""
    assert metrics_of(results, objective) == metrics
    assert best_step_of(results, objective) == step


def test_of_several_objectives_the_sum_is_best() -> None:
    """Epoch by epoch, not each at its own best."""
    both = create_objective([LOSS, ACC])
    found = metrics_of(history(val_loss=[1.0, 0.5], val_acc=[0.75, 0.0]), both)
    assert found == {"val_loss": 1.0, "val_acc": 0.75, "multi_objective": 0.25}


def test_an_epoch_without_a_number_is_never_best() -> None:
    """Nor is there an error when all are without."""
    epochs = [{"val_loss": float("nan")}, {"val_loss": 2.0}]
    assert best_epoch_of(epochs, LOSS) == 1
    assert best_epoch_of(epochs[:1], LOSS) == 0


def test_an_average_is_over_those_that_have_the_metric() -> None:
    """An execution may measure less than another."""
    assert average([{"a": 1.0}, {"a": 3.0, "b": 5.0}]) == {"a": 2.0, "b": 5.0}


@pytest.mark.parametrize(
    ("objective", "results", "error", "message"),
    [
        (LOSS, None, FatalTypeError, "The return value is None"),
        (LOSS, "a", FatalTypeError, "to be one of: a float, a dict"),
        (LOSS, [1.0, "a"], FatalTypeError, "to be one of: a float, a dict"),
        (LOSS, [], FatalTypeError, "to be one of: a float, a dict"),
        (LOSS, {"loss": 1.0}, FatalValueError, "hold the `objective`, val_loss. Got loss"),
        (LOSS, history(loss=[1.0]), FatalValueError, "hold the `objective`, val_loss. Got loss"),
        (create_objective([LOSS, ACC]), {"val_loss": 1.0}, FatalValueError, "hold the `objective`, multi_objective"),
        (create_objective(None), {"loss": 1.0}, FatalTypeError, "when `objective` is left unspecified"),
        (create_objective(None), history(loss=[1.0]), FatalTypeError, "when `objective` is left unspecified"),
    ],
)
def test_what_cannot_be_a_result_says_who_returned_it(
    objective: Objective, results: Any, error: type[Exception], message: str
) -> None:
    """And what it must be."""
    with pytest.raises(error, match=message) as raised:
        check_results(results, objective, "Tuner.run_trial()")
    assert "Tuner.run_trial()" in str(raised.value)
