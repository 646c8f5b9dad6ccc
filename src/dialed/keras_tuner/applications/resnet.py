"""ResNets: three versions, two depths, pooling, optimizer and learning rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
from keras import layers

from dialed.keras_tuner.applications.images import ImageHyperModel, batch_norm, pooled
from dialed.keras_tuner.engine.hyperparameters import HyperParameters

__all__ = ["HyperResNet"]

_GROUPS = 32
"""Groups of a ResNeXt's convolutions."""


class HyperResNet(ImageHyperModel):
    """A search space of ResNets: "version" (v1, v2, next), "conv3_depth", "conv4_depth", "pooling", "optimizer" and
    "learning_rate".

    Args:
        include_top: Whether the model ends with a classifier, and is compiled. Defaults to True.
        input_shape: Height, width and channels. Defaults to those of `input_tensor`.
        input_tensor: A Keras tensor to begin with. Defaults to a new input.
        classes: How many classes the one-hot targets have. Defaults to None, without a top.

    References:
        He et al. 2015, "Deep residual learning"; He et al. 2016, "Identity mappings"; Xie et al. 2017, "Aggregated
        residual transformations".
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
        """A ResNet."""
        version = _VERSIONS[hp.Choice("version", ["v1", "v2", "next"], default="v2")]
        depths = [3, hp.Choice("conv3_depth", [4, 8]), hp.Choice("conv4_depth", [6, 23, 36]), 3]
        inputs, x = self.inputs()
        x = _stem(x, version)
        for place, (filters, blocks) in enumerate(zip(version.filters, depths, strict=True)):
            stride = 1 if place == (3 if version.preactivated else 0) else 2
            x = _stack(x, version, filters, blocks, stride)
        if version.preactivated:
            x = _active(x)
        x = pooled(x, hp)
        if not self.include_top:
            return keras.Model(inputs, x, name="ResNet")
        x = layers.Dense(self.classes, activation="softmax", name="probs")(x)
        model = keras.Model(inputs, x, name="ResNet")
        optimizer = keras.optimizers.get(hp.Choice("optimizer", ["adam", "rmsprop", "sgd"], default="adam"))
        optimizer.learning_rate = hp.Choice("learning_rate", [0.1, 0.01, 0.001], default=0.01)
        model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
        return model


class _Version(NamedTuple):
    """Filters of the four stacks, what a block is, and how its first convolution begins."""

    filters: tuple[int, int, int, int]
    block: Callable[[Any, int, int, bool], Any]
    preactivated: bool = False
    bias: bool = True


def _stem(x: Any, version: _Version) -> Any:
    x = layers.ZeroPadding2D(3)(x)
    x = layers.Conv2D(64, 7, strides=2, use_bias=version.bias)(x)
    x = x if version.preactivated else _active(x)
    return layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))


def _stack(x: Any, version: _Version, filters: int, blocks: int, stride: int) -> Any:
    """Blocks, the first with a shortcut of its own; v2 takes its stride in the last one, the others in the first."""
    strided = blocks - 1 if version.preactivated else 0
    for place in range(blocks):
        x = version.block(x, filters, stride if place == strided else 1, place == 0)
    return x


def _active(x: Any) -> Any:
    return layers.ReLU()(batch_norm(x))


def _v1(x: Any, filters: int, stride: int, projects: bool) -> Any:
    shortcut = batch_norm(layers.Conv2D(4 * filters, 1, strides=stride)(x)) if projects else x
    x = _active(layers.Conv2D(filters, 1, strides=stride)(x))
    x = _active(layers.Conv2D(filters, 3, padding="same")(x))
    x = batch_norm(layers.Conv2D(4 * filters, 1)(x))
    return layers.ReLU()(layers.Add()([shortcut, x]))


def _v2(x: Any, filters: int, stride: int, projects: bool) -> Any:
    before = _active(x)
    if projects:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride)(before)
    else:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = _active(layers.Conv2D(filters, 1, use_bias=False)(before))
    x = layers.Conv2D(filters, 3, strides=stride, use_bias=False)(layers.ZeroPadding2D(1)(x))
    x = layers.Conv2D(4 * filters, 1)(_active(x))
    return layers.Add()([shortcut, x])


def _next(x: Any, filters: int, stride: int, projects: bool) -> Any:
    wide = 64 // _GROUPS * filters
    shortcut = batch_norm(layers.Conv2D(wide, 1, strides=stride, use_bias=False)(x)) if projects else x
    x = layers.ZeroPadding2D(1)(_active(layers.Conv2D(filters, 1, use_bias=False)(x)))
    x = _active(layers.Conv2D(filters, 3, strides=stride, groups=_GROUPS, use_bias=False)(x))
    x = batch_norm(layers.Conv2D(wide, 1, use_bias=False)(x))
    return layers.ReLU()(layers.Add()([shortcut, x]))


_VERSIONS: Mapping[str, _Version] = {
    "v1": _Version((64, 128, 256, 512), _v1),
    "v2": _Version((64, 128, 256, 512), _v2, preactivated=True),
    "next": _Version((64, 256, 512, 1024), _next, bias=False),
}
