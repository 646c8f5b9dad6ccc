"""Batch sizes of real models, tried in processes of their own."""

import os

import keras
import numpy as np
import pytest
from keras import layers

from dialed import find_batch_size
from dialed.errors import InvalidInputError
from dialed.tools.batches import finding
from dialed.tools.batches.finding import BatchSizes
from dialed.tools.batches.ladder import Ladder, Rung

X = np.random.default_rng(0).normal(size=(256, 6)).astype("float32")
Y = (X[:, 0] > 0).astype("int32")
PARENT = os.getpid()


def build(hp):
    print("said while building")
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4, "relu"), layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


WHY = "throughput is near its best from 16 on, and the noise scale of 12 says that so much is not needed"


class Dying(keras.Sequential):
    """Ends its process in a step with more than 20 samples, as when memory runs out; never the test's own."""

    def train_step(self, *given):
        if given[-1][0].shape[0] > 20 and os.getpid() != PARENT:
            os._exit(137)
        return super().train_step(*given)


def build_that_dies(hp):
    model = Dying([keras.Input((6,)), layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    return model


@pytest.mark.slow
def test_a_small_model_fits_and_its_steps_are_timed():
    found = find_batch_size(build, X, Y, low=64, validation_split=0.25)
    sizes = [row["batch_size"] for row in found.table]
    assert sizes == [64, 96]
    assert found.largest == 96
    assert found.is_all
    assert found.fastest in sizes
    assert found.suggestion <= found.fastest
    assert all(row["samples_per_second"] > 0 for row in found.table)
    if keras.backend.backend() == "jax":
        megabytes = [row["megabytes"] for row in found.table]
        assert 0 < megabytes[0] < megabytes[-1] < 1, "the step's own, not the process's"
        assert "planned by what the compiled programs take" in found.way


@pytest.mark.slow
def test_a_size_that_ends_its_process_does_not_end_ours():
    found = find_batch_size(build_that_dies, X, Y, low=8, high=64, noise_scale=False)
    assert 16 <= found.largest <= 20
    assert not found.is_all
    assert [row["batch_size"] for row in found.table] == [8, 16]
    assert "does not tell what its programs take" in found.way


@pytest.mark.slow
def test_a_model_that_cannot_be_trained_says_why():
    def wrong(hp):
        model = build(hp)
        model.compile("adam", "categorical_crossentropy")
        return model

    with pytest.raises(InvalidInputError, match="`build` must make a model that can be trained on `x` and `y`. Got: "):
        find_batch_size(wrong, X, Y)


class Bench:
    def limit(self):
        return 2**31


@pytest.fixture
def found() -> BatchSizes:
    rungs = [
        Rung(size=8, step_seconds=1e-3, bytes=2**20),
        Rung(size=16, step_seconds=1.1e-3, bytes=2**21),
        Rung(size=32, step_seconds=2.15e-3, bytes=None),
    ]
    return finding._result(Ladder(rungs=rungs, largest=30, is_all=False, foretold=True), Bench(), 1000, 12.0, "")


def test_it_is_said_how_memory_was_found_out(found):
    assert found.way.startswith(
        "Memory of 2.0 GiB was planned by what the compiled programs take; the largest size was"
    )


def test_the_suggestion_is_as_fast_as_any_and_not_above_the_noise_scale(found):
    assert found.fastest == 16
    assert found.suggestion == 8
    assert found.range == (2, 8)


def test_a_result_reads_well(found, tmp_path):
    assert str(found).splitlines() == [
        f"Batch size: 8 ({WHY})",
        "Largest that fits: 30",
        found.way,
        "  batch size  s/epoch   samples/s   MB",
        "  8           0.125     8,000       1.0",
        "  16          0.0688    14,545      2.0",
        "  32          0.0672    14,884      ",
    ]
    assert "<table>" in found._repr_html_()
    found.plot().figure.savefig(tmp_path / "sizes.png")
    assert (tmp_path / "sizes.png").stat().st_size > 10_000


def test_where_nothing_fits_that_is_said():
    empty = finding._result(Ladder(rungs=(), largest=None, is_all=False, foretold=True), Bench(), 1000, None, "")
    assert str(empty).startswith("No batch size fits.")
    with pytest.raises(InvalidInputError, match="A plot needs a batch size that fits"):
        empty.plot()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"low": 0}, "`low` must be an int"),
        ({"low": 200}, "at least two batches"),
        ({"high": 4}, r"`high` must be an int in the range \[8"),
        ({"high": 500}, "`high` must leave at least one whole batch. Got 500 for 256 samples"),
        ({"noise_scale": -1.0}, "`noise_scale` must be True, False or samples"),
    ],
)
def test_what_cannot_be_tried_is_refused(arguments, why):
    with pytest.raises(InvalidInputError, match=why):
        find_batch_size(build, X, Y, **arguments)


def test_a_model_is_refused():
    with pytest.raises(InvalidInputError, match="`build` must be a function that builds a model"):
        find_batch_size(build(None), X, Y)


def test_a_dataset_is_refused():
    class Pairs(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return X[:32], Y[:32]

    with pytest.raises(InvalidInputError, match="`x` must be arrays: a dataset makes its own batches"):
        find_batch_size(build, Pairs())


def test_what_cannot_be_sent_is_refused():
    lock = __import__("threading").Lock()

    def build_with_lock(hp):
        return lock

    with pytest.raises(InvalidInputError, match="`build` must be such that another process can call it"):
        find_batch_size(build_with_lock, X, Y)
