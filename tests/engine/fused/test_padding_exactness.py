"""In float64 a narrow lane in a wide program is what `model.fit` trains alone, layer by layer.

The cases are in `padding_cases.py`; a process of its own has the wider dtype, for all cases.
"""

import pytest

SCRIPT = "padding_cases.py"
EXACT = 1e-10
ALL = (
    *(f"activation {name}" for name in ("sigmoid", "softplus", "exponential", "hard_sigmoid", "elu", "gelu", "selu")),
    *("layer Dropout", "layer GaussianNoise", "layer GaussianDropout"),
    *("layer AlphaDropout", "layer Rescaling", "layer LeakyReLU"),
    *("optimizer SGD", "optimizer AdamW", "optimizer Nadam", "optimizer Adamax", "optimizer RMSprop"),
    *("optimizer Adagrad", "optimizer Adadelta", "optimizer Lion", "optimizer Lamb", "optimizer scaled"),
    *("chosen activations", "convolutions", "reshaped", "repeated", "LSTM", "GRU"),
    "both ways",
)
ROUNDED = (
    *(
        "layer BatchNormalization",
        "layer LayerNormalization",
        "layer LayerNormalization bare",
        "layer RMSNormalization",
    ),
    *("depthwise", "grouped", "attentive"),
)
"""With layers whose statistics Keras computes in float32 whatever the dtype."""


def check(line, exact):
    assert not line.get("error")
    assert line["failures"] == []
    assert all(engine.startswith("fused-") for engine in line["engines"])
    assert len(line["engines"]) < 3, "lanes of different widths share programs"
    assert line["metrics"] <= exact
    assert line["arrays"] <= 100 * exact
    assert line["spread"] > 1e-4, "lanes must differ, or the comparison shows nothing"


@pytest.mark.slow
@pytest.mark.parametrize("case", ALL)
def test_a_narrow_lane_is_fit(compared, case):
    line = compared(SCRIPT, *ALL, *ROUNDED)[case]
    check(line, EXACT)
    assert line["same"], "the checkpoints must hold the same arrays, and the same whole numbers in them"


@pytest.mark.slow
@pytest.mark.parametrize("case", ROUNDED)
def test_a_narrow_lane_is_fit_to_the_precision_of_its_statistics(compared, case):
    check(compared(SCRIPT, *ALL, *ROUNDED)[case], 1e-6)
