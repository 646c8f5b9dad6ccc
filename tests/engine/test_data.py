"""The data of one search: what is refused before any training, and what each fold trains on."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.src.trainers.data_adapters.array_slicing import train_validation_split

from dialed.engine.data import Data
from dialed.engine.folds import Fold
from dialed.engine.samples import Samples
from dialed.errors import DataError, InvalidInputError


def arrays(samples: int = 20, *, features: int = 3) -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(samples * features, dtype=np.float32).reshape(samples, features)
    return x, np.arange(samples) % 2


def test_plain_arrays_are_one_fold_without_validation_and_without_a_copy() -> None:
    x, y = arrays()
    data = Data.of(x, y)
    fold = data.fold(0)
    assert data.folds == (0,) and data.kind == "arrays" and not data.has_validation
    assert fold.x is x and fold.y is y and fold.sample_weight is None and fold.validation is None
    assert (fold.samples, fold.validation_samples) == (20, None)
    assert data.bytes == x.nbytes + y.nbytes


def test_validation_data_is_handed_on_with_its_weights() -> None:
    x, y = arrays()
    data = Data.of(x, y, validation_data=(x[:5], y[:5], np.ones(5)))
    fold = data.fold(0)
    assert data.has_validation and fold.validation_samples == 5
    assert [part.shape for part in fold.validation] == [(5, 3), (5,), (5,)]


@pytest.mark.parametrize("given_as", [list, tuple])
def test_validation_data_may_be_a_list_or_a_tuple(given_as: type) -> None:
    x, y = arrays()
    assert Data.of(x, y, validation_data=given_as((x, y))).fold(0).validation_samples == 20


@settings(deadline=None)
@given(samples=st.integers(2, 300), share=st.floats(0.001, 0.999))
def test_validation_split_cuts_where_keras_cuts(samples: int, share: float) -> None:
    x = np.arange(samples, dtype=np.float32)
    try:
        ours = Data.of(x, validation_split=share).fold(0)
    except DataError:
        with pytest.raises(ValueError, match="not sufficient to split"):
            train_validation_split((x,), validation_split=share)
        return
    (train,), (held_out,) = train_validation_split((x,), validation_split=share)
    np.testing.assert_array_equal(ours.x, train)
    np.testing.assert_array_equal(ours.validation[0], held_out)


def test_validation_split_holds_out_the_end_with_its_weights_and_shares_memory() -> None:
    x, y = arrays(10)
    fold = Data.of(x, y, sample_weight=np.arange(10.0), validation_split=0.2).fold(0)
    held_x, held_y, held_weight = fold.validation
    np.testing.assert_array_equal(held_x, x[8:])
    np.testing.assert_array_equal(held_y, y[8:])
    np.testing.assert_array_equal(held_weight, [8.0, 9.0])
    assert np.shares_memory(held_x, x) and np.shares_memory(fold.x, x)
    assert (fold.samples, fold.validation_samples) == (8, 2)


def test_several_inputs_and_outputs_keep_their_structure_in_every_part() -> None:
    x, y = arrays(10)
    data = Data.of({"a": x, "b": [x[:, :1], x[:, 1:]]}, (y, y * 2), cv=2)
    fold = data.fold(1)
    assert list(fold.x) == ["a", "b"] and isinstance(fold.x["b"], list) and isinstance(fold.y, tuple)
    np.testing.assert_array_equal(fold.x["a"][:, :1], fold.x["b"][0])
    np.testing.assert_array_equal(fold.y[1], fold.y[0] * 2)


def test_classes_of_a_single_named_output_are_kept_in_each_fold() -> None:
    x, _ = arrays(10)
    data = Data.of(x, {"digit": np.repeat([0, 1], 5)}, cv=5)
    assert all(sorted(data.fold(i).validation[1]["digit"]) == [0, 1] for i in data.folds)


def test_folds_together_test_every_sample_once_and_never_on_what_they_train() -> None:
    x, y = arrays(21)
    data = Data.of(x, y, sample_weight=np.ones(21), cv=4)
    tested = np.concatenate([data.fold(i).validation[0] for i in data.folds])
    np.testing.assert_array_equal(np.sort(tested, axis=0), x)
    for i in data.folds:
        fold = data.fold(i)
        assert fold.samples is not None and fold.validation_samples is not None
        assert fold.samples + fold.validation_samples == 21
        assert not set(fold.x[:, 0]) & set(fold.validation[0][:, 0])
    assert data.has_validation and data.folds == (0, 1, 2, 3)


def test_only_the_last_fold_is_kept_in_memory() -> None:
    data = Data.of(*arrays(), cv=3)
    first = data.fold(0)
    assert data.fold(0) is first
    data.fold(1)
    assert data.fold(0) is not first
    np.testing.assert_array_equal(data.fold(0).x, first.x)


def test_a_fold_that_is_not_there_is_refused() -> None:
    with pytest.raises(IndexError, match=r"one of \(0, 1\). Got 2"):
        Data.of(*arrays(), cv=2).fold(2)


def test_the_range_of_labels_counts_validation_too() -> None:
    x, y = arrays(10)
    data = Data.of(x, y, validation_data=(x, y + 5))
    assert data.label_range() == (0.0, 6.0, True)
    assert Data.of(x, y / 2).label_range() == (0.0, 0.5, False)
    assert Data.of(x, y.astype("float32")).label_range() == (0.0, 1.0, True)
    assert Data.of(x).label_range() is None


def test_the_range_of_labels_is_asked_by_output_where_there_are_several() -> None:
    x, y = arrays(10)
    data = Data.of(x, {"digit": y, "age": y + 40})
    assert data.label_range() is None and data.label_range("nothing") is None
    assert data.label_range("age") == (40.0, 41.0, True)
    assert Data.of(x, [y, y - 1]).label_range(1) == (-1.0, 0.0, True)
    assert Data.of(x, [y, y - 1]).label_range(2) is None


def test_a_description_says_how_much_of_what_and_what_is_held_out() -> None:
    x, y = arrays()
    assert Data.of(x, y).describe() == "20 samples of x (3,) float32, y () int64; no validation data"
    assert Data.of(x, y, validation_split=0.25).describe().endswith("; the last 5 held out for validation")
    assert Data.of(x, y, cv=4).describe().endswith("; cross-validated in 4 folds")
    assert Data.of(x, y, validation_data=(x, y)).describe().endswith("; validated on 20 others")


def test_arrays_of_different_length_are_refused() -> None:
    x, y = arrays()
    with pytest.raises(DataError, match=r"`x` and `y` must hold the same number of samples. Got 20 in `x`, 19 in `y`"):
        Data.of(x, y[1:])
    with pytest.raises(DataError, match=r"Got 20 in `x`, 20 in `y`, 3 in `sample_weight`"):
        Data.of(x, y, sample_weight=np.ones(3))
    with pytest.raises(DataError, match=r"20 in `x\['a'\]`, 5 in `x\['b'\]`"):
        Data.of({"a": x, "b": x[:5]}, None)
    with pytest.raises(DataError, match=r"20 in `validation_data: x`, 19 in `validation_data: y`"):
        Data.of(x, y, validation_data=(x, y[1:]))


def test_empty_data_are_refused() -> None:
    with pytest.raises(DataError, match=r"must not be empty. Got `x` of shape \(0, 3\)"):
        Data.of(np.zeros((0, 3)), np.zeros(0))
    with pytest.raises(DataError, match=r"Got `x` of shape \(4, 0\)"):
        Data.of(np.zeros((4, 0)), np.zeros(4))
    with pytest.raises(DataError, match=r"`x` must be the inputs to train on. Got None"):
        Data.of(None)


@pytest.mark.parametrize("share", [1.0, -0.1, 1.5, True, "half", float("nan")])
def test_a_validation_split_outside_its_range_is_refused(share: object) -> None:
    with pytest.raises(InvalidInputError, match=r"`validation_split` must be a float in the range \(0, 1\).*Got"):
        Data.of(*arrays(), validation_split=share)


@pytest.mark.parametrize("nothing", [0.0, 0, None])
def test_no_validation_split_holds_nothing_out(nothing: float | None) -> None:
    assert not Data.of(*arrays(), validation_split=nothing).has_validation


def test_a_validation_split_that_leaves_a_side_empty_is_refused() -> None:
    with pytest.raises(DataError, match=r"samples on both sides. Got 0.9 of 2 samples, which leaves none for training"):
        Data.of(*arrays(2), validation_split=0.9)


@pytest.mark.parametrize(
    ("given_names", "shown"),
    [
        (("cv", "validation_data"), "`cv` and `validation_data`"),
        (("cv", "validation_split"), "`cv` and `validation_split`"),
        (("validation_data", "validation_split"), "`validation_data` and `validation_split`"),
    ],
)
def test_two_ways_to_judge_a_trial_are_refused(given_names: tuple[str, ...], shown: str) -> None:
    x, y = arrays()
    every = {"cv": 2, "validation_data": (x, y), "validation_split": 0.2}
    with pytest.raises(InvalidInputError, match=rf"At most one of .* Got {shown}. Keep one"):
        Data.of(x, y, **{name: every[name] for name in given_names})


def test_groups_without_cv_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"`groups` must come with `cv`.*Pass `cv=5`"):
        Data.of(*arrays(), groups=np.arange(20))


@pytest.mark.parametrize(
    ("validation_data", "got"),
    [
        (np.zeros((5, 3)), r"ndarray of shape \(5, 3\)"),
        ((1, 2, 3, 4), "a tuple of 4"),
        ((), "a tuple of 0"),
        (7, "int"),
    ],
)
def test_validation_data_of_another_form_are_refused(validation_data: object, got: str) -> None:
    with pytest.raises(DataError, match=rf"`validation_data` must be \(x, y\).* Got {got}"):
        Data.of(*arrays(), validation_data=validation_data)


def test_validation_data_unlike_the_training_data_are_refused() -> None:
    x, y = arrays()
    with pytest.raises(DataError, match=r"the structure of the training data. Got x for validation and x, y for train"):
        Data.of(x, y, validation_data=(x,))
    with pytest.raises(DataError, match=r"Got 1 axes for validation and 2 for training in `x`"):
        Data.of(x, y, validation_data=(x[:, 0], y))


def test_keras_trains_on_a_fold_as_it_is() -> None:
    x, y = arrays(12)
    fold = Data.of({"a": x}, y, sample_weight=np.ones(12), cv=3).fold(2)
    inputs = keras.Input((3,), name="a")
    model = keras.Model({"a": inputs}, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    history = model.fit(
        fold.x, fold.y, sample_weight=fold.sample_weight, validation_data=fold.validation, epochs=1, verbose=0
    )
    assert set(history.history) == {"loss", "val_loss"}


def test_a_fold_may_be_judged_elsewhere() -> None:
    """A fold without test samples has no validation, and trains on its rows."""
    nobody = np.array([], np.int32)
    samples = Samples.of(np.arange(6.0).reshape(6, 1), np.arange(6), None)
    data = Data(training=samples, cross_validation=(Fold(train=np.array([1, 3]), test=nobody),))
    assert not data.has_validation
    assert data.fold(0).validation is None
    assert data.fold(0).y.tolist() == [1, 3]
