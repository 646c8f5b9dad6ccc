"""Whether memory grows with the number of trials: KerasTuner beside Dialed, the same search of small models.

    python benchmarks/memory.py --trials 200 [--json FILE]

Each side runs in a process of its own. Its resident memory is looked at from outside, and set against the number of
trials that were begun by then. The first tenth of the trials, which load and compile what all share, does not count.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from race.watched import Usage
from speed.machine import machine, sentence

LOOK = 0.2


def build(hp: Any) -> Any:
    """A small network whose width and rate vary; each call leaves a byte, by which trials are counted."""
    import keras

    with Path("begun").open("ab") as begun:
        begun.write(b".")
    layers = [keras.layers.Dense(hp.Int("units", 8, 512), "relu"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((20,)), *layers])
    model.compile(keras.optimizers.Adam(hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")), "mse")
    return model


def theirs(trials: int, x: Any, y: Any) -> None:
    """KerasTuner's random search."""
    import keras_tuner as kt

    tuner = kt.RandomSearch(build, objective="val_loss", max_trials=trials, seed=0, directory="kt")
    tuner.search(x[:200], y[:200], epochs=2, validation_data=(x[200:], y[200:]), verbose=0)


def dialed(engine: str) -> Callable[[int, Any, Any], None]:
    """Dialed's random search, with one of its engines."""

    def search(trials: int, x: Any, y: Any) -> None:
        from dialed import Tuner

        tuner = Tuner(
            build,
            "val_loss",
            strategy="random",
            max_trials=trials,
            engine=engine,
            seed=0,
            confirm=False,
            verbose=0,
        )
        tuner.search(x[:200], y[:200], epochs=2, validation_data=(x[200:], y[200:]))

    return search


SIDES: dict[str, tuple[str, Callable[[int, Any, Any], None]]] = {
    "KerasTuner": ("keras_tuner", theirs),
    "Dialed, fused": ("dialed", dialed("auto")),
    "Dialed, model.fit": ("dialed", dialed("fit")),
}


def run_side(side: str, trials: int) -> None:
    """Search on one side, in this process."""
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 20)).astype("float32")
    SIDES[side][1](trials, x, x[:, :1] * x[:, 1:2])


def measured(side: str, trials: int) -> dict[str, Any]:
    """Megabytes against trials begun, from outside."""
    points: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [sys.executable, str(Path(__file__).resolve()), "--side", side, "--trials", str(trials)]
        environment = {**os.environ, "KERAS_BACKEND": "jax", "XDG_CACHE_HOME": str(Path(folder, "cache"))}
        with Path(folder, "output").open("w") as out:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
            while process.poll() is None:
                usage = Usage(process.pid)
                usage.look()
                begun = Path(folder, "begun")
                points.append((begun.stat().st_size if begun.exists() else 0, usage.peak_bytes / 1e6))
                time.sleep(LOOK)
        if process.returncode:
            raise SystemExit(f"{side} failed: {Path(folder, 'output').read_text()[-2000:]}")
    return {"side": side, "points": points, **_growth(points, trials)}


def _growth(points: list[tuple[int, float]], trials: int) -> dict[str, float]:
    """Memory after the first tenth of the trials, the most of all, and the growth between for each trial."""
    settled = [held for begun, held in points if begun >= trials / 10]
    if not settled:
        return {"settled": float("nan"), "most": max(held for _, held in points), "a_trial": float("nan")}
    late = [held for begun, held in points if begun >= trials * 0.9] or settled
    first = settled[0]
    return {"settled": first, "most": max(settled), "a_trial": (max(late) - first) / (trials * 0.9)}


def main() -> None:
    """Measure all sides and print how they compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200, help="trials of each side (200)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    parser.add_argument("--side", choices=tuple(SIDES), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        run_side(given.side, given.trials)
        return
    here = [side for side, (module, _) in SIDES.items() if importlib.util.find_spec(module)]
    found = [measured(side, given.trials) for side in here]
    print(f"{given.trials} trials{'':12}{'MB settled':>12}{'MB at most':>12}{'MB a trial':>12}")
    for row in found:
        print(f"{row['side']:22}{row['settled']:12.0f}{row['most']:12.0f}{row['a_trial']:12.2f}")
    for side in SIDES.keys() - set(here):
        print(f"{side}: left out: needs {SIDES[side][0]}")
    facts = machine()
    print(sentence(facts))
    if given.json:
        given.json.write_text(json.dumps({"machine": facts, "trials": given.trials, "sides": found}) + "\n")


if __name__ == "__main__":
    main()
