"""Probabilities, margins and choices follow from a model's outputs and its loss."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from dialed.sklearn.outputs import chosen, margins, means_margins, probabilities
from dialed.sklearn.targets import Target

TWO = Target.of_classes(np.array([0, 1]))
THREE = Target.of_classes(np.array([0, 1, 2]))


def trained_for(loss: Any) -> Any:
    """What is asked of a model here: its loss."""
    return SimpleNamespace(loss=loss)


def test_one_column_is_the_probability_of_the_second_class() -> None:
    """Rows sum to 1."""
    outputs = np.array([[0.2], [0.7]])
    np.testing.assert_allclose(probabilities(outputs, trained_for("mse"), TWO), [[0.8, 0.2], [0.3, 0.7]])
    assert chosen(outputs, trained_for("mse"), TWO).tolist() == [0, 1]


def test_logits_become_probabilities() -> None:
    """A loss from logits means a softmax, or a sigmoid for one column."""
    several = trained_for(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    np.testing.assert_allclose(probabilities(np.log([[1.0, 2.0, 5.0]]), several, THREE), [[0.125, 0.25, 0.625]])
    one = trained_for(keras.losses.BinaryCrossentropy(from_logits=True))
    np.testing.assert_allclose(probabilities(np.array([[0.0]]), one, TWO), [[0.5, 0.5]])
    assert chosen(np.array([[-0.1], [0.1]]), one, TWO).tolist() == [0, 1]


def test_margins_are_those_of_the_second_class() -> None:
    """One number a sample for two classes, however many columns there are."""
    assert margins(np.array([[0.5, 2.0]]), TWO).tolist() == [1.5]
    assert margins(np.array([[-3.0]]), TWO).tolist() == [-3.0]
    assert margins(np.ones((1, 3)), THREE).shape == (1, 3)


@pytest.mark.parametrize("loss", ["hinge", keras.losses.SquaredHinge(), ["categorical_hinge"]])
def test_hinge_losses_mean_margins(loss: Any) -> None:
    """By name, object or list."""
    assert means_margins(trained_for(loss), hinge_only=True)


def test_rows_of_labels_are_chosen_one_by_one() -> None:
    """Several labels may be above a half; one-hot rows have one."""
    several = Target.of_classes(np.array([[1, 1, 0], [0, 0, 1]]))
    outputs = np.array([[0.6, 0.9, 0.1]])
    assert chosen(outputs, trained_for("binary_crossentropy"), several).tolist() == [[1, 1, 0]]
    assert chosen(outputs, trained_for("mse"), Target.of_classes(np.eye(3, dtype=int))).tolist() == [[0, 1, 0]]


def test_each_output_has_its_own() -> None:
    """A list of outputs gives a list of probabilities, and a column of codes for each."""
    outputs = [np.array([[0.1, 0.9]]), np.array([[0.2]])]
    target = Target.of_classes(np.array([["a", "x"], ["b", "y"], ["c", "x"]]))
    assert [p.shape for p in probabilities(outputs, trained_for("mse"), target)] == [(1, 2), (1, 2)]
    assert chosen(outputs, trained_for("mse"), target).tolist() == [[1, 0]]
