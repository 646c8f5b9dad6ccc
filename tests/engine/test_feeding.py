"""The order of samples: complete passes, from one generator, that can be taken up in the middle."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.engine.data import Data
from dialed.engine.feeding import Order, feed
from dialed.engine.packing import Arrays
from dialed.engine.seeding import capture_random, reseed, restore_random, seeded

BACKEND = keras.backend.backend()
shuffles = st.sampled_from([True, False, "batch"])


def epochs(order: Order, count: int) -> list[list[list[int]]]:
    """The batches of the next epochs."""
    found = []
    for _ in range(count):
        order.begin_epoch()
        found.append([batch.tolist() for batch in order.batches])
    return found


@given(st.integers(1, 30), st.integers(1, 12), shuffles)
def test_an_epoch_is_one_pass(samples: int, size: int, shuffle: Any) -> None:
    with seeded(1):
        (batches,) = epochs(Order(samples, size, shuffle=shuffle), 1)
    assert sorted(index for batch in batches for index in batch) == list(range(samples))
    assert all(len(batch) == size for batch in batches[:-1]) and 0 < len(batches[-1]) <= size


@given(st.integers(1, 20), st.integers(1, 8), st.integers(1, 9), shuffles)
def test_epochs_of_so_many_steps_are_an_endless_row_of_passes(
    samples: int, size: int, steps: int, shuffle: Any
) -> None:
    with seeded(1):
        found = epochs(Order(samples, size, shuffle=shuffle, steps=steps), 6)
        reseed(1)
        passes = epochs(Order(samples, size, shuffle=shuffle), 6 * steps)
    assert all(len(batches) == steps for batches in found)
    row = [batch for batches in found for batch in batches]
    assert row == [batch for batches in passes for batch in batches][: len(row)]


@given(st.integers(1, 20), st.integers(1, 8), st.none() | st.integers(1, 9), shuffles, st.integers(0, 4))
def test_an_order_is_taken_up_where_it_was(
    samples: int, size: int, steps: int | None, shuffle: Any, before: int
) -> None:
    with seeded(1):
        order = Order(samples, size, shuffle=shuffle, steps=steps)
        epochs(order, before)
        arrays: Arrays = {}
        packed, state = json.loads(json.dumps([order.to_json(arrays), capture_random(arrays)]))
        expected = epochs(order, 3)
        reseed(2)
        again = Order(samples, size, shuffle=shuffle, steps=steps)
        again.take_up(packed, arrays)
        restore_random(state, arrays)
        assert epochs(again, 3) == expected


def test_the_permutation_is_the_one_that_keras_draws() -> None:
    with seeded(5):
        (batches,) = epochs(Order(10, 10, shuffle=True), 1)
        reseed(5)
        assert batches[0] == np.random.permutation(10).tolist()


def fold(**more: Any) -> Any:
    return Data.of(np.arange(20.0).reshape(10, 2), np.arange(10), **more).fold(0)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow hides the state of its shuffling")
def test_arrays_go_to_fit_as_they_are() -> None:
    given_fold = fold()
    fed = feed(given_fold, {"batch_size": 3, "callbacks": None})
    assert fed.x is given_fold.x and fed.y is given_fold.y and fed.order is None
    assert fed.arguments == {"batch_size": 3}


def test_a_fit_of_the_users_own_gets_arrays_on_every_backend() -> None:
    given_fold = fold(sample_weight=np.ones(10))
    fed = feed(given_fold, {"steps_per_epoch": 2}, own_fit=True)
    assert fed.x is given_fold.x and fed.order is None
    assert fed.arguments["sample_weight"] is given_fold.sample_weight and fed.arguments["steps_per_epoch"] == 2


def batches_of(fed: Any) -> list[tuple[Any, ...]]:
    """What `fit` would see in one epoch."""
    fed.order.begin_epoch()
    count = fed.order.batches_per_epoch
    read = [fed.x[i] for i in range(count)] if isinstance(fed.x, keras.utils.PyDataset) else list(fed.x)
    return [tuple(np.asarray(part) for part in batch) for batch in read]


def test_batches_hold_the_samples_of_the_order() -> None:
    """x, y and weights are cut alike, each sample once, on the path with steps; TensorFlow has one more path."""
    weights = np.arange(10) / 10
    for arguments in ({"batch_size": 4, "steps_per_epoch": 3}, {"batch_size": 4}):
        fed = feed(fold(sample_weight=weights), arguments)
        if fed.order is None:
            continue  # no steps, and not TensorFlow
        batches = batches_of(fed)
        assert [len(batch[0]) for batch in batches] == [4, 4, 2]
        rows = np.concatenate(fed.order.batches)
        for part, whole in enumerate((np.arange(20.0).reshape(10, 2), np.arange(10), weights)):
            assert np.array_equal(np.concatenate([batch[part] for batch in batches]), whole[rows])
        assert fed.arguments["shuffle"] is False and "sample_weight" not in fed.arguments
