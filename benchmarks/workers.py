"""Four processes against one: trials per hour, for a model that does not fill the cores.

    python benchmarks/workers.py [--trials 24] [--workers 4] [--rounds 3]

Both searches train the same trials, one model at a time with `model.fit`, in rounds that take turns; what is compared is
the median. Workers are started before the clock: imports are paid once, whatever the length of a search.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np

import dialed


def build(hp: Any) -> Any:
    """A small dense network: a step of its training is mostly Python's own work, on one core."""
    import keras

    model = keras.Sequential([keras.Input((16,))])
    model.add(keras.layers.Dense(hp.Int("units", 16, 64, step=16), activation="relu"))
    model.add(keras.layers.Dense(1))
    model.compile(keras.optimizers.Adam(hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")), "mse")
    return model


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4096, 16)).astype("float32")
    return x, x[:, :1] ** 2 + 0.1 * rng.normal(size=(4096, 1)).astype("float32")


class Began:
    """Notes when the first trial began and the last ended, so that starting processes is not counted."""

    def __init__(self) -> None:
        self.first = self.last = 0.0

    def on_event(self, event: Any) -> None:
        match type(event).__name__:
            case "Built" if not self.first:
                self.first = time.perf_counter()
            case "Outcome":
                self.last = time.perf_counter()


def seconds(workers: int, trials: int, epochs: int, folder: Path) -> float:
    """How long `trials` trials take, from the first that is built to the last that ends."""
    x, y = data()
    began = Began()
    tuner = dialed.Tuner(
        build, "val_loss", strategy="random", max_trials=trials, seed=1, confirm=False, engine="fit", verbose=0,
        workers=workers, executor="inline" if workers == 1 else "processes", observers=[began],
        store=str(folder / "store.db"), name=f"{workers}-{time.time_ns()}", checkpoint_seconds=60.0,
    )  # fmt: skip
    tuner.search(x, y, validation_split=0.2, epochs=epochs, batch_size=32)
    return began.last - began.first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    found: dict[int, list[float]] = {1: [], asked.workers: []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(asked.rounds):
            for workers, times in found.items():
                times.append(seconds(workers, asked.trials, asked.epochs, Path(folder)))
    per_hour = {workers: 3600 * asked.trials / statistics.median(times) for workers, times in found.items()}
    print(f"{'workers':>8}  {'trials an hour':>14}  seconds of each round")
    for workers, times in found.items():
        print(f"{workers:>8}  {per_hour[workers]:>14,.0f}  {', '.join(f'{t:.1f}' for t in times)}")
    ratio = per_hour[asked.workers] / per_hour[1]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(
        f"{asked.workers} workers give {ratio:.2f} times the trials per hour of one, on {cores} cores (asked: 1.7 on two)"
    )
    print(json.dumps({"ratio": ratio, "trials_per_hour": per_hour, "cores": cores}))


if __name__ == "__main__":
    main()
