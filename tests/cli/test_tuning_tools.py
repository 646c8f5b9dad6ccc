"""The tools on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dialed.tools import batches, lr_range, optimizers
from dialed.tools.batches.finding import BatchSizes
from dialed.tools.batches.ladder import Rung
from dialed.tools.lr_range import RangeTest
from dialed.tools.optimizers.comparing import OptimizerComparison, Standing

MODEL = """
import keras, numpy as np

def build_model(hp):
    print("building")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def load_data():
    x = np.random.default_rng(0).normal(size=(128, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int32")
"""

VALUES = np.geomspace(1e-4, 1.0, 20)
RANGE = RangeTest(
    number="learning_rate",
    values=VALUES,
    losses=np.linspace(1.0, 0.5, 20)[None],
    validation=None,
    curve=np.linspace(1.0, 0.5, 20),
    suggestion=0.01,
    interval=None,
    range=(0.01, 0.1),
    suggestions={"valley": 0.01},
    reason="",
    batch_size=32,
    way="one seed after another",
)
SIZES = BatchSizes(
    suggestion=16,
    range=(4, 16),
    largest=64,
    is_all=True,
    fastest=16,
    noise_scale=None,
    rungs=(Rung(size=8, step_seconds=0.01, bytes=None), Rung(size=16, step_seconds=0.01, bytes=2**20)),
    samples=128,
    way="Measured.",
)
BEST = Standing(
    name="adam",
    learning_rate=0.01,
    scores=(0.1, 0.2),
    mean=0.15,
    interval=(0.1, 0.2),
    behind=0.0,
    behind_interval=None,
    reason="",
)
OPTIMIZERS = OptimizerComparison(
    suggestion="adam", learning_rate=0.01, standings=(BEST,), objective="val_loss", epochs=2, seeds=2
)
TOOLS = {
    "lr-range": (lr_range, "lr_range_test", RANGE),
    "batch-size": (batches, "find_batch_size", SIZES),
    "optimizers": (optimizers, "compare_optimizers", OPTIMIZERS),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, working_folder: Path) -> dict[str, Any]:
    """What the tools were called with. They answer at once; what they do is tested where they are."""
    Path("model.py").write_text(MODEL)
    calls: dict[str, Any] = {}

    def stands_in(command: str, result: Any) -> Any:
        def tool(build: Any, x: Any, y: Any, **arguments: Any) -> Any:
            build(SimpleNamespace())
            calls[command] = {"x": x, "y": y, **arguments}
            return result

        return tool

    for command, (module, name, result) in TOOLS.items():
        monkeypatch.setattr(module, name, stands_in(command, result))
    return calls


@pytest.mark.parametrize("command", list(TOOLS))
@pytest.mark.parametrize("suffix", [".png", ".html"])
def test_a_result_is_printed_and_drawn(dialed, asked: dict[str, Any], command: str, suffix: str) -> None:
    said = dialed(command, "model.py:build_model", "--output", f"out{suffix}")
    assert said.exit_code == 0, said.output
    assert str(TOOLS[command][2]) in said.stdout
    assert f"Drawn into out{suffix}." in said.stderr
    assert asked[command]["x"].shape == (128, 4)
    written = Path(f"out{suffix}").read_bytes()
    assert written.startswith(b"<!doctype html>" if suffix == ".html" else b"\x89PNG")
    assert len(written) > 10_000
    assert b"<script" not in written


@pytest.mark.parametrize("command", list(TOOLS))
def test_json_is_one_document_whatever_the_users_code_prints(dialed, asked: dict[str, Any], command: str) -> None:
    said = dialed(command, "model.py:build_model", "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["suggestion"] == TOOLS[command][2].suggestion


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "options", "said_of"),
    [
        ("lr-range", ("--steps", "60", "--seeds", "2"), r"Suggestion: [0-9]"),
        ("batch-size", ("--low", "16", "--high", "32", "--no-noise-scale"), r"Batch size: (16|32)"),
        ("optimizers", ("--optimizers", "sgd,adam", "--seeds", "2", "--epochs", "2"), r"(?s)adam.*sgd|sgd.*adam"),
    ],
)
def test_the_tool_itself_answers(dialed, working_folder: Path, command: str, options: Any, said_of: str) -> None:
    """From the command to the picture, with nothing that stands in for anything."""
    Path("model.py").write_text(MODEL)
    said = dialed(command, "model.py:build_model", *options, "--output", "out.png")
    assert said.exit_code == 0, said.output
    assert re.search(said_of, said.stdout), said.stdout
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")


def test_options_reach_the_tool(dialed, asked: dict[str, Any]) -> None:
    dialed("lr-range", "model.py:build_model", "--number", "weight_decay", "--low", "0.1", "--seeds", "2")
    assert (asked["lr-range"]["number"], asked["lr-range"]["low"], asked["lr-range"]["seeds"]) == (
        "weight_decay",
        0.1,
        2,
    )
    dialed("batch-size", "model.py:build_model", "--no-noise-scale", "--high", "64")
    assert (asked["batch-size"]["noise_scale"], asked["batch-size"]["high"]) == (False, 64)
    dialed("optimizers", "model.py:build_model", "--optimizers", "adam, lion", "--objective", "f:max")
    assert asked["optimizers"]["optimizers"] == ["adam", "lion"]
    assert asked["optimizers"]["objective"].direction == "max"


def test_without_a_suggestion_it_exits_with_1(dialed, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    none = SimpleNamespace(
        **{name: getattr(RANGE, name) for name in RangeTest.__dataclass_fields__} | {"suggestion": None}
    )
    monkeypatch.setattr(lr_range, "lr_range_test", lambda *_, **__: none)
    assert dialed("lr-range", "model.py:build_model", "--json").exit_code == 1


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("out.txt", "`--output` must end with .png, .svg, .pdf or .html"),
        ("no/out.png", "must lie in a folder that is there"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_first(dialed, asked: dict[str, Any], output: str, why: str) -> None:
    said = dialed("lr-range", "model.py:build_model", "--output", output)
    assert said.exit_code == 2
    assert why in said.stderr
    assert not asked
