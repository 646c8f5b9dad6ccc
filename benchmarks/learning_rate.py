"""What the learning-rate range test suggests, against the best rate of a grid.

    python benchmarks/learning_rate.py --data FOLDER [--rows mnist,fashion,adult,wine] [--epochs 10] [--json FILE]

FOLDER holds `mnist.npz`, `fashion_mnist.npz`, `adult.npz` and `wine_quality.npz`. For each of them and each of SGD, Adam
and AdamW, a small network is trained at twelve rates from 1e-5 to 3 and at the suggested one, under the same three seeds.
Printed are the mean validation accuracies, and what the suggestion falls short by.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

import dialed
from dialed.strategies import Manual
from dialed.tools.lr_range import lr_range_test

ROWS = 10_000
GRID = np.geomspace(1e-5, 3.0, 12)
SEEDS = 3
BATCH = 64
OPTIMIZERS = ("SGD", "Adam", "AdamW")
FILES = {"mnist": "mnist", "fashion": "fashion_mnist", "adult": "adult", "wine": "wine_quality"}


def loaded(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, (samples, features), and classes, shuffled; at most `ROWS` of them."""
    arrays = np.load(folder / f"{FILES[name]}.npz")
    if "x_train" in arrays:
        x, y = arrays["x_train"].reshape(len(arrays["x_train"]), -1) / 255.0, arrays["y_train"]
    else:
        x, y = np.nan_to_num(arrays["X"].astype("float64")), arrays["y"]
        x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    rows = np.random.default_rng(0).permutation(len(x))[:ROWS]
    return x[rows].astype("float32"), (y[rows] - y.min()).astype("int32")


def network(features: int, classes: int, optimizer: str) -> Any:
    """A build function: two hidden layers, the rate the only hyperparameter."""

    def build(hp: Any) -> Any:
        hidden = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
        out = keras.layers.Dense(classes, activation="softmax")
        model = keras.Sequential([keras.Input((features,)), *hidden, out])
        rate = hp.Float("learning_rate", 1e-6, 10.0, sampling="log", default=1e-3)
        made = getattr(keras.optimizers, optimizer)(rate)
        model.compile(made, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    return build


def compared(folder: Path, name: str, optimizer: str, epochs: int) -> dict[str, Any]:
    """One row of the table."""
    x, y = loaded(folder, name)
    build = network(x.shape[1], int(y.max()) + 1, optimizer)
    began = time.process_time()
    test = lr_range_test(build, x, y, batch_size=BATCH, validation_split=0.2)
    seconds = time.process_time() - began
    assert test.suggestion is not None, test.reason
    rates = [*GRID, test.suggestion]
    tuner = dialed.Tuner(
        build,
        objective="val_accuracy",
        strategy=Manual([{"learning_rate": float(rate)} for rate in rates], default_first=False),
        max_trials=len(rates),
        repeats=SEEDS,
        confirm=False,
        seed=0,
        store="sqlite:///:memory:",
        verbose=0,
    )
    tuner.search(x, y, validation_split=0.2, epochs=epochs, batch_size=BATCH)
    scores = {t.values["learning_rate"]: t.score if t.score is not None else 0.0 for t in tuner.study.trials}
    best = max(GRID, key=lambda rate: scores[float(rate)])
    own = scores[test.suggestion]
    return {
        "data": name,
        "optimizer": optimizer,
        "suggestion": test.suggestion,
        "accuracy": own,
        "best rate": float(best),
        "best accuracy": scores[float(best)],
        "short by": 1 - own / scores[float(best)],
        "CPU seconds": round(seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", default=",".join(FILES))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = []
    print("| Data | Optimizer | Suggested | Accuracy | Best of the grid | Its accuracy | Short by | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    for name in given.rows.split(","):
        for optimizer in OPTIMIZERS:
            row = compared(given.data, name, optimizer, given.epochs)
            found.append(row)
            print(
                f"| {name} | {optimizer} | {row['suggestion']:.2g} | {row['accuracy']:.4f} | {row['best rate']:.2g} "
                f"| {row['best accuracy']:.4f} | {row['short by']:.2%} | {row['CPU seconds']} |",
                flush=True,
            )
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
