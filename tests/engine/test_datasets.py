"""Datasets that make their own batches: known without being read, refused where they cannot serve every trial."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import keras
import numpy as np
import pytest

from dialed.engine.data import Data
from dialed.engine.datasets import Stream, is_stream, kind_of
from dialed.engine.fingerprint import differences, fingerprint
from dialed.errors import DataError, InvalidInputError


class Batches(keras.utils.PyDataset):
    """`count` batches of 4 samples."""

    def __init__(self, count: int | None = 3, parts: int = 2) -> None:
        super().__init__()
        self.count = count
        self.parts = parts

    @property
    def num_batches(self) -> int | None:
        return self.count

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return (np.zeros((4, 2), "float32"), np.zeros(4, "int64"), np.ones(4), np.ones(4))[: self.parts]


def test_a_py_dataset_is_known_by_its_class() -> None:
    made = Stream.of(Batches(), "x")
    assert (made.kind, made.batches, made.samples) == ("keras.PyDataset", 3, None)
    assert made.element == ("x (2,) float32", "y () int64")
    assert made.describe() == "a PyDataset of 3 batches"
    assert not is_stream(np.zeros(2)) and kind_of([np.zeros(2)]) == "arrays"


def test_a_stream_is_handed_to_fit_as_it_is() -> None:
    source, held_out = Batches(), Batches(1)
    data = Data.of(source, validation_data=held_out)
    fold = data.fold(0)
    assert fold.x is source and fold.y is None and fold.validation is held_out
    assert data.kind == "keras.PyDataset" and data.has_validation and data.folds == (0,)
    assert data.bytes is None and data.label_range() is None and fold.samples is None
    assert data.describe() == "a PyDataset of 3 batches; validated on a PyDataset of 1 batches"
    assert data.fold(0) is fold


def test_arrays_and_streams_may_judge_each_other() -> None:
    x, y = np.zeros((5, 2), "float32"), np.arange(5)
    assert Data.of(Batches(), validation_data=(x, y)).fold(0).validation_samples == 5
    assert Data.of(x, y, validation_data=Batches()).fold(0).validation_samples is None


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_what_a_stream_brings_itself_is_refused_beside_it(name: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"`{name}` must come from the dataset itself where `x` is one"):
        Data.of(Batches(), **{name: np.zeros(12)})


@pytest.mark.parametrize(("name", "value"), [("cv", 3), ("validation_split", 0.2)])
def test_a_stream_cannot_be_cut(name: str, value: float) -> None:
    with pytest.raises(
        InvalidInputError, match=rf"`{name}` must have arrays to cut. Got a dataset \(keras.PyDataset\)"
    ):
        Data.of(Batches(), **{name: value})


def test_a_stream_without_end_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"`x` must come to an end.*PyDataset without a number of batches.*`num_batches`"
    ):
        Data.of(Batches(None))


def test_an_empty_stream_is_refused() -> None:
    with pytest.raises(DataError, match=r"`validation_data` must hold at least one batch. Got an empty PyDataset"):
        Data.of(np.zeros((2, 2)), validation_data=Batches(0))


def test_a_batch_of_four_parts_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"must give \(x, y\) or \(x, y, sample_weight\).*Got 4 parts from the PyDataset"
    ):
        Data.of(Batches(parts=4))


def generate() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield np.zeros((4, 2)), np.zeros(4)


@pytest.mark.parametrize("source", [generate(), iter([1]), zip([1], [2], strict=True)])
def test_what_can_be_read_once_is_refused_with_what_to_use_instead(source: object) -> None:
    with pytest.raises(DataError, match=r"`x` must be readable once for each epoch.*or pass a `keras.utils.PyDataset`"):
        Data.of(source)


def test_a_function_is_refused_with_what_to_use_instead() -> None:
    with pytest.raises(DataError, match=r"`x` must be data. Got the function 'generate'. Pass what it returns"):
        Data.of(generate)


def test_fingerprints_of_streams_tell_their_size() -> None:
    old = fingerprint(Data.of(Batches()))
    assert differences(old, fingerprint(Data.of(Batches()))) == []
    assert differences(old, fingerprint(Data.of(Batches(5)))) == [
        "The number of batches of the training data was 3 and is 5 now."
    ]
    assert differences(old, fingerprint(Data.of(np.zeros((2, 2))))) == [
        "The kind of the training data was keras.PyDataset and is arrays now."
    ]


def run(code: str, backend: str) -> None:
    """Run `code` in a process of its own, on its own backend."""
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    refused = (
        "import numpy as np\n"
        "from dialed.engine.data import Data\n"
        "from dialed.errors import DataError\n"
        "def refused(source, message):\n"
        "    try: Data.of(source)\n"
        "    except DataError as error: assert message in str(error), error\n"
        "    else: raise AssertionError(message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", refused + code], env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
def test_a_torch_loader_is_known_without_being_read() -> None:
    run(
        "import torch, keras\n"
        "from torch.utils.data import DataLoader, IterableDataset, TensorDataset\n"
        "pairs = TensorDataset(torch.zeros(10, 2), torch.zeros(10, dtype=torch.int64))\n"
        "before = torch.random.get_rng_state()\n"
        "data = Data.of(DataLoader(pairs, batch_size=4, shuffle=True), validation_data=DataLoader(pairs, batch_size=4))\n"
        "assert torch.equal(before, torch.random.get_rng_state())\n"
        "assert data.kind == 'torch' and data.describe().startswith('a torch DataLoader of 10 samples in 3 batches')\n"
        "assert data.fold(0).samples == 10 and data.has_validation\n"
        "assert Data.of(DataLoader(pairs, batch_size=4, drop_last=True)).fold(0).samples == 8\n"
        "class Endless(IterableDataset):\n"
        "    def __iter__(self): return iter(pairs)\n"
        "assert Data.of(DataLoader(Endless())).fold(0).samples is None\n"
        "refused(pairs, 'Wrap it: `torch.utils.data.DataLoader')\n"
        "refused(DataLoader(pairs, batch_size=20, drop_last=True), 'must hold at least one batch')\n"
        "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])\n"
        "model.compile('sgd', keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n"
        "fold = data.fold(0)\n"
        "logs = model.fit(fold.x, validation_data=fold.validation, epochs=1, verbose=0).history\n"
        "assert set(logs) == {'loss', 'val_loss'}\n",
        "torch",
    )


@pytest.mark.slow
@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_a_tensorflow_dataset_is_known_without_being_read() -> None:
    run(
        "import tensorflow as tf, keras\n"
        "from dialed.engine.fingerprint import differences, fingerprint\n"
        "single = tf.data.Dataset.from_tensor_slices((np.zeros((10, 2), 'float32'), np.zeros(10, 'int64')))\n"
        "data = Data.of(single.batch(4), validation_data=single.batch(5))\n"
        "assert data.kind == 'tf.data' and data.training.batches == 3\n"
        "assert data.training.element == ('x (2,) float32', 'y () int64'), data.training.element\n"
        "assert data.describe() == 'a tf.data.Dataset of 3 batches; validated on a tf.data.Dataset of 2 batches'\n"
        "assert Data.of(single.batch(4).filter(lambda x, y: True)).training.batches is None\n"
        "said = differences(fingerprint(data), fingerprint(Data.of(single.batch(2), validation_data=single.batch(5))))\n"
        "assert said == ['The number of batches of the training data was 3 and is 5 now.'], said\n"
        "refused(single, 'has no axes: single samples. Call `.batch(32)`')\n"
        "refused(single.batch(4).repeat(), 'Remove `.repeat()`')\n"
        "refused(single.batch(20, drop_remainder=True), 'must hold at least one batch')\n"
        "refused(iter(single.batch(4)), 'must be readable once for each epoch')\n"
        "model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])\n"
        "model.compile('sgd', keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n"
        "fold = data.fold(0)\n"
        "logs = model.fit(fold.x, validation_data=fold.validation, epochs=1, verbose=0).history\n"
        "assert set(logs) == {'loss', 'val_loss'}\n",
        "tensorflow",
    )
