"""Preparing data: learnt on the training part of each fold, asked again only where the answers differ."""

import pickle

import numpy as np
import pytest

from dialed.engine.data import Data
from dialed.errors import DataError, InvalidInputError
from dialed.space import HyperParameters

X = np.random.default_rng(0).normal(3.0, 2.0, size=(30, 4)).astype("float32")
Y = np.arange(30) % 3


def scaled(hp, x_train, x_valid):
    mean, deviation = x_train.mean(0), x_train.std(0)
    return tuple(None if x is None else (x - mean) / deviation for x in (x_train, x_valid))


class Counted:
    """Keeps the first columns, as many as `hp` says where it is asked, and counts how often it was called."""

    def __init__(self, *, asks=False):
        self.calls, self.asks = 0, asks

    def __call__(self, hp, x_train, x_valid):
        self.calls += 1
        columns = hp.Int("columns", 1, 4, default=2) if self.asks else 2
        return x_train[:, :columns], x_valid[:, :columns]


@pytest.mark.parametrize("options", [{"cv": 3}, {"validation_split": 0.3}, {"validation_data": (X[:9] * 5, Y[:9])}])
def test_the_training_part_alone_decides(options):
    data = Data.of(X, Y, prepare=scaled, **options)
    for index in data.folds:
        fold = data.fold(index)
        assert fold.x.mean(0) == pytest.approx(0.0, abs=1e-5)
        assert fold.x.std(0) == pytest.approx(1.0, abs=1e-5)
        assert abs(fold.validation[0].mean(0)).max() > 1e-3
        assert len(fold.validation[0]) == fold.validation_samples


def test_targets_and_weights_stay_with_their_inputs():
    weights = np.arange(30, dtype="float32")
    plain, prepared = (Data.of(X, Y, sample_weight=weights, cv=3, prepare=p) for p in (None, scaled))
    for part in ("y", "sample_weight", "samples", "validation_samples"):
        assert np.array_equal(getattr(plain.fold(1), part), getattr(prepared.fold(1), part))
    assert np.array_equal(plain.fold(1).validation[1], prepared.fold(1).validation[1])
    assert np.array_equal(plain.fold(1).validation[2], prepared.fold(1).validation[2])


def test_without_anything_to_judge_by_the_second_part_is_none():
    assert Data.of(X, Y, prepare=scaled).fold(0).validation is None


def test_a_function_that_asks_nothing_is_called_once_for_each_fold():
    prepare = Counted()
    data = Data.of(X, Y, cv=3, prepare=prepare)
    for units in (8, 16):
        for index in data.folds:
            assert data.fold(index, HyperParameters({"units": units})).x.shape[1] == 2
    assert prepare.calls == 3
    assert not data.preparation.asks


def test_a_function_that_asks_is_called_again_for_other_answers_and_each_hp_is_asked():
    prepare = Counted(asks=True)
    data = Data.of(X, Y, validation_split=0.3, prepare=prepare)
    hps = [HyperParameters({"columns": columns}) for columns in (3, 1, 3)] + [HyperParameters()]
    assert [data.fold(0, hp).x.shape[1] for hp in hps] == [3, 1, 3, 2]
    assert [hp.asked for hp in hps] == [{"columns": 3}, {"columns": 1}, {"columns": 3}, {"columns": 2}]
    assert prepare.calls == 3
    assert data.preparation.asks


def test_what_looks_at_the_values_themselves_is_called_each_time():
    prepare_calls = []

    def prepare(hp, x_train, x_valid):
        prepare_calls.append(hp.values.get("columns"))
        return x_train, x_valid

    data = Data.of(X, Y, validation_split=0.3, prepare=prepare)
    data.fold(0, HyperParameters({"columns": 1}))
    data.fold(0, HyperParameters({"columns": 1}))
    assert prepare_calls == [1, 1]


def test_what_it_draws_depends_on_no_trial():
    def prepare(hp, x_train, x_valid):
        return x_train + np.random.normal(size=x_train.shape), x_valid

    folds = []
    for seed in (1, 2):
        np.random.seed(seed)
        folds.append(Data.of(X, Y, validation_split=0.3, prepare=prepare).fold(0).x)
        drawn = np.random.normal()
        np.random.seed(seed)
        assert np.random.normal() == drawn  # the caller's generator is left alone
    assert np.array_equal(*folds)


def test_it_travels_to_another_process_without_what_it_made():
    data = Data.of(X, Y, cv=3, prepare=scaled)
    data.fold(0)
    there = pickle.loads(pickle.dumps(data))
    assert not there.preparation.met
    assert np.array_equal(there.fold(0).x, data.fold(0).x)


def test_missing_values_may_come_in_and_must_not_come_out():
    broken = X.copy()
    broken[3, 1] = np.nan
    Data.of(broken, Y, validation_split=0.3, prepare=lambda hp, *parts: tuple(map(np.nan_to_num, parts))).fold(0)
    with pytest.raises(DataError, match=r"`prepare: x` must hold finite numbers. Got 1 NaN"):
        Data.of(broken, Y, validation_split=0.3, prepare=lambda hp, *parts: parts).fold(0)


@pytest.mark.parametrize(
    ("prepare", "error", "message"),
    [
        (lambda hp, x, v: x, InvalidInputError, r"must return both parts.*Got ndarray.*End it with `return"),
        (lambda hp, x, v: (x, None), InvalidInputError, r"None for a part that it got as None. Got a tuple of 2"),
        (lambda hp, x, v: (x[1:], v), DataError, r"must hold the same number of samples. Got 20 in `prepare: x`"),
    ],
)
def test_a_broken_contract_is_told(prepare, error, message):
    with pytest.raises(error, match=message):
        Data.of(X, Y, validation_split=0.3, prepare=prepare).fold(0)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(InvalidInputError, match=r"`prepare` must be a function `prepare\(hp, x_train, x_valid\)`"):
        Data.of(X, Y, prepare="scale")
