"""Targets reach a model as its loss wants them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dialed.errors import DataError
from dialed.sklearn.targets import Target, form_of


def model(loss: Any, width: int = 3, outputs: int = 1) -> keras.Model:
    """A compiled model with outputs of `width` columns."""
    inputs = keras.Input((2,))
    made = [keras.layers.Dense(width)(inputs) for _ in range(outputs)]
    built = keras.Model(inputs, made if outputs > 1 else made[0])
    built.compile("sgd", loss)
    return built


def test_labels_of_any_kind_become_codes() -> None:
    """Strings are encoded in sorted order, and come back."""
    y = np.array(["b", "a", "c", "a"])
    target = Target.of_classes(y)
    codes = target.encoded(y)
    assert codes.tolist() == [1, 0, 2, 0]
    assert target.labels(codes).tolist() == y.tolist()


def test_one_class_is_refused() -> None:
    """There is nothing to tell apart."""
    with pytest.raises(DataError, match=r"`y` must hold at least two classes. Got 1 class: \[3\]"):
        Target.of_classes(np.array([3, 3]))


def test_an_unknown_label_is_refused() -> None:
    """A model has no output for it."""
    with pytest.raises(DataError, match=r"`y` must hold classes that are known: \[1, 2\]. Got np.int64\(3\)"):
        Target.of_classes(np.array([1, 2])).encoded(np.array([1, 3]))


def test_rows_with_one_1_are_classes() -> None:
    """One-hot rows are told from rows with several labels."""
    assert Target.of_classes(np.eye(3, dtype=int)).kind == "onehot"
    assert Target.of_classes(np.array([[1, 1, 0], [0, 0, 1]])).kind == "multilabel"


def test_columns_of_labels_are_encoded_one_by_one() -> None:
    """Each output has classes of its own."""
    y = np.array([["a", "x"], ["b", "y"], ["c", "x"]])
    target = Target.of_classes(y)
    assert [known.tolist() for known in target.classes] == [["a", "b", "c"], ["x", "y"]]
    assert target.labels(target.encoded(y)).tolist() == y.tolist()


def test_a_column_of_numbers_is_one_axis() -> None:
    """(samples, 1) means the same as (samples,)."""
    assert Target.of_numbers(np.ones((4, 1))).encoded(np.ones((4, 1))).shape == (4,)
    assert Target.of_numbers(np.ones((4, 2))).columns == 2


@pytest.mark.parametrize(
    ("loss", "form"),
    [
        ("sparse_categorical_crossentropy", "plain"),
        ("categorical_crossentropy", "onehot"),
        (keras.losses.CategoricalCrossentropy(), "onehot"),
        ("mse", "onehot"),
        (lambda y_true, y_pred: y_pred, "plain"),
    ],
)
def test_the_loss_says_how_classes_are_wanted(loss: Any, form: str) -> None:
    """Only Keras's own losses of one column a class get columns."""
    target = Target.of_classes(np.array([0, 1, 2]))
    assert form_of(target, model(loss)) == form


def test_one_output_column_wants_codes() -> None:
    """Two classes fit one column."""
    assert form_of(Target.of_classes(np.array([0, 1])), model("binary_crossentropy", width=1)) == "plain"


def test_several_outputs_want_columns() -> None:
    """Each output gets the codes of its own target."""
    target = Target.of_classes(np.array([["a", "x"], ["b", "y"], ["c", "x"]]))
    assert form_of(target, model("sparse_categorical_crossentropy", outputs=2)) == "columns"
    assert [c.tolist() for c in target.for_model(np.array([[0, 1], [2, 0]]), "columns")] == [[0, 2], [1, 0]]


def test_targets_are_compared_by_kind_and_classes() -> None:
    """Models for other labels are other models."""
    target = Target.of_classes(np.array([0, 1]))
    assert target.like(Target.of_classes(np.array([1, 0, 1])))
    assert not target.like(Target.of_classes(np.array([0, 2])))
