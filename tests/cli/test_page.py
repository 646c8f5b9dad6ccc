"""Every command on the page of the command line is run as it stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"

TABLE = """
import keras


def build_model(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.Choice("units", [4, 8])), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")), "mse")
    return model
"""


ELSEWHERE = {
    "demo": "demo/test_command.py: takes its time, whatever the machine",
    "worker": "test_worker.py: works for a search that another process runs",
    "lr-range": "test_tuning_tools.py: takes a minute",
    "batch-size": "test_tuning_tools.py: takes minutes",
    "optimizers": "test_tuning_tools.py: takes minutes",
    "dashboard": "test_dashboard.py: serves until it is stopped",
    "report": "test_dashboard.py: speaks of a study that is not made here",
}
"""The commands that are tested in other files, and why not here."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def commands() -> Iterator[list[str]]:
    """The commands of the page, in order, without the word `dialed`."""
    for line in "".join(blocks("console")).splitlines():
        words = shlex.split(line, comments=True)
        if words:
            assert words[0] == "dialed", f"not a command of this page: {line}"
            yield words[1:]


def shorter(words: list[str]) -> list[str]:
    """The same command with a test's patience: where only minutes end it, a few trials do, on any machine."""
    return [*words, "--max-trials", "4"] if words[0] == "run" and "--max-trials" not in words else words


@pytest.mark.slow
def test_every_command_of_the_page_works(dialed, working_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are run in order in one folder that holds the files the page speaks of, and nothing is left out."""
    monkeypatch.syspath_prepend(str(working_folder))
    (script,), (options,) = blocks("python"), blocks("toml")
    Path("model.py").write_text(script)
    Path("search.toml").write_text(options)
    _make_data()
    told = [shorter(words) for words in commands()]
    assert {words[0] for words in told} >= {
        "demo",
        "run",
        "resume",
        "preview",
        "studies",
        "show",
        "best",
        "export",
        "doctor",
    }
    for words in (words for words in told if words[0] not in ELSEWHERE):
        said = dialed(*words)
        assert said.exit_code == 0, f"dialed {' '.join(words)}\n{said.output}"
        assert said.stdout or words[0] == "export"


def _make_data() -> None:
    from sklearn.datasets import load_digits

    import dialed.keras_tuner as kt

    class Bowl(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            return trial.hyperparameters.Float("x", 0.0, 1.0)

    Bowl(objective="loss", max_trials=2, directory="my_dir", project_name="intro_to_kt").search(verbose=0)

    x, y = load_digits(return_X_y=True)
    np.savez("digits.npz", x_train=x[:1400], y_train=y[:1400], x_test=x[1400:], y_test=y[1400:])
    images = x.reshape(-1, 8, 8)
    np.savez("mnist.npz", x_train=images[:1400], y_train=y[:1400], x_test=images[1400:], y_test=y[1400:])
    Path("table.py").write_text(TABLE)
    rows = (f"{a},{b},{a + b}" for a, b in np.random.default_rng(0).normal(size=(60, 2)).round(3))
    Path("wine.csv").write_text("\n".join(["acid,sugar,quality", *rows]))
