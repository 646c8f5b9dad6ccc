"""A study of MNIST with all that can be said of it: a confirmed winner, what made the difference, and a diagnosis.

    python benchmarks/trust_mnist.py ../shared/data/mnist.npz             # ten minutes at most

The search has a budget in time; what it leaves is for the path from the defaults to the winner. All is printed by
`dialed show`, as anybody would read it in a terminal, and written by `dialed report`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import dialed

NAME = "mnist"


def build(hp: Any) -> Any:
    """A small network with what people tune."""
    import keras

    model = keras.Sequential([keras.Input((784,))])
    for i in range(hp.Int("layers", 1, 2)):
        model.add(
            keras.layers.Dense(hp.Int(f"units_{i}", 32, 128, step=32), activation=hp.Choice("act", ["relu", "tanh"]))
        )
        model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5)))
    model.add(keras.layers.Dense(10, activation="softmax"))
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main() -> None:
    """Search, explain, and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--max-time", default="6m")
    parser.add_argument("--max-epochs", type=int)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--store", default="trust-mnist.db")
    arguments = parser.parse_args()
    with np.load(arguments.data) as data:
        x, y = data["x_train"][: arguments.samples], data["y_train"][: arguments.samples].astype("int32")
    x = x.reshape(len(x), -1).astype("float32") / 255
    begun = time.perf_counter(), time.process_time()
    limits = {"max_epochs": arguments.max_epochs} if arguments.max_epochs else {"max_time": arguments.max_time}
    tuner = dialed.Tuner(build, "val_accuracy", name=NAME, seed=0, store=arguments.store, **limits)
    tuner.search(x, y, validation_split=0.2, epochs=6, batch_size=dialed.Choice([64, 128]))
    _say("search and confirmation", begun)
    tuner.explain(repeats=arguments.repeats)
    _say("with the explanation", begun)
    for options in (["show"], ["show", "--explanation"], ["show", "--diagnosis"], ["report"]):
        print("\n$ dialed", options[0], NAME, *options[1:], flush=True)
        command = [sys.executable, "-m", "dialed", options[0], NAME, "--store", arguments.store, *options[1:]]
        subprocess.run(command, check=True)
    _say("all", begun)


def _say(what: str, begun: tuple[float, float]) -> None:
    wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    print(f"{what}: {wall:.0f} s, {cpu:.0f} s of CPU", flush=True)


if __name__ == "__main__":
    main()
