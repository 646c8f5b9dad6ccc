"""Weights of samples and classes become one weight a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dialed.errors import DataError
from dialed.sklearn.inputs import weights_for

Y = np.array(["a", "a", "a", "b"])


def test_no_weights_stay_none() -> None:
    """Keras is told of none."""
    assert weights_for(Y, None, None) is None


def test_weights_of_classes_and_samples_are_multiplied() -> None:
    """By the labels as the user has them."""
    made = weights_for(Y, [1, 2, 3, 4], {"a": 1.0, "b": 0.5})
    assert made is not None
    assert made.tolist() == [1, 2, 3, 2]


def test_balanced_classes_weigh_alike() -> None:
    """The rare class counts more."""
    made = weights_for(Y, None, "balanced")
    assert made is not None
    assert made[:3].sum() == pytest.approx(made[3])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 2], r"one weight for each of the 4 samples. Got shape \(2,\)"),
        ([1, np.nan, 1, 1], "must hold finite numbers. Got NaN"),
        ([0, 0, 0, 0], "a weight that is not zero. Got zeros only"),
    ],
)
def test_weights_that_mean_nothing_are_refused(given: Any, message: str) -> None:
    """Each error says what must hold."""
    with pytest.raises(DataError, match=message):
        weights_for(Y, given, None)
