"""The rows of the table: what is trained, how often, and how much faster it has to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from speed.arrays import Arrays, pictures, table, texts
from speed.ranges import OneOf, Range, Real, Whole, drawn, grid

__all__ = ["ROWS", "Row"]

SEED = 1
_RATE = Real(1e-4, 1e-2, log=True)
_DROPOUT = Real(0.05, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Args:
        title: For people.
        model: The name of the build function in `models`.
        load: Makes the data of (file, training samples, validation samples).
        file: The .npz file that it needs. Defaults to none.
        space: What is tuned.
        trials: How many configurations are drawn; with `folds`, all combinations.
        goal: So many times faster than stock, at least: with a cold and with a warm cache of compiled programs.
        sampled: Stock trains every so manieth trial only, unless it is told to train all. Defaults to every one.
        folds: Cross-validated, against scikit-learn. Defaults to 0: not.
        device: Measured on this kind only. Defaults to "cpu".
    """

    title: str
    model: str
    load: Callable[[Path, int, int], Arrays]
    space: Mapping[str, Range]
    trials: int
    epochs: int
    batch_size: int
    samples: int
    held_out: int
    goal: tuple[float, float]
    file: str | None = None
    sampled: int = 1
    folds: int = 0
    device: str = "cpu"

    @property
    def metric(self) -> str:
        """What both sides are compared by."""
        return "val_accuracy" if self.folds else "val_loss"

    def configurations(self) -> list[dict[str, Any]]:
        """The values of each trial."""
        if self.folds:
            return grid({name: values for name, values in self.space.items() if isinstance(values, OneOf)})[
                : self.trials
            ]
        return drawn(self.space, self.trials, seed=SEED)

    def quick(self) -> Row:
        """The same in so small a size that it only shows whether all works."""
        return replace(
            self,
            trials=min(self.trials, 3),
            epochs=1,
            samples=160,
            held_out=0 if self.folds else 64,
            folds=min(self.folds, 2),
            sampled=min(self.sampled, 2),
        )


def _table(file: Path, samples: int, held_out: int) -> Arrays:
    return table(samples, held_out)


def _pixels(file: Path, samples: int, held_out: int) -> Arrays:
    return pictures(file, samples, held_out, channels=False)


def _pictures(file: Path, samples: int, held_out: int) -> Arrays:
    return pictures(file, samples, held_out, channels=True)


_TABULAR = Row(
    title="tabular MLP, 32 trials x 5 epochs",
    model="tabular",
    load=_table,
    space={"units_1": Whole(16, 64, 16), "units_2": Whole(16, 64, 16), "dropout": _DROPOUT, "learning_rate": _RATE},
    trials=32,
    epochs=5,
    batch_size=32,
    samples=8_000,
    held_out=2_000,
    goal=(20, 50),
)
_DIGITS = Row(
    title="MNIST 784-n-10, 32 trials x 5 epochs",
    model="digits",
    load=_pixels,
    file="mnist.npz",
    space={"units": Whole(16, 64, 16), "dropout": _DROPOUT, "learning_rate": _RATE},
    trials=32,
    epochs=5,
    batch_size=128,
    samples=50_000,
    held_out=10_000,
    goal=(8, 12),
)
_CNN = Row(
    title="Fashion-MNIST CNN, 16 trials x 3 epochs",
    model="pictures",
    load=_pictures,
    file="fashion_mnist.npz",
    space={
        "filters": Whole(8, 16, 4),
        "units": Whole(32, 64, 16),
        "dropout": _DROPOUT,
        "learning_rate": _RATE,
    },
    trials=16,
    epochs=3,
    batch_size=64,
    samples=12_000,
    held_out=2_000,
    goal=(4, 4),
)
_LSTM = Row(
    title="IMDB LSTM, 16 trials x 2 epochs",
    model="lstm",
    load=texts,
    file="imdb_tokens.npz",
    space={"units": Whole(16, 48, 16), "dropout": _DROPOUT, "learning_rate": _RATE},
    trials=16,
    epochs=2,
    batch_size=32,
    samples=4_000,
    held_out=1_000,
    goal=(4, 4),
)
_NOT_SLOWER = (1 / 1.05, 1 / 1.05)

ROWS: Mapping[str, Row] = {
    "tabular-32": _TABULAR,
    "tabular-256": replace(_TABULAR, title="tabular MLP, 256 trials x 5 epochs", trials=256, goal=(50, 80), sampled=8),
    "mnist-mlp": _DIGITS,
    "mnist-grid": replace(
        _DIGITS,
        title="MNIST 784-n-10, 18 candidates x 5 folds, 3 epochs",
        space={
            "units": OneOf((32, 64, 128)),
            "dropout": OneOf((0.0, 0.2)),
            "learning_rate": OneOf((1e-3, 3e-3, 1e-2)),
        },
        trials=18,
        epochs=3,
        samples=60_000,
        held_out=0,
        folds=5,
        goal=(10, 10),
    ),
    "cnn": _CNN,
    "lstm": _LSTM,
    "transformer": replace(
        _LSTM,
        title="IMDB transformer, 16 trials x 2 epochs",
        model="transformer",
        space={"inner": Whole(16, 64, 16), "dropout": _DROPOUT, "learning_rate": _RATE},
    ),
    "any-mlp": replace(
        _DIGITS,
        title="one wide MLP x 5 epochs",
        model="wide",
        space={"units": OneOf((512,)), "learning_rate": OneOf((1e-3,))},
        trials=1,
        samples=20_000,
        held_out=4_000,
        goal=_NOT_SLOWER,
    ),
    "any-cnn": replace(
        _CNN,
        title="one CNN x 3 epochs",
        space={
            "filters": OneOf((16,)),
            "units": OneOf((64,)),
            "dropout": OneOf((0.3,)),
            "learning_rate": OneOf((1e-3,)),
        },
        trials=1,
        goal=_NOT_SLOWER,
    ),
    "any-lstm": replace(
        _LSTM,
        title="one LSTM x 4 epochs",
        space={"units": OneOf((64,)), "dropout": OneOf((0.3,)), "learning_rate": OneOf((1e-3,))},
        trials=1,
        epochs=4,
        goal=_NOT_SLOWER,
    ),
    "gpu-mlp": replace(_DIGITS, title="64 small MLPs x 5 epochs", trials=64, goal=(50, 50), device="gpu"),
    "gpu-cnn": replace(_CNN, title="32 small CNNs x 3 epochs", trials=32, goal=(10, 10), device="gpu"),
}
"""All rows by name. Those that need a GPU are skipped where JAX sees none."""
