"""EfficientNets with ImageNet's weights and a new top: version, pooling, dropout and learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from dialed.keras_tuner.applications.images import ImageHyperModel, pooled
from dialed.keras_tuner.engine.hypermodel import HyperModel
from dialed.keras_tuner.engine.hyperparameters import HyperParameters

__all__ = ["HyperEfficientNet"]

_SIZES: Mapping[str, int] = {"B0": 224, "B1": 240, "B2": 260, "B3": 300, "B4": 380, "B5": 456, "B6": 528, "B7": 600}
"""Height and width that each version was trained for."""


class HyperEfficientNet(ImageHyperModel):
    """A search space of EfficientNets: "version" (B0 to B7), "pooling", "top_dropout_rate" and "learning_rate".

    The weights of ImageNet are downloaded by Keras when a version is first built.

    Args:
        input_shape: Height, width and channels. Defaults to those of `input_tensor`.
        input_tensor: A Keras tensor to begin with. Defaults to a new input.
        classes: How many classes the one-hot targets have.
        augmentation_model: A model or a `HyperModel` that changes the images first. Defaults to None.

    Raises:
        ValueError: `classes` are missing, or `augmentation_model` is something else.

    References:
        Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks".
    """

    weights: str | None = "imagenet"
    """What `keras.applications` begins with; a subclass may set it to None."""

    def __init__(
        self,
        input_shape: Any = None,
        input_tensor: Any = None,
        classes: int | None = None,
        augmentation_model: Any = None,
        **kwargs: Any,
    ) -> None:
        if augmentation_model is not None and not isinstance(augmentation_model, (HyperModel, keras.Model)):
            raise ValueError(
                "`augmentation_model` should be a `HyperModel`, a Keras `Model` or empty. Got "
                f"{augmentation_model!r:.80}."
            )
        if not classes:
            raise ValueError(f"You must specify `classes`. Got {classes!r}.")
        super().__init__(input_shape=input_shape, input_tensor=input_tensor, **kwargs)
        self.classes = classes
        self.augmentation_model = augmentation_model

    def build(self, hp: HyperParameters) -> Any:
        """An EfficientNet."""
        inputs, x = self.inputs()
        augment = self.augmentation_model
        if augment is not None:
            x = (augment.build(hp) if isinstance(augment, HyperModel) else augment)(x)
        version = hp.Choice("version", list(_SIZES), default="B0")
        x = layers.Resizing(_SIZES[version], _SIZES[version], interpolation="bilinear")(x)
        make = getattr(keras.applications.efficientnet, f"EfficientNet{version}")
        x = pooled(make(include_top=False, input_tensor=x, weights=self.weights).output, hp)
        rate = hp.Float("top_dropout_rate", min_value=0.2, max_value=0.8, step=0.2, default=0.2)
        x = layers.Dropout(rate, name="top_dropout")(x)
        x = layers.Dense(self.classes, activation="softmax", name="probs")(x)
        model = keras.Model(inputs, x, name="EfficientNet")
        self._compile(model, hp)
        return model

    def _compile(self, model: Any, hp: HyperParameters) -> None:
        """Compile; a subclass may do it in another way."""
        rate = hp.Choice("learning_rate", [0.1, 0.01, 0.001], default=0.01)
        optimizer = keras.optimizers.SGD(momentum=0.1, learning_rate=rate)
        model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
