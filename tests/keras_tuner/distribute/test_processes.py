"""A chief and workers in processes of their own, told apart by KerasTuner's environment variables."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

BY_ITSELF = """
import sys, time
import dialed.keras_tuner as kt
from dialed.keras_tuner.engine.base_tuner import BaseTuner

class Counting(kt.Oracle):
    '''An oracle of a user's own, which keeps a file and state that only one process may write.'''

    def __init__(self, **options):
        super().__init__(**options)
        self.asked = 0

    def populate_space(self, trial_id):
        self.asked += 1
        with open(sys.argv[1] + "/asked.txt", "a") as file:
            file.write(trial_id + "\\n")
        return {"status": "RUNNING", "values": {"x": self.asked / 10}}

    def get_state(self):
        return {**super().get_state(), "asked": self.asked}

    def set_state(self, state):
        super().set_state(state)
        self.asked = state["asked"]

class Mine(BaseTuner):
    def run_trial(self, trial, seconds):
        with open(sys.argv[1] + "/ran.txt", "a") as file:
            file.write(f"{self.tuner_id} {trial.trial_id}\\n")
        time.sleep(seconds)
        trial.hyperparameters.Int("met in a worker", 1, 3)
        return {"loss": (trial.hyperparameters.values["x"] - 0.4) ** 2}

oracle = Counting(objective=kt.Objective("loss", "min"), max_trials=6)
tuner = Mine(oracle, directory=sys.argv[1], project_name="mine")
tuner.search(float(sys.argv[2]))
print("best", tuner.get_best_hyperparameters()[0].values["x"], tuner.oracle.trials.keys() and len(tuner.oracle.trials))
"""

LANES = """
import sys
import keras, numpy as np
import dialed.keras_tuner as kt

def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Choice("learning_rate", [0.1, 0.01])), "mse")
    return model

x = np.linspace(0.0, 1.0, 64, dtype="float32").reshape(32, 2)
tuner = kt.RandomSearch(build, objective="val_loss", max_trials=2, seed=1, directory=sys.argv[1], project_name="lanes")
tuner.search(x, x[:, :1], epochs=1, validation_split=0.25, verbose=0)
print("best", len(tuner.oracle.trials), tuner.get_best_models()[0].count_params() > 0)
"""


@contextmanager
def started(script: str, folder: Path, name: str, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """The same script, in a process that its environment gives a role, and that does not outlive the test."""
    path = folder / "script.py"
    path.write_text(dedent(script), encoding="utf-8")
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "KERASTUNER_TUNER_ID": name,
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": "8000",
    }
    command = [sys.executable, str(path), str(folder), *arguments]
    with subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]") -> str:
    """What it printed, once it has ended well."""
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0, out
    return out


def until_it_ran(folder: Path, name: str) -> None:
    """Wait until the worker `name` has begun a trial."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if (folder / "ran.txt").exists() and any(
            line.startswith(f"{name} ") for line in (folder / "ran.txt").read_text().splitlines()
        ):
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} never ran a trial.")


@pytest.mark.slow
def test_workers_run_what_the_chief_decides_and_one_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """A worker starts before the chief, another is killed in a trial; an oracle of the user's own is the chief's alone."""
    with (
        started(BY_ITSELF, tmp_path, "tuner0", "0.2") as early,
        started(BY_ITSELF, tmp_path, "tuner1", "600") as killed,
        started(BY_ITSELF, tmp_path, "chief", "0.2") as chief,
    ):
        until_it_ran(tmp_path, "tuner1")
        killed.send_signal(signal.SIGKILL)
        said = [ended(process) for process in (chief, early)]
    assert "Waits for the chief" in said[1]
    assert [text.splitlines()[-1] for text in said] == ["best 0.4 6"] * 2
    ran = [line.split() for line in (tmp_path / "ran.txt").read_text().splitlines()]
    lost = next(trial for name, trial in ran if name == "tuner1")
    assert ["tuner0", lost] in ran
    assert not any(name == "chief" for name, _ in ran)
    assert sorted((tmp_path / "asked.txt").read_text().split()) == [str(n) for n in range(6)]
    trials = [json.loads(p.read_text()) for p in (tmp_path / "mine").glob("trial_*/trial.json")]
    assert [t["status"] for t in trials] == ["COMPLETED"] * 6
    assert all("met in a worker" in t["hyperparameters"]["values"] for t in trials)
    space = json.loads((tmp_path / "mine" / "oracle.json").read_text())["hyperparameters"]["space"]
    assert [hp["config"]["name"] for hp in space] == ["met in a worker"]


@pytest.mark.slow
def test_workers_train_in_lanes_what_the_chief_decides(tmp_path: Path) -> None:
    """Both can load the best model."""
    with started(LANES, tmp_path, "chief") as chief, started(LANES, tmp_path, "tuner0") as worker:
        said = [ended(process).splitlines()[-1] for process in (chief, worker)]
    assert said == ["best 2 True"] * 2
    study = json.loads((tmp_path / "lanes" / "call.json").read_text())
    assert study["kind"] == "lanes" and study["over"]
