"""The network of the demo, and what is tuned of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialed.space import HyperParameters

if TYPE_CHECKING:
    import keras

__all__ = ["ImageClassifier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageClassifier:
    """Builds a fully connected network for images of any size. An instance is a build function.

    Args:
        shape: The shape of an image, (height, width) or (height, width, channels).
        brightest: The pixel value that stands for white; scaled to 1 inside the model.
        classes: How many classes there are.

    Example:
        >>> from dialed.cli.demo.model import ImageClassifier
        >>> from dialed.space import HyperParameters
        >>> build = ImageClassifier(shape=(8, 8), brightest=16.0, classes=10)
        >>> build(HyperParameters({"layers": 2, "units": 32})).output_shape
        (None, 10)
    """

    shape: tuple[int, ...]
    brightest: float
    classes: int

    def __call__(self, hp: HyperParameters) -> keras.Model:
        """The compiled model of the values in `hp`."""
        import keras

        layers: list[keras.Layer] = [
            keras.Input(self.shape),
            keras.layers.Rescaling(1.0 / self.brightest),
            keras.layers.Flatten(),
        ]
        units = hp.Int("units", 32, 256, step=32, default=64)
        activation = hp.Choice("activation", ["relu", "tanh", "silu"])
        dropout = hp.Float("dropout", 0.0, 0.5, step=0.1)
        for _ in range(hp.Int("layers", 1, 3)):
            layers += [keras.layers.Dense(units, activation=activation), keras.layers.Dropout(dropout)]
        model = keras.Sequential([*layers, keras.layers.Dense(self.classes, activation="softmax")])
        model.compile(_optimizer(hp), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


def _optimizer(hp: HyperParameters) -> keras.optimizers.Optimizer:
    import keras

    learning_rate = hp.Float("learning_rate", 3e-4, 3e-2, sampling="log", default=1e-3)
    match hp.Choice("optimizer", ["adam", "rmsprop", "sgd"]):
        case "rmsprop":
            return keras.optimizers.RMSprop(learning_rate)
        case "sgd":
            return keras.optimizers.SGD(learning_rate, momentum=0.9)
        case _:
            return keras.optimizers.Adam(learning_rate)
