"""The demo, from its first line to what it says to type next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dialed as dialed_package


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A real process, in the current folder."""
    return subprocess.run(
        [sys.executable, "-m", "dialed", "demo", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "80"},
        timeout=300,
    )


@pytest.mark.slow
def test_the_demo_ends_with_a_winner_pictures_and_what_to_type_next(working_folder: Path, dialed) -> None:
    done = demo("--max-time", "40s", "--name", "mine")
    assert done.returncode == 0, done.stderr
    for part in (
        "Winner: trial",
        "\nTrained: ",
        "the defaults",
        "Test accuracy: 0.",
        "The report is mine.html",
        "dialed show mine",
        "dialed best mine",
        "█",
    ):
        assert part in done.stdout
    assert "The study mine is kept in dialed.db" in done.stdout
    assert Path("mine.html").read_text().startswith("<!doctype html>")
    study = dialed_package.load("mine")
    assert study.baseline is not None and study.best_trial is not None and study.best_trial.score > 0.9
    assert dialed("show", "mine").exit_code == 0
    assert dialed("best", "mine").exit_code == 0


@pytest.mark.slow
def test_the_demo_takes_other_images_and_goes_on_where_it_stopped(working_folder: Path) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, size=200)
    x = (rng.random((200, 5, 6)) * 50 + y[:, None, None] * 200).astype("uint8")
    np.savez("stripes.npz", x_train=x[:150], y_train=y[:150], x_test=x[150:], y_test=y[150:])
    done = demo("--data", "stripes.npz", "--max-time", "40s", "--name", "stripes", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["trained"]["trials"] + sum(found["trained"]["alone"].values()) > 0
    assert found["test"]["accuracy"] > 0.9 and len(found["predictions"]) == 10
    assert {p["label"] for p in found["predictions"]} <= {0, 1}

    more = str(found["trials_begun"] + 1)
    resumed = subprocess.run(
        [sys.executable, "-m", "dialed", "resume", "stripes", "--max-time", "10m", "--max-trials", more, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["trials_begun"] == found["trials_begun"] + 1


def test_the_demo_refuses_what_is_not_images(dialed, working_folder: Path) -> None:
    np.savez(
        "table.npz",
        x_train=np.zeros((9, 4)),
        y_train=np.zeros(9, int),
        x_test=np.zeros((2, 4)),
        y_test=np.zeros(2, int),
    )
    said = dialed("demo", "--data", "table.npz")
    assert said.exit_code == 2 and "must be images of shape" in said.stderr
    assert not list(working_folder.glob("dialed.*"))
