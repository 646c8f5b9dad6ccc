"""What is to be learned, and by which models: five tasks in the style of the common tutorials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from speed.arrays import Arrays, pictures, texts

from race.spaces import Ask, Number, Options, Space

__all__ = ["TASKS", "Task"]

RATE = Number(low=1e-4, high=1e-1, default=1e-3, log=True)
BATCH = Options((32, 64, 128))
HOURS, AHEAD = 48, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task.

    Args:
        title: What it is, for people.
        file: Its data.
        metric: What is improved.
        higher: Whether more of it is better.
        epochs: Of a full training.
        samples, held_out: How many samples are trained on, and how many judge.
        space: What varies. `batch_size` is an argument of `fit`.
        load: Reads the data: of so many samples, with so many held out.
        build: A compiled model of the values that it asks for.
    """

    title: str
    file: str
    metric: str
    higher: bool
    epochs: int
    samples: int
    held_out: int
    space: Space
    load: Callable[[Path, int, int], Arrays]
    build: Callable[[Ask], Any]


def layered(ask: Ask) -> Any:
    """One to three layers with units, activation and dropout of their own."""
    import keras

    model = keras.Sequential([keras.Input((784,))])
    for i in range(ask("layers")):
        model.add(keras.layers.Dense(ask(f"units_{i}"), ask("activation")))
        model.add(keras.layers.Dropout(ask("dropout")))
    model.add(keras.layers.Dense(10, "softmax"))
    return _compiled(model, ask, "sparse_categorical_crossentropy", ["accuracy"])


def convolutional(ask: Ask) -> Any:
    """Two small convolutions with pooling."""
    import keras

    model = keras.Sequential([keras.Input((28, 28, 1))])
    for i in range(2):
        model.add(keras.layers.Conv2D(ask(f"filters_{i}"), 3, padding="same", activation="relu"))
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dropout(ask("dropout")))
    model.add(keras.layers.Dense(ask("units"), "relu"))
    model.add(keras.layers.Dense(10, "softmax"))
    return _compiled(model, ask, "sparse_categorical_crossentropy", ["accuracy"])


def tabular(ask: Ask) -> Any:
    """A network for columns."""
    import keras

    model = keras.Sequential([keras.Input((14,)), keras.layers.BatchNormalization()])
    for i in range(ask("layers")):
        model.add(keras.layers.Dense(ask(f"units_{i}"), ask("activation")))
        model.add(keras.layers.Dropout(ask("dropout")))
    model.add(keras.layers.Dense(1, "sigmoid"))
    return _compiled(model, ask, "binary_crossentropy", ["accuracy"])


def text(ask: Ask) -> Any:
    """Embedding and pooling."""
    import keras

    model = keras.Sequential([keras.Input((80,), dtype="int32")])
    model.add(keras.layers.Embedding(10_000, ask("width")))
    model.add(keras.layers.GlobalAveragePooling1D())
    model.add(keras.layers.Dropout(ask("dropout")))
    model.add(keras.layers.Dense(ask("units"), ask("activation")))
    model.add(keras.layers.Dense(1, "sigmoid"))
    return _compiled(model, ask, "binary_crossentropy", ["accuracy"])


def series(ask: Ask) -> Any:
    """A recurrent network over two days of hours."""
    import keras

    model = keras.Sequential([keras.Input((HOURS, 7))])
    cell = keras.layers.GRU if ask("cell") == "gru" else keras.layers.LSTM
    model.add(cell(ask("units")))
    model.add(keras.layers.Dropout(ask("dropout")))
    model.add(keras.layers.Dense(1))
    return _compiled(model, ask, "mse", [])


def _compiled(model: Any, ask: Ask, loss: str, metrics: list[str]) -> Any:
    import keras

    model.compile(keras.optimizers.Adam(ask("learning_rate")), loss, metrics=metrics)
    return model


def _columns(path: Path, samples: int, held_out: int) -> Arrays:
    with np.load(path, allow_pickle=False) as file:
        x, y = file["X"].astype("float32"), file["y"].astype("float32")[:, None]
    order = np.random.default_rng(0).permutation(len(x))[: samples + held_out]
    x, y = np.nan_to_num(x[order]), y[order]
    x = (x - x[:samples].mean(axis=0)) / (x[:samples].std(axis=0) + 1e-6)
    return Arrays(x[:samples], y[:samples], x[samples:], y[samples:])


def _hours(path: Path, samples: int, held_out: int) -> Arrays:
    """Windows of `HOURS`, and the last column `AHEAD` hours later; those that judge come after those that train."""
    with np.load(path, allow_pickle=False) as file:
        values = file["values"].astype("float32")
    values = (values - values[:samples].mean(axis=0)) / values[:samples].std(axis=0)
    windows = np.lib.stride_tricks.sliding_window_view(values, HOURS, axis=0).transpose(0, 2, 1)
    x, y = windows[:-AHEAD], values[HOURS + AHEAD - 1 :, -1:]
    end = samples + held_out
    return Arrays(x[:samples].copy(), y[:samples], x[samples:end].copy(), y[samples:end])


def _flat(path: Path, samples: int, held_out: int) -> Arrays:
    return pictures(path, samples, held_out, channels=False)


def _square(path: Path, samples: int, held_out: int) -> Arrays:
    return pictures(path, samples, held_out, channels=True)


def _units(low: int, high: int) -> Number:
    return Number(low=low, high=high, step=low, default=2 * low)


_LAYERS: Space = {
    "layers": Number(low=1, high=3, step=1, default=1),
    **{f"units_{i}": _units(32, 256) for i in range(3)},
    "activation": Options(("relu", "tanh")),
}
_COMMON: Space = {"dropout": Number(low=0.0, high=0.5, default=0.0), "learning_rate": RATE, "batch_size": BATCH}

TASKS: dict[str, Task] = {
    "mnist": Task(
        title="MNIST, 1 to 3 layers",
        file="mnist.npz",
        metric="val_accuracy",
        higher=True,
        epochs=10,
        samples=20_000,
        held_out=5_000,
        space={**_LAYERS, **_COMMON},
        load=_flat,
        build=layered,
    ),
    "fashion": Task(
        title="Fashion-MNIST, small CNN",
        file="fashion_mnist.npz",
        metric="val_accuracy",
        higher=True,
        epochs=9,
        samples=6_000,
        held_out=2_000,
        space={"filters_0": _units(8, 32), "filters_1": _units(8, 32), "units": _units(32, 128), **_COMMON},
        load=_square,
        build=convolutional,
    ),
    "tabular": Task(
        title="Adult census, columns",
        file="adult.npz",
        metric="val_accuracy",
        higher=True,
        epochs=10,
        samples=20_000,
        held_out=5_000,
        space={**_LAYERS, **_COMMON},
        load=_columns,
        build=tabular,
    ),
    "text": Task(
        title="IMDB, embedding and pooling",
        file="imdb_tokens.npz",
        metric="val_accuracy",
        higher=True,
        epochs=9,
        samples=8_000,
        held_out=2_000,
        space={"width": _units(8, 64), "units": _units(16, 64), "activation": Options(("relu", "tanh")), **_COMMON},
        load=texts,
        build=text,
    ),
    "series": Task(
        title="ETTh1, recurrent, a day ahead",
        file="etth1.npz",
        metric="val_loss",
        higher=False,
        epochs=9,
        samples=8_000,
        held_out=2_000,
        space={"cell": Options(("gru", "lstm")), "units": _units(8, 32), **_COMMON},
        load=_hours,
        build=series,
    ),
}
