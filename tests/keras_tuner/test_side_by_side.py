"""The same program under KerasTuner and under the drop-in, compared by what they print.

KerasTuner is looked for in the interpreter that `PYTHON_WITH_KERAS_TUNER` names, or in this one; without it nothing is
compared.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import {module} as kt

class Bowl(kt.GridSearch):
    def run_trial(self, trial, *args, **kwargs):
        hp = trial.hyperparameters
        return {{"val_loss": (hp.get("x") - 2) ** 2 + hp.values.get("depth", 5) * 0.5, "val_accuracy": 0.5}}

def build(hp):
    hp.Int("x", 0, 4, step=2)
    kind = hp.Choice("kind", ["flat", "deep"])
    with hp.conditional_scope("kind", ["deep"]):
        if kind == "deep":
            hp.Int("depth", 1, 2)
    with hp.name_scope("inner"):
        hp.Boolean("bias")
        hp.Fixed("fixed", 0.5)
        hp.Float("rate", 0.5, 1.0, step=0.5, default=1.0)

tuner = Bowl(build, objective="val_loss", directory="d", project_name="p")
tuner.search_space_summary()
tuner.search(verbose=0)
tuner.results_summary(5)
print([sorted(t.hyperparameters.values.items()) for t in tuner.oracle.trials.values()])
print(sorted(tuner.get_best_hyperparameters()[0].values.items()), tuner.oracle.get_best_trials()[0].score)

band = kt.oracles.HyperbandOracle(objective=kt.Objective("score", "max"), max_epochs=20, factor=3)
print([[band._get_size(b, r) for r in range(b + 1)] for b in range(band._get_num_brackets())])
print([[band._get_epochs(b, r) for r in range(b + 1)] for b in range(band._get_num_brackets())])
"""


def run(python: str, module: str, folder: Path) -> str:
    folder.mkdir()
    code = PROGRAM.format(module=module)
    done = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_both_print_the_same(tmp_path: Path) -> None:
    """Spaces, trials in their order, scores, the best values, and Hyperband's brackets: to the letter."""
    theirs = os.environ.get("PYTHON_WITH_KERAS_TUNER", sys.executable)
    known = subprocess.run([theirs, "-c", "import keras_tuner"], capture_output=True, check=False)
    if known.returncode != 0:
        pytest.skip("KerasTuner is not installed")
    assert run(sys.executable, "dialed.keras_tuner", tmp_path / "ours") == run(
        theirs, "keras_tuner", tmp_path / "theirs"
    )
