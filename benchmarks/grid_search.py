"""How much faster a grid search is than scikit-learn's with SciKeras: the same candidates, folds and data.

18 candidates and 5 folds over images of digits. Each side runs in a process of its own, one after the other, and its CPU
time counts, that of its workers included:

    python benchmarks/grid_search.py --data mnist.npz --theirs /path/to/python/with/scikeras

`--data` is a file with `x_train` and `y_train`, as `keras.datasets.mnist` has it. The scores of both sides differ as those
of two seeds do, because SciKeras seeds in another way.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from speed.machine import machine, sentence

GRID = {"batch_size": [32, 64, 512], "epochs": [10, 20], "model__units": [8, 16, 32]}


def build_model(units: int = 8) -> Any:
    """The model of the common tutorials."""
    import keras

    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(units, activation="relu")])
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def cpu_seconds() -> float:
    """CPU time of this process and of those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def run_side(side: str, data: str, rows: int | None, jobs: int) -> dict[str, Any]:
    """Search on one side, in this process."""
    import numpy as np

    start, cpu = time.perf_counter(), cpu_seconds()
    if side == "ours":
        from dialed.sklearn import GridSearchCV, KerasClassifier
    else:
        from scikeras.wrappers import KerasClassifier
        from sklearn.model_selection import GridSearchCV
    with np.load(data) as file:
        x, y = file["x_train"][:rows], file["y_train"][:rows]
    x = x.reshape(len(x), -1).astype("float32") / 255
    estimator = KerasClassifier(build_model, verbose=0, random_state=0)
    search = GridSearchCV(estimator, GRID, cv=5, n_jobs=jobs, refit=True).fit(x, y)
    shutdown()
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": cpu_seconds() - cpu,
        "best": float(search.best_score_),
        "params": search.best_params_,
    }


def shutdown() -> None:
    """End joblib's workers, so that their time is counted."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)


def measured(python: str, side: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What a process of `python` tells of one side."""
    command = [python, __file__, "--data", arguments.data, "--side", side, "--jobs", str(arguments.jobs)]
    if arguments.rows is not None:
        command += ["--rows", str(arguments.rows)]
    with tempfile.TemporaryDirectory() as empty:  # no side finds programs that an earlier run compiled
        environment = {**os.environ, "KERAS_BACKEND": "jax", "XDG_CACHE_HOME": empty}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run both sides and print how they compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="an .npz file with x_train and y_train")
    here = sys.executable if importlib.util.find_spec("scikeras") else ""
    parser.add_argument("--theirs", default=here, metavar="PYTHON", help="one with SciKeras; this one by default")
    parser.add_argument("--rows", type=int, help="so many samples only; all by default")
    parser.add_argument("--jobs", type=int, default=-1, help="n_jobs of scikit-learn's search; -1 by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    parser.add_argument("--side", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(run_side(arguments.side, arguments.data, arguments.rows, arguments.jobs)))
        return
    if not arguments.theirs:
        raise SystemExit("SciKeras is not installed here. Name a Python that has it with --theirs.")
    ours, theirs = measured(sys.executable, "ours", arguments), measured(arguments.theirs, "theirs", arguments)
    for name, side in (("Dialed", ours), ("scikit-learn with SciKeras", theirs)):
        cost = f"{side['seconds']:8.1f} s {side['cpu_seconds']:8.1f} s CPU"
        print(f"{name:27} {cost}   best {side['best']:.4f} with {side['params']}")
    print(
        f"{theirs['seconds'] / ours['seconds']:.1f} x the time, {theirs['cpu_seconds'] / ours['cpu_seconds']:.1f} x the "
        f"CPU time; best scores differ by {abs(theirs['best'] - ours['best']):.4f}"
    )
    print(f"{arguments.rows or 'all'} samples, n_jobs={arguments.jobs}; {sentence(machine())}")
    if arguments.json:
        settings = {"rows": arguments.rows, "jobs": arguments.jobs}
        document = {"machine": machine(), "settings": settings, "ours": ours, "theirs": theirs}
        arguments.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
