"""In float64 a lane is what `model.fit` trains, to the last digits, whatever the model is made of.

The cases and their comparison are in `exactness_cases.py`; a process of its own has the wider dtype, for all cases.
"""

import pytest

SCRIPT = "exactness_cases.py"
EXACT = 1e-10
SOME = ("quick",)
"""What the fast suite compares."""

WITH_CALLBACKS = ("stops and restores", "plateau", "rate by epoch", "meddling", "meddling with widths")

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
    *("AlphaDropout", "SpatialDropout", "GaussianNoise", "GroupNormalization", "ELU", "ReLU"),
    *("activity", "constraint", "user layer", "focal", "huber"),
    *("own step", "GaussianDropout"),
    *("recurrent", "convolutional", "two outputs", "unbuilt", "many metrics"),
    *("weighted", "classes weighted", "folds", "in order", "batch order", "seldom validated", "smaller than a batch"),
)

ROUNDED = ("normalized", "LayerNormalization", "functional", "attentive")
"""With a normalization, whose mean and variance Keras computes in float32 whatever the dtype: how they are rounded
depends on the processor's vectors."""

WHOLE = (*ALL, *ROUNDED, *WITH_CALLBACKS, "own logs", "control:rich")
"""One process for all: to begin one, and the first small programs, takes as long as three cases."""


def check(line):
    assert not line.get("error")
    assert line["failures"] == []
    assert len(line["engines"]) == 1, "one program for all lanes"
    assert line["engines"][0].startswith("fused-")
    assert line["metrics"] <= EXACT
    assert line["arrays"] <= EXACT
    assert line["same"], "the checkpoints must hold the same arrays, and the same whole numbers in them"
    assert line["spread"] > 1e-4, "lanes must differ, or the comparison shows nothing"


@pytest.mark.parametrize("case", SOME)
def test_a_lane_is_fit_at_once(compared, case):
    check(compared(SCRIPT, *SOME)[case])


@pytest.mark.slow
@pytest.mark.parametrize("case", ALL)
def test_a_lane_is_fit(compared, case):
    check(compared(SCRIPT, *WHOLE)[case])


@pytest.mark.slow
@pytest.mark.parametrize("case", ROUNDED)
def test_a_normalized_lane_is_fit_to_the_precision_of_its_statistics(compared, case):
    line = compared(SCRIPT, *WHOLE)[case]
    assert not line.get("error")
    assert line["failures"] == []
    assert line["engines"] == ["fused-1"]
    assert line["metrics"] <= 1e-6
    assert line["spread"] > 1e-4


@pytest.mark.slow
def test_logs_that_are_named_as_the_metrics_are_the_metrics(compared):
    """As in `fit`, which then asks the model and not the last step."""
    assert compared(SCRIPT, *WHOLE)["own logs"]["metrics"] <= EXACT


@pytest.mark.slow
def test_callbacks_see_and_change_what_they_would_in_fit(compared):
    """Their attributes are in the checkpoints, which are compared; and they end lanes at different epochs."""
    lines = {case: compared(SCRIPT, *WHOLE)[case] for case in WITH_CALLBACKS}
    for line in lines.values():
        check(line)
    assert {case: line["epochs"] for case, line in lines.items()} == {
        "stops and restores": [3, 4],
        "plateau": [4],
        "rate by epoch": [2, 4],
        "meddling": [4],
        "meddling with widths": [4],
    }


@pytest.mark.slow
def test_a_wrong_number_shows(compared):
    """The negative control: numbers off by a millionth."""
    line = compared(SCRIPT, *WHOLE)["control:rich"]
    assert line["metrics"] > 1000 * EXACT
    assert line["arrays"] > 1000 * EXACT
