"""The network of the demo."""

from __future__ import annotations

import pytest

from dialed.cli.demo.model import ImageClassifier
from dialed.space import HyperParameters


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (32, 32, 3)])
@pytest.mark.parametrize("values", [{}, {"layers": 3, "units": 96, "optimizer": "sgd"}, {"optimizer": "rmsprop"}])
def test_one_builder_serves_any_size_and_any_values(shape: tuple[int, ...], values: dict[str, object]) -> None:
    hp = HyperParameters(values)
    model = ImageClassifier(shape=shape, brightest=255.0, classes=7)(hp)
    assert model.input_shape == (None, *shape) and model.output_shape == (None, 7)
    assert sum(layer.name.startswith("dense") for layer in model.layers) == hp.get("layers") + 1
    assert type(model.optimizer).__name__.lower() == hp.get("optimizer")


def test_what_the_demo_promises_to_tune_is_what_it_asks_for() -> None:
    hp = HyperParameters()
    ImageClassifier(shape=(8, 8), brightest=16.0, classes=10)(hp)
    assert set(hp.asked) == {"units", "activation", "dropout", "layers", "learning_rate", "optimizer"}
