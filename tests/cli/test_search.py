"""`dialed run`, `resume` and `preview` with a real model, in real processes where it matters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import dialed as dialed_package

MODEL = """
import keras
import numpy as np

print("a build file that talks")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 2, 8), activation="relu")])
    model.add(keras.layers.Dense(3, activation="softmax"))
    adam = keras.optimizers.Adam(hp.Float("learning_rate", 1e-3, 1e-1, sampling="log"))
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def broken_model(hp):
    hp.Float("learning_rate", 1e-3, 1e-1)
    raise RuntimeError("this model cannot be")


def load_data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 4)).astype("float32")
    y = x[:, :3].argmax(axis=1)
    return (x[:100], y[:100]), (x[100:], y[100:])
"""


@pytest.fixture(autouse=True)
def model(working_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`model.py` in the current folder."""
    monkeypatch.syspath_prepend(str(working_folder))  # and take away again what an import puts there
    file = working_folder / "model.py"
    file.write_text(MODEL)
    return file


BUILD = "model.py:build_model"
QUICK = ("--epochs", "2", "--max-trials", "2", "--seed", "0", "--no-confirm")


@pytest.mark.slow
def test_a_run_ends_with_the_winner_the_test_data_and_what_to_type_next(dialed) -> None:
    said = dialed("run", BUILD, *QUICK, "--name", "mine", "--objective", "val_accuracy")
    assert said.exit_code == 0, said.output
    assert "Winner: trial" in said.stdout
    assert "On the test data, which no trial has seen: accuracy 0." in said.stdout
    assert "Kept in dialed.db as mine. Next: dialed show mine" in said.stdout
    assert len(dialed_package.load("mine").trials) == 2


@pytest.mark.slow
def test_two_runs_are_compared_anew_from_what_is_recorded_of_the_first(dialed) -> None:
    for name, trials in (("mine", "2"), ("defaults", "1")):
        dialed("run", BUILD, *QUICK, "--max-trials", trials, "--name", name, "--objective", "val_loss")
    said = dialed("compare", "mine", "defaults", "--retrain", "2", "--json")
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["paired"] and found["difference"]["low"] <= found["difference"]["mean"]
    assert "Under 2 fresh seeds that both share" in found["sentences"][-1]


@pytest.mark.slow
def test_a_run_as_json_prints_one_document_whatever_the_users_code_prints(working_folder: Path) -> None:
    """A real process, with the library's and the user's own prints on standard error."""
    done = process("run", BUILD, *QUICK, "--name", "mine", "--json")
    out, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    found = json.loads(out)
    assert found["name"] == "mine" and found["winner"]["score"] is not None
    assert set(found["test"]) == {"loss", "accuracy"}
    assert "a build file that talks" in err and "trial 1" in err


@pytest.mark.slow
def test_the_test_data_have_no_part_in_the_search(dialed) -> None:
    """Other test data give the same trials."""
    (train, test) = _data()
    np.savez("a.npz", x_train=train[0], y_train=train[1], x_test=test[0], y_test=test[1])
    np.savez("b.npz", x_train=train[0], y_train=train[1], x_test=test[0] * 100, y_test=1 - test[1].clip(0, 1))
    for name in "ab":
        assert dialed("run", BUILD, "--data", f"{name}.npz", *QUICK, "--name", name).exit_code == 0
    scores = [[trial.score for trial in dialed_package.load(name).trials] for name in "ab"]
    assert scores[0] == scores[1]


@pytest.mark.slow
def test_a_table_gives_data_too(dialed) -> None:
    rows = ["a,b,c,d,kind", *(",".join([*(f"{v:.3f}" for v in x), "xyz"[y]]) for x, y in zip(*_data()[0], strict=True))]
    Path("data.csv").write_text("\n".join(rows))
    said = dialed("run", BUILD, "--data", "data.csv", "--target", "kind", *QUICK, "--name", "table")
    assert said.exit_code == 0, said.output
    assert "Column 'kind' became labels: 0 = x, 1 = y, 2 = z." in said.stderr
    assert "On the test data" not in said.stdout


@pytest.mark.slow
def test_a_finished_run_goes_on_with_a_larger_budget_from_another_folder(
    dialed, working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The study knows where its builder and data are."""
    assert dialed("run", BUILD, *QUICK, "--name", "mine").exit_code == 0
    (working_folder / "elsewhere").mkdir()
    monkeypatch.chdir(working_folder / "elsewhere")
    said = dialed("resume", "mine", "--store", "../dialed.db", "--max-trials", "3")
    assert said.exit_code == 0, said.output
    study = dialed_package.load("mine", "../dialed.db")
    assert len(study.trials) == 3
    assert study.settings["run"]["max_trials"] == 3


@pytest.mark.slow
def test_a_run_from_a_file_of_options(dialed) -> None:
    Path("search.toml").write_text(
        '[search]\nmax_trials = 2\nepochs = {min = 1, max = 2}\nbatch_size = [16, 32]\nconfirm = false\nname = "told"\n'
        "[fit]\nshuffle = false\n"
    )
    assert dialed("run", BUILD, "--config", "search.toml").exit_code == 0
    study = dialed_package.load("told")
    assert {"epochs", "batch_size"} <= set(study.space.names) and len(study.trials) == 2


@pytest.mark.slow
def test_a_preview_tells_the_plan_and_stores_nothing(dialed, working_folder: Path) -> None:
    said = dialed("preview", BUILD, "--epochs", "2", "--max-trials", "3", "--objective", "val_loss")
    assert said.exit_code == 0, said.output
    assert "3 (3 members), until max_trials=3" in said.stdout
    found = json.loads(dialed("preview", BUILD, "--epochs", "2", "--max-trials", "3", "--json").stdout)
    assert (found["trials"], found["epochs"]) == (3, 6)
    assert not list(working_folder.glob("dialed.*"))


def test_a_misspelt_objective_is_refused_with_exit_code_2(dialed) -> None:
    said = dialed("run", BUILD, *QUICK, "--objective", "val_acuracy")
    assert said.exit_code == 2 and "Did you mean 'val_accuracy'?" in said.stderr
    assert not said.stderr.count("Traceback")


def test_a_search_without_an_end_is_refused(dialed) -> None:
    said = dialed("run", BUILD, "--epochs", "1")
    assert said.exit_code == 2 and "One of `max_trials`, `max_epochs` and `max_time` must be given" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py:build_model"], "nowhere.py' must be a file. Got no such file"),
        ([BUILD, "--data", "d.xls"], "The data must be an .npz file, a .csv file, or a function"),
        ([BUILD, "--epochs", "many"], "The `epochs` must be a whole number such as 64"),
        ([BUILD, "--max-time", "soon"], "The `max_time` must be a positive number of seconds"),
        ([BUILD, "--config", "none.toml"], "`--config` must be a TOML file"),
        ([BUILD, "--strategy", "gird", "--max-trials", "1"], "grid"),
        ([BUILD, "--cv", "1", "--max-trials", "1"], "`cv`"),
        ([], "Missing argument"),
    ],
)
def test_bad_input_is_exit_code_2_and_no_study(dialed, arguments: list[str], message: str) -> None:
    said = dialed("run", *arguments)
    assert said.exit_code == 2, said.output
    assert message in said.stderr and said.stdout in ("", "a build file that talks\n")
    assert json.loads(dialed("studies", "--json").stdout) == []


@pytest.mark.slow
def test_a_model_that_can_never_be_built_is_an_error_and_no_study(dialed) -> None:
    said = dialed("run", "model.py:broken_model", *QUICK)
    assert said.exit_code in (1, 2) and "this model cannot be" in said.stderr


@pytest.mark.slow
def test_ctrl_c_leaves_a_study_that_resume_finishes(working_folder: Path) -> None:
    """Interrupted in the middle: exit code 130, a message with the command to type, and nothing is lost or repeated."""
    limits = ("--epochs", "80", "--max-trials", "20", "--seed", "0", "--no-confirm")
    running = process("run", BUILD, *limits, "--name", "mine")
    wait_for_trials(running, "mine", 2)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert "Interrupted. The study 'mine' is kept in dialed.db. Go on with it: dialed resume mine" in err
    assert "Traceback" not in err
    before = [(t.number, dict(t.values)) for t in dialed_package.load("mine").trials]
    assert len(before) < 20, "trials are begun in groups, not all at once"

    resumed = process("resume", "mine")
    _, err = resumed.communicate(timeout=300)
    assert resumed.returncode == 0, err
    trials = dialed_package.load("mine").trials
    assert [(t.number, dict(t.values)) for t in trials][: len(before)] == before
    assert len(trials) == 20 and all(t.state == "completed" and t.epochs == 80 for t in trials)


def process(*arguments: str) -> subprocess.Popen[str]:
    """`python -m dialed` with these arguments, as a user's shell would start it."""
    return subprocess.Popen(
        [sys.executable, "-m", "dialed", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=dict(os.environ),
    )


def wait_for_trials(running: subprocess.Popen[str], name: str, count: int) -> None:
    """Wait until the study has finished `count` trials."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert running.poll() is None, running.communicate()
        if Path("dialed.db").exists() and _finished(name) >= count:
            return
        time.sleep(0.2)
    raise TimeoutError(f"'{name}' has not finished {count} trials")


def _finished(name: str) -> int:
    from dialed.store import open_catalog

    with open_catalog() as catalog:
        if not catalog.exists(name):
            return 0
        return sum(trial.state.finished for trial in catalog.open(name).trial_rows())


def _data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    from dialed.cli.load import load_python

    loaded = load_python("model.py:load_data")
    return (loaded.x_train, loaded.y_train), (loaded.x_test, loaded.y_test)
