"""Xception: activation, widths, depths, pooling, dropout and learning rate."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from dialed.keras_tuner.applications.images import ImageHyperModel
from dialed.keras_tuner.engine.hyperparameters import HyperParameters

__all__ = ["HyperXception"]


class HyperXception(ImageHyperModel):
    """A search space of Xceptions: "activation", "conv2d_num_filters", "kernel_size", "initial_strides",
    "sep_num_filters", "num_residual_blocks", "pooling", "num_dense_layers", "dropout_rate", "dense_use_bn" and
    "learning_rate".

    Args:
        include_top: Whether the model ends with a classifier, and is compiled. Defaults to True.
        input_shape: Height, width and channels. Defaults to those of `input_tensor`.
        input_tensor: A Keras tensor to begin with. Defaults to a new input.
        classes: How many classes the one-hot targets have. Defaults to None, without a top.

    References:
        Chollet 2017, "Xception: deep learning with depthwise separable convolutions".
    """

    def __init__(
        self,
        include_top: bool = True,
        input_shape: Any = None,
        input_tensor: Any = None,
        classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_shape=input_shape, input_tensor=input_tensor, **kwargs)
        self.check_classes(classes, needed=include_top)
        self.include_top = include_top
        self.classes = classes

    def build(self, hp: HyperParameters) -> Any:
        """An Xception."""
        activation = hp.Choice("activation", ["relu", "selu"])
        inputs, x = self.inputs()
        filters = hp.Choice("conv2d_num_filters", [32, 64, 128], default=64)
        kernel, strides = hp.Choice("kernel_size", [3, 5]), hp.Choice("initial_strides", [2])
        x = _convolved(x, layers.Conv2D, filters, activation, kernel_size=kernel, strides=strides)
        width = hp.Int("sep_num_filters", 128, 768, step=128, default=256)
        for _ in range(hp.Int("num_residual_blocks", 2, 8, default=4)):
            x = _residual(x, width, activation, halved=False)
        x = _residual(x, 2 * width, activation, halved=True)
        x = _POOLING[hp.Choice("pooling", ["avg", "flatten", "max"])]()(x)
        return self._topped(inputs, x, activation, hp) if self.include_top else keras.Model(inputs, x, name="Xception")

    def _topped(self, inputs: Any, x: Any, activation: str, hp: HyperParameters) -> Any:
        count, rate = hp.Int("num_dense_layers", 1, 3), hp.Float("dropout_rate", 0.0, 0.6, step=0.1, default=0.5)
        normalised = hp.Choice("dense_use_bn", [True, False])
        for _ in range(count):
            initializer = "lecun_normal" if activation == "selu" else "glorot_uniform"
            x = layers.Dense(self.classes, activation=activation, kernel_initializer=initializer)(x)
            x = layers.BatchNormalization()(x) if normalised and activation == "relu" else x
            x = layers.Dropout(rate)(x) if rate else x
        model = keras.Model(inputs, layers.Dense(self.classes, activation="softmax")(x), name="Xception")
        rate = hp.Choice("learning_rate", [1e-3, 1e-4, 1e-5])
        model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
        return model


_POOLING = {"avg": layers.GlobalAveragePooling2D, "flatten": layers.Flatten, "max": layers.GlobalMaxPooling2D}


def _convolved(x: Any, kind: Any, filters: int, activation: str, **settings: Any) -> Any:
    """A convolution with its activation: self-normalising, or after a batch normalisation."""
    if activation == "selu":
        names = ("depthwise", "pointwise") if kind is layers.SeparableConv2D else ("kernel",)
        initial = {f"{name}_initializer": "lecun_normal" for name in names}
        return kind(filters, activation="selu", padding="same", **initial, **settings)(x)
    x = kind(filters, padding="same", use_bias=False, **settings)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def _residual(x: Any, filters: int, activation: str, *, halved: bool) -> Any:
    """Two separable convolutions beside a shortcut; `halved` halves height and width."""
    channels = x.shape[-1 if keras.backend.image_data_format() == "channels_last" else 1]
    shortcut = x
    if halved or channels != filters:
        shortcut = layers.Conv2D(filters, 1, strides=2 if halved else 1, padding="same")(x)
    for _ in range(2):
        x = _convolved(x, layers.SeparableConv2D, filters, activation, kernel_size=3)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x) if halved else x
    return layers.Add()([x, shortcut])
