"""CPU seconds to build models of new widths: Keras's ordinary way against the fused engine's.

    python benchmarks/builds.py

Both build and compile the same three-layer perceptron, each time with widths that this process has not seen, one
model after the other in turn. Printed are the medians over rounds of 32 builds, and their ratio.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras

from dialed.engine.fused.initial import build_valueless

ROUNDS = 3
MODELS = 32


def build(width: int) -> Any:
    """A tabular network of two hidden layers, compiled."""
    model = keras.Sequential(
        [
            keras.Input((20,)),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(width + 1, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), "mse", metrics=["mae"])
    return model


def cpu_seconds(action: Callable[[], Any]) -> float:
    """CPU seconds, of all threads, that `action` takes."""
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    widths = iter(range(8, 10_000, 3))
    build(next(widths))
    build_valueless(lambda: build(next(widths)))
    ordinary, valueless = [], []
    for _ in range(ROUNDS):
        seconds = [
            (
                cpu_seconds(lambda: build(next(widths))),
                cpu_seconds(lambda: build_valueless(lambda: build(next(widths)))),
            )
            for _ in range(MODELS)
        ]
        ordinary.append(sum(pair[0] for pair in seconds))
        valueless.append(sum(pair[1] for pair in seconds))
    slow, fast = statistics.median(ordinary), statistics.median(valueless)
    print(
        f"{MODELS} builds, new widths: ordinary {slow:.2f} CPU-s, valueless {fast:.2f} CPU-s, ratio {slow / fast:.1f}"
    )


if __name__ == "__main__":
    main()
