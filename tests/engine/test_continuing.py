"""A member that is stopped and continued ends in the very state of one that was not, to the last bit."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dialed.engine.data import Data

pytestmark = pytest.mark.slow  # each test compiles programs

BACKEND = keras.backend.backend()


def network(
    optimizer: Callable[[], Any] = lambda: keras.optimizers.Adam(0.01), **compiled: Any
) -> Callable[[Any], Any]:
    """Dropout, noise and running means, built by the first batch: every kind of state."""

    def build(hp: Any) -> keras.Model:
        layers = [
            keras.layers.Dense(5, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.BatchNormalization(),
            keras.layers.GaussianNoise(0.1),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
        model = keras.Sequential(layers)
        model.compile(optimizer(), "binary_crossentropy", metrics=["accuracy"], **compiled)
        return model

    return build


def assert_continues_exactly(bench: Any, build: Any, **options: Any) -> None:
    """Two epochs and then three more are five epochs: each metric, and each array and number of the last state."""
    straight = bench.train(build, 5, **options)
    whole, expected = bench.curve, bench.state(straight.last)
    paused = bench.train(build, 2, **options)
    first = bench.curve
    continued = bench.train(build, 5, start=paused.last, **options)
    assert [*first, *bench.curve] == whole
    arrays, meta = bench.state(continued.last)
    assert meta == expected[1]
    assert arrays.keys() == expected[0].keys()
    different = [name for name, array in arrays.items() if not np.array_equal(array, expected[0][name])]
    assert not different


def test_going_on_is_exact(bench: Any) -> None:
    assert_continues_exactly(
        bench,
        network(),
        callbacks=[keras.callbacks.ReduceLROnPlateau("val_loss", patience=1, min_delta=0.5)],
    )


@pytest.mark.slow
@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_going_on_is_exact_in_each_order(bench: Any, shuffle: Any) -> None:
    assert_continues_exactly(bench, network(), shuffle=shuffle)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [2, 3, 9])
def test_going_on_is_exact_in_the_middle_of_a_pass(bench: Any, steps: int) -> None:
    """With `steps_per_epoch`, an epoch ends where it ends: 28 samples are 4 batches, or 3 in the last case's passes."""
    assert_continues_exactly(bench, network(), steps_per_epoch=steps)


OPTIMIZERS = {
    "momentum and average": lambda: keras.optimizers.SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.8),
    "accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=3),
    "schedule": lambda: keras.optimizers.AdamW(keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.7)),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), dynamic_growth_steps=3),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_going_on_is_exact_with_each_kind_of_optimizer(bench: Any, name: str) -> None:
    assert_continues_exactly(bench, network(OPTIMIZERS[name]))


CALLBACKS = {
    "patience": lambda: [keras.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)],
    "rate by epoch": lambda: [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9**epoch)],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLBACKS)
def test_going_on_is_exact_with_callbacks_that_remember(bench: Any, name: str) -> None:
    assert_continues_exactly(bench, network(), callbacks=CALLBACKS[name]())


@pytest.mark.slow
def test_swapped_averages_are_taken_up_again(bench: Any) -> None:
    average = network(lambda: keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5))
    assert_continues_exactly(bench, average, callbacks=[keras.callbacks.SwapEMAWeights()])


@pytest.mark.slow
def test_going_on_is_exact_with_weights_of_samples_and_classes(bench: Any) -> None:
    rng = np.random.default_rng(0)
    x, y, weights = rng.normal(size=(28, 4)), rng.integers(0, 2, 28), rng.random(28)
    assert_continues_exactly(bench, network(), data=Data.of(x, y, sample_weight=weights, validation_split=0.25))
    assert_continues_exactly(bench, network(), data=Data.of(x, y, validation_split=0.25), class_weight={0: 1.0, 1: 3.0})


@pytest.mark.slow
def test_going_on_is_exact_with_several_inputs(bench: Any) -> None:
    def build(hp: Any) -> keras.Model:
        left, right = keras.Input((2,), name="left"), keras.Input((3,), name="right")
        joined = keras.layers.Dropout(0.5)(keras.layers.Concatenate()([left, right]))
        model = keras.Model({"left": left, "right": right}, keras.layers.Dense(1)(joined))
        model.compile("adam", "mse")
        return model

    rng = np.random.default_rng(0)
    x = {"left": rng.normal(size=(30, 2)), "right": rng.normal(size=(30, 3))}
    assert_continues_exactly(bench, build, data=Data.of(x, rng.normal(size=30), validation_split=0.2))


class Blocks(keras.utils.PyDataset):  # type: ignore[misc]
    """A dataset of five batches, whose order Keras shuffles."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.x, self.y = rng.normal(size=(5, 6, 4)), rng.integers(0, 2, (5, 6, 1))

    @property
    def num_batches(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.x[index], self.y[index]


@pytest.mark.slow
def test_going_on_is_exact_with_a_py_dataset(bench: Any) -> None:
    data = Data.of(Blocks(), validation_data=(np.ones((4, 4)), np.ones(4)))
    assert_continues_exactly(bench, network(), data=data)


@pytest.mark.slow
@pytest.mark.parametrize("own_generator", [False, True])
def test_going_on_is_exact_with_a_shuffling_torch_loader(bench: Any, *, own_generator: bool) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    pairs = torch.utils.data.TensorDataset(
        torch.tensor(rng.normal(size=(20, 4)), dtype=torch.float32), torch.tensor(rng.random((20, 1)))
    )
    generator = torch.Generator() if own_generator else None
    loader = torch.utils.data.DataLoader(pairs, batch_size=6, shuffle=True, generator=generator)
    data = Data.of(loader, validation_data=(np.ones((4, 4)), np.ones(4)))
    assert_continues_exactly(bench, network(), data=data)


@pytest.mark.slow
def test_going_on_is_exact_with_a_pipeline_that_does_not_shuffle(bench: Any) -> None:
    tf = pytest.importorskip("tensorflow")
    rng = np.random.default_rng(0)
    pipeline = tf.data.Dataset.from_tensor_slices((rng.normal(size=(20, 4)), rng.random((20, 1)))).batch(6)
    data = Data.of(pipeline, validation_data=(np.ones((4, 4)), np.ones(4)))
    assert_continues_exactly(bench, network(), data=data)


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "jax", reason="the other backends are run as processes of their own already")
def test_going_on_in_another_process_is_exact(bench: Any, tmp_path: Path) -> None:
    """The state is all there is: nothing that lives in a process is needed."""
    straight = bench.train(network(), 4)
    paused = bench.train(network(), 2)
    script = (
        "import sys, importlib.util as u\n"
        "from pathlib import Path\n"
        "def load(name, path):\n"
        "    spec = u.spec_from_file_location(name, path); module = u.module_from_spec(spec)\n"
        "    spec.loader.exec_module(module); return module\n"
        "here, folder, path, digest, size = Path(sys.argv[1]), *sys.argv[2:]\n"
        "bench = load('conftest', here / 'conftest.py').Bench(Path(folder))\n"
        "network = load('continuing', here / 'test_continuing.py').network\n"
        "from dialed.trial import CheckpointRef\n"
        "start = CheckpointRef(path=path, digest=digest, bytes=int(size), epoch=2)\n"
        "print(load('continuing', here / 'test_continuing.py').summed(bench, bench.train(network(), 4, start=start)))\n"
    )
    start = paused.last
    assert start is not None
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", script, here, tmp_path, start.path, start.digest, str(start.bytes)],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == summed(bench, straight)


def summed(bench: Any, outcome: Any) -> str:
    """A hash of all variables and generators of a member's last state, but torch's, which one process may not have."""
    arrays, _ = bench.state(outcome.last)
    return hashlib.sha256(b"".join(arrays[n].tobytes() for n in sorted(arrays) if n != "random/torch")).hexdigest()


def test_a_checkpoint_of_another_model_begins_the_member_again(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    def build(units: int) -> Callable[[Any], Any]:
        def inner(hp: Any) -> keras.Model:
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(1)])
            model.compile("sgd", "mse", run_eagerly=True)
            return model

        return inner

    paused = bench.train(build(2), 1)
    outcome = bench.train(build(3), 2, start=paused.last)
    assert [report.epoch for report in bench.told.reports(outcome.key)] == [1, 2]
    assert "begins again from its start: The checkpoint must fit the model: trainable/0 is (4, 2)" in caplog.text


@pytest.mark.slow
def test_there_is_something_to_compare(bench: Any) -> None:
    """A control: one changed weight of a checkpoint changes the curve, so the tests above can fail."""
    paused = bench.train(network(), 2)
    arrays, meta = bench.state(paused.last)
    arrays["trainable/0"] = arrays["trainable/0"] + np.float32(1e-6)
    changed = bench.checkpoints.save(paused.key, 2, "last", arrays, meta)
    bench.train(network(), 3, start=paused.last)
    exact = bench.curve
    bench.train(network(), 3, start=changed)
    assert bench.curve != exact
