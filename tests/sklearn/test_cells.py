"""What each fold trains on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from dialed.errors import InvalidInputError
from dialed.sklearn import KerasClassifier
from dialed.sklearn.cells import Cells, assembled, last_of

X = np.arange(24.0, dtype=np.float32).reshape(12, 2)
Y = np.array(["a", "b", "c"] * 4)
SPLITS = [(np.arange(6), np.arange(6, 12)), (np.arange(6, 12), np.arange(6))]
WEIGHT = np.linspace(1.0, 2.0, 12)


def build() -> keras.Model:
    """Never called here."""
    raise AssertionError("cells prepare data")


def classifier(**parameters: Any) -> KerasClassifier:
    return KerasClassifier(build, **parameters)


def piped(**parameters: Any) -> Pipeline:
    return Pipeline([("scale", StandardScaler()), ("keras", classifier(**parameters))])


def test_folds_that_need_nothing_of_their_own_are_rows_of_the_whole() -> None:
    """Which is checked and encoded once."""
    cells = Cells(X, Y, SPLITS, WEIGHT)
    first, second = (cells.of(classifier(), {}, fold) for fold in (0, 1))
    assert first.prepared is second.prepared and first.key == second.key
    np.testing.assert_array_equal(first.prepared.x, X)
    np.testing.assert_allclose(first.prepared.weight, WEIGHT, rtol=1e-6)
    assert (first.train.tolist(), second.train.tolist()) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11])
    assert len(first.held_out) == 0 and list(first.steps) == []


def test_candidates_with_the_same_data_share_a_cell() -> None:
    """Class weights are data, epochs are not."""
    cells = Cells(X, Y, SPLITS)
    one = cells.of(classifier(epochs=1), {"epochs": 1}, 0)
    assert cells.of(classifier(epochs=2), {"epochs": 2}, 0) is one
    assert cells.of(classifier(class_weight={"a": 2.0, "b": 1.0, "c": 1.0}), {}, 0) is not one


def test_earlier_steps_are_fitted_on_the_fold_alone() -> None:
    """So nothing of the other part reaches the training."""
    cells = Cells(X, Y, SPLITS)
    cell = cells.of(piped(), {}, 1)
    np.testing.assert_allclose(cell.prepared.x.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(cell.steps[0][1].mean_, X[6:].mean(axis=0))
    assert cell.train.tolist() == [0, 1, 2, 3, 4, 5]


def test_other_parameters_of_earlier_steps_are_other_cells() -> None:
    """Those of the last step are not."""
    cells = Cells(X, Y, SPLITS)
    one = cells.of(piped(), {"scale__with_std": True, "keras__epochs": 1}, 0)
    assert cells.of(piped(), {"scale__with_std": True, "keras__epochs": 9}, 0) is one
    assert cells.of(piped(), {"scale__with_std": False}, 0) is not one


def test_a_fold_that_lacks_a_class_knows_fewer() -> None:
    """As an estimator that is fitted on it alone."""
    cell = Cells(X, np.array(["a", "b"] * 5 + ["c", "c"]), SPLITS).of(classifier(), {}, 0)
    assert cell.estimator.classes_.tolist() == ["a", "b"]
    assert len(cell.prepared.x) == 6


def test_balanced_weights_are_those_of_the_fold() -> None:
    """They are worked out from the labels that are trained on."""
    labels = np.array(["a"] * 5 + ["b"] * 7)
    cell = Cells(X, labels, SPLITS).of(classifier(class_weight="balanced"), {}, 0)
    assert cell.prepared.weight is not None
    np.testing.assert_allclose(sorted(set(cell.prepared.weight.tolist())), [0.6, 3.0], rtol=1e-6)


def test_a_validation_split_is_held_out_from_the_end() -> None:
    """As Keras does it."""
    cell = Cells(X, Y, SPLITS).of(classifier(validation_split=0.5), {}, 1)
    assert (cell.train.tolist(), cell.held_out.tolist()) == ([6, 7, 8], [9, 10, 11])
    with pytest.raises(InvalidInputError, match="`validation_split` must leave samples to train on. Got 0.99 of 6"):
        Cells(X, Y, SPLITS).of(classifier(validation_split=0.99), {}, 0)


def test_cells_that_are_judged_hold_out_the_other_part_of_the_split() -> None:
    """Whole, or transformed as the fold's own earlier steps say."""
    cell = Cells(X, Y, SPLITS, judged=True).of(classifier(), {}, 0)
    assert (cell.train.tolist(), cell.held_out.tolist()) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11])
    own = Cells(X, Y, SPLITS, WEIGHT, judged=True).of(piped(), {}, 0)
    assert own.prepared.x.shape == (12, 2) and own.held_out.tolist() == [6, 7, 8, 9, 10, 11]
    np.testing.assert_allclose(own.prepared.x[:6].mean(axis=0), 0.0, atol=1e-6)
    assert own.prepared.x[6:].min() > own.prepared.x[:6].max()
    np.testing.assert_allclose(own.prepared.weight, WEIGHT, rtol=1e-6)


def test_a_pipeline_is_put_together_with_its_fitted_steps() -> None:
    """An estimator alone stays as it is."""
    pipeline, scaler = piped(), StandardScaler().fit(X)
    assert assembled(pipeline, [("scale", scaler)]).steps[0][1] is scaler
    assert last_of(pipeline).epochs == last_of(classifier()).epochs
    alone = classifier()
    assert assembled(alone, ()) is alone and last_of(alone) is alone
