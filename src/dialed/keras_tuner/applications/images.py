"""What the search spaces for images share: their inputs, their pooling, and what must be given."""

from __future__ import annotations

from typing import Any

import keras

from dialed.keras_tuner.engine.hypermodel import HyperModel
from dialed.keras_tuner.engine.hyperparameters import HyperParameters

__all__ = ["ImageHyperModel", "batch_norm", "pooled"]

_EPSILON = 1.001e-5
"""Of the batch normalisations of the published ResNets, as in `keras.applications`."""


class ImageHyperModel(HyperModel):
    """Takes images.

    Args:
        input_shape: Height, width and channels. Defaults to those of `input_tensor`.
        input_tensor: A Keras tensor to begin with. Defaults to a new input.

    Raises:
        ValueError: Neither is given.
    """

    def __init__(
        self, *, input_shape: tuple[int | None, ...] | None = None, input_tensor: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if input_shape is None and input_tensor is None:
            raise ValueError("You must specify either `input_shape` or `input_tensor`. Got None for both.")
        self.input_shape = input_shape
        self.input_tensor = input_tensor

    def inputs(self) -> tuple[Any, Any]:
        """The model's inputs, and the tensor to go on with."""
        if self.input_tensor is not None:
            return keras.utils.get_source_inputs(self.input_tensor), self.input_tensor
        inputs = keras.Input(shape=self.input_shape)
        return inputs, inputs

    @staticmethod
    def check_classes(classes: int | None, *, needed: bool) -> None:
        """Raise `ValueError` where a top is wanted and the number of classes is not known."""
        if needed and not classes:
            raise ValueError(f"You must specify `classes` when `include_top=True`. Got {classes!r}.")


def batch_norm(x: Any) -> Any:
    """Normalise the channels."""
    axis = -1 if keras.backend.image_data_format() == "channels_last" else 1
    return keras.layers.BatchNormalization(axis=axis, epsilon=_EPSILON)(x)


def pooled(x: Any, hp: HyperParameters) -> Any:
    """One number for each channel; "pooling" says which."""
    pooling = hp.Choice("pooling", ["avg", "max"], default="avg")
    return (keras.layers.GlobalMaxPooling2D if pooling == "max" else keras.layers.GlobalAveragePooling2D)()(x)
