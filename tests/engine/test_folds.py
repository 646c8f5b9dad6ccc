"""Cross-validation: folds are the same for the same seed, keep classes and groups, and never leak."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import model_selection

from dialed.engine.folds import class_codes, make_folds
from dialed.errors import DataError, InvalidInputError


@settings(deadline=None)
@given(samples=st.integers(2, 60), seed=st.integers(0, 5), data=st.data())
def test_an_int_tests_every_sample_in_exactly_one_fold(samples: int, seed: int, data: st.DataObject) -> None:
    cv = data.draw(st.integers(2, samples))
    y = np.array(data.draw(st.lists(st.integers(0, 3), min_size=samples, max_size=samples)))
    folds = make_folds(cv, samples=samples, y=y, seed=seed)
    assert len(folds) == cv
    assert sorted(np.concatenate([f.test for f in folds])) == list(range(samples))
    for fold in folds:
        assert sorted([*fold.train, *fold.test]) == list(range(samples))


def test_an_int_shuffles_by_the_seed_and_by_nothing_else() -> None:
    def tests(seed: int) -> list[list[int]]:
        return [f.test.tolist() for f in make_folds(3, samples=30, seed=seed)]

    assert tests(1) == tests(1)
    assert tests(1) != tests(2)
    assert tests(1)[0] != list(range(10))


@pytest.mark.parametrize("form", ["integers", "booleans", "column", "one-hot"])
def test_an_int_keeps_the_share_of_each_class(form: str) -> None:
    codes = np.repeat([0, 1], [30, 10])  # stored class by class
    y = {
        "integers": codes,
        "booleans": codes.astype(bool),
        "column": codes[:, None],
        "one-hot": np.eye(2, dtype="float32")[codes],
    }[form]
    for fold in make_folds(5, samples=40, y=y):
        assert np.bincount(codes[fold.test]).tolist() == [6, 2]


def test_a_class_rarer_than_the_folds_is_no_reason_to_warn() -> None:
    y = np.repeat([0, 1], [38, 2])
    shares = [int(y[f.test].sum()) for f in make_folds(5, samples=40, y=y)]
    assert sorted(shares) == [0, 0, 0, 1, 1]


def test_many_different_integers_are_a_quantity_and_not_classes() -> None:
    y = np.arange(20)
    assert len(make_folds(5, samples=20, y=y)) == 5


def test_classes_are_told_from_quantities_by_their_type_and_shape() -> None:
    assert class_codes(np.array([0.5, 1.0])) is None
    assert class_codes(np.zeros((4, 2), int)) is None
    assert class_codes(np.zeros((4, 2, 2), int)) is None
    assert class_codes([np.arange(2)]) is None
    codes = class_codes(np.array([7, -1, 7]))
    assert codes is not None and codes.tolist() == [1, 0, 1]


@pytest.mark.parametrize("y", [None, np.arange(24) % 2])
def test_groups_stay_whole(y: np.ndarray | None) -> None:
    groups = np.repeat(["a", "b", "c", "d", "e", "f"], 4)
    for fold in make_folds(3, samples=24, y=y, groups=groups):
        assert not set(groups[fold.train]) & set(groups[fold.test])


def test_a_splitter_gives_its_own_folds() -> None:
    y = np.arange(12) % 2
    splitter = model_selection.TimeSeriesSplit(3)
    expected = [(a.tolist(), b.tolist()) for a, b in splitter.split(np.zeros(12))]
    assert [(f.train.tolist(), f.test.tolist()) for f in make_folds(splitter, samples=12, y=y)] == expected


def test_a_splitter_that_knows_no_one_hot_classes_is_given_codes() -> None:
    y = np.eye(2)[np.arange(12) % 2]
    folds = make_folds(model_selection.StratifiedKFold(3), samples=12, y=y)
    assert all(y[f.test].sum(axis=0).tolist() == [2, 2] for f in folds)


def test_a_splitter_without_a_random_state_of_its_own_follows_the_seed() -> None:
    splitter = model_selection.ShuffleSplit(2, test_size=0.5)
    first, again, other = (make_folds(splitter, samples=40, seed=seed)[0].test.tolist() for seed in (3, 3, 4))
    assert first == again != other
    assert splitter.random_state is None
    own = model_selection.ShuffleSplit(2, test_size=0.5, random_state=1)
    assert (make_folds(own, samples=9, seed=3)[1].test == make_folds(own, samples=9, seed=4)[1].test).all()


def test_pairs_may_be_indices_or_masks_and_are_read_once() -> None:
    mask = np.array([True, True, False, False])
    folds = make_folds(iter([(mask, ~mask), ([2, 3], [0, 1])]), samples=4)
    assert [f.train.tolist() for f in folds] == [[0, 1], [2, 3]]


@pytest.mark.parametrize("cv", [1, 0, -3, 21])
def test_a_number_of_folds_outside_its_range_is_refused(cv: int) -> None:
    with pytest.raises(InvalidInputError, match=rf"`cv` must be an int in the range \[2, 20\].*Got {cv}"):
        make_folds(cv, samples=20)


@pytest.mark.parametrize("cv", [True, 2.5, "five", object()])
def test_a_cv_that_means_nothing_is_refused(cv: object) -> None:
    with pytest.raises(InvalidInputError, match=r"`cv` must be a number of folds, a scikit-learn splitter"):
        make_folds(cv, samples=20)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([([0, 1], [1, 2])], r"must not train on what it tests with. Got 1 samples in both parts of fold 0"),
        ([([0], [4])], r"indices in the range \[0, 3\]. Got 4 to 4 in the test part"),
        ([([-1], [1])], r"Got -1 to -1 in the train part of fold 0"),
        ([([], [1])], r"at least one index to each part"),
        ([([0.5], [1])], r"Got float64 of shape \(1,\) for the train part"),
        ([5], r"must give pairs of \(train, test\) indices of the data. Got \[5\], which says: cannot unpack"),
        ([], r"at least one fold. Got none from \[\]"),
        ([(1, 2, 3)], r"which says: too many values to unpack"),
    ],
)
def test_pairs_that_cannot_be_folds_are_refused(pairs: list[object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make_folds(pairs, samples=4)


def test_what_a_splitter_says_is_passed_on() -> None:
    with pytest.raises(DataError, match=r"Got LeaveOneGroupOut.*, which says: .*groups"):
        make_folds(model_selection.LeaveOneGroupOut(), samples=4)
    with pytest.raises(DataError, match=r"n_splits=3 greater than the number of groups: 2"):
        make_folds(3, samples=4, groups=[0, 0, 1, 1])


def test_groups_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match=r"`groups` must be one label for each of the 4 samples. Got shape \(3,\)"):
        make_folds(2, samples=4, groups=[0, 1, 2])


def test_a_class_that_a_fold_is_judged_by_and_never_trains_on_is_refused():
    from dialed.engine.labels import check_classes

    y = np.repeat([0, 1, 2], 4)
    pairs = [(np.arange(8), np.arange(8, 12)), (np.arange(4, 12), np.arange(4))]
    with pytest.raises(
        DataError, match=r"`cv` must leave samples of every class to train on. Got none of the class of sample 8"
    ):
        check_classes(make_folds(pairs, samples=12, y=y), y)
    check_classes(make_folds(4, samples=12, y=y), y)
    check_classes(make_folds(pairs, samples=12), None)


def test_a_class_of_one_sample_is_refused_with_its_count():
    from dialed.engine.labels import check_classes

    y = np.array([0, 1] * 10 + [2])
    with pytest.raises(DataError, match=r"the class of sample 20 \(it has 1 in all\).*join it with another"):
        check_classes(make_folds(3, samples=21, y=y), y)
