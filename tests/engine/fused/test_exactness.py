"""In float64 a lane is what `model.fit` trains, to the last digits, whatever the model is made of.

The cases and their comparison are in `exactness_cases.py`; a process of its own has the wider dtype.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("exactness_cases.py")
EXACT = 1e-10
SOME = ("quick",)
"""What the fast suite compares."""

ALL = (
    "rich",
    *(
        "SGD",
        "SGD momentum",
        "Adam",
        "Adam amsgrad",
        "AdamW",
        "Adamax",
        "Nadam",
        "Lamb",
        "RMSprop",
        "Adagrad",
        "Adadelta",
    ),
    *("Ftrl", "Lion", "Adafactor", "Muon", "accumulated", "scaled loss"),
    *("ExponentialDecay", "CosineDecay", "CosineDecayRestarts", "PolynomialDecay", "InverseTimeDecay"),
    *("AlphaDropout", "SpatialDropout", "GaussianNoise", "LayerNormalization", "GroupNormalization", "ELU", "ReLU"),
    *("activity", "constraint", "user layer", "focal", "huber"),
    *("functional", "recurrent", "attentive", "convolutional", "two outputs", "unbuilt", "many metrics"),
    *("weighted", "classes weighted", "folds", "in order", "batch order", "seldom validated", "smaller than a batch"),
)


def compared(*cases):
    """The lines that the script prints for `cases`."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *cases],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(line):
    assert line["failures"] == []
    assert len(line["engines"]) == 1, "one program for all lanes"
    assert line["engines"][0].startswith("fused-")
    assert line["metrics"] <= EXACT
    assert line["arrays"] <= EXACT
    assert line["same"], "the checkpoints must hold the same arrays, and the same whole numbers in them"
    assert line["spread"] > 1e-4, "lanes must differ, or the comparison shows nothing"


@pytest.mark.parametrize("case", SOME)
def test_a_lane_is_fit_at_once(case):
    (line,) = compared(case)
    check(line)


@pytest.mark.slow
@pytest.mark.parametrize("case", ALL)
def test_a_lane_is_fit(case):
    (line,) = compared(case)
    check(line)


@pytest.mark.slow
def test_a_wrong_number_shows():
    """The negative control: numbers off by a millionth."""
    (line,) = compared("control:rich")
    assert line["metrics"] > 1000 * EXACT
    assert line["arrays"] > 1000 * EXACT
