"""The pictures of docs/plots.md: a search over a small network on real digits, and every view of it.

python docs/pictures/make.py [--folder docs/pictures] [--theme light] [--store digits.db] [--only history race]

It trains for a minute or two. With --store the trainings are kept, and drawing again takes seconds.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from made import fill
from PIL import Image

import dialed
from dialed.store import open_catalog
from dialed.study.study import Study
from dialed.testing import VirtualClock

Draw = Callable[[], Any]
MOST_BYTES = 150_000


def build(hp: dialed.HyperParameters) -> Any:
    """A network for the digits: one or two layers, dropout or none."""
    import keras

    layers: list[Any] = [keras.Input((64,))]
    for index in range(hp.Int("layers", 1, 2)):
        layers.append(keras.layers.Dense(hp.Int(f"units_{index}", 16, 128, step=16, default=32), activation="relu"))
    if hp.Boolean("regularize"):
        layers.append(keras.layers.Dropout(hp.Float("dropout", 0.1, 0.6)))
    layers.append(keras.layers.Dense(10))
    model = keras.Sequential(layers)
    rate = hp.Float("learning_rate", 1e-4, 1.0, sampling="log", default=1e-3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss=loss, metrics=["accuracy"])
    return model


def data() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))[:900]
    return (images[order] / 16.0).astype("float32"), labels[order]


def digits(store: str) -> tuple[Study, Any]:
    """The study of the digits, and the path from the defaults to its winner."""
    x, y = data()
    tuner = dialed.Tuner(
        build, "val_accuracy", strategy="hyperband", max_trials=60, seed=1, name="digits", store=store, verbose=0
    )
    tuner.search(x, y, validation_split=0.3, epochs=9, batch_size=32)
    return tuner.study, tuner.explain(repeats=6)


def trade_off(store: str) -> Study:
    """Accuracy against size, where more units help less and less."""

    def measure(hp: dialed.HyperParameters) -> Mapping[str, float]:
        units = hp.Int("units", 8, 512, sampling="log")
        rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
        off = abs(math.log10(rate) + 2.5)
        return {"accuracy": 0.99 - 0.5 / units**0.5 - 0.04 * off, "kilobytes": units * 3.1 * (1 + 0.2 * off)}

    return dialed.optimize(
        measure,
        direction=["max", "min"],
        objective=["accuracy", "kilobytes"],
        constraints=["kilobytes <= 1200"],
        strategy="random",
        max_trials=80,
        seed=3,
        name="trade-off",
        store=store,
        verbose=0,
    )


def plane(store: str, strategy: Any, name: str) -> Study:
    """Sixteen trials of a plane in which one hyperparameter matters."""
    space = {"important": dialed.Float(0.0, 1.0), "unimportant": dialed.Float(0.0, 1.0)}

    def measure(hp: dialed.HyperParameters) -> float:
        return (hp.values["important"] - 0.63) ** 2 + 0.02 * hp.values["unimportant"]

    settings = {"space": space, "strategy": strategy, "max_trials": 16, "seed": 5, "name": name, "store": store}
    return dialed.optimize(measure, verbose=0, **settings)


def four_workers(store: str) -> Study:
    """Trainings in made time on four machines: those of this machine would show its load and its name."""
    clock = VirtualClock()
    with open_catalog(store, clock=clock) as catalog:
        fill(catalog, clock)
    return dialed.load("digits-bayesian", store)


def pictures(store: str, theme: Any) -> dict[str, Draw]:
    """Each picture by its name, made when it is called."""
    found: dict[str, tuple[Study, Any]] = {}

    def plot() -> Any:
        if not found:
            found["digits"] = digits(store)
        return found["digits"][0].plot

    def lr_range() -> Any:
        x, y = data()
        test = dialed.lr_range_test(build, x, y, seeds=3)
        return plot().lr_range(test, theme=theme)

    names = [
        "history",
        "curves",
        "parallel",
        "importance",
        "slice",
        "contour",
        "rungs",
        "rank_correlation",
        "race",
        "explanation",
    ]
    drawn: dict[str, Draw] = {name: lambda name=name: getattr(plot(), name)(theme=theme) for name in names}
    drawn["front"] = lambda: trade_off(store).plot.front(theme=theme)
    sides = ("important", "unimportant")
    grid = dialed.strategies.Grid(points=4)
    drawn["tried-grid"] = lambda: plane(store, grid, "grid").plot.tried(*sides, theme=theme)
    drawn["tried-random"] = lambda: plane(store, "random", "random").plot.tried(*sides, theme=theme)
    drawn["timeline"] = lambda: four_workers(f"{store}.made").plot.timeline(theme=theme)
    drawn["lr_range"] = lr_range
    return drawn


def main() -> None:
    """Draw what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--only", nargs="+")
    told = parser.parse_args()
    told.folder.mkdir(parents=True, exist_ok=True)
    store = told.store or Path(tempfile.mkdtemp()) / "pictures.db"
    suffix = "" if told.theme == "light" else "-dark"
    for name, draw in pictures(str(store), told.theme).items():
        if not told.only or name in told.only:
            path = told.folder / f"plot-{name.replace('_', '-')}{suffix}.png"
            draw().savefig(path)
            slim(path)
            print(path)


def slim(path: Path) -> None:
    """Many thin lines make a large PNG: such a one gets 256 colours."""
    if path.stat().st_size > MOST_BYTES:
        Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
