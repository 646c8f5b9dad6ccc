"""How much arithmetic a model does for one sample: enough to compare widths, not more."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers

__all__ = ["multiplications"]


def multiplications(model: keras.Model) -> float:
    """Multiplications by weights for one sample, forward: each matrix once for each place where it is applied."""
    return sum(_of_layer(layer) for layer in model._flatten_layers(include_self=False, recursive=False)) or 1.0


def _of_layer(layer: Any) -> float:
    if isinstance(layer, (keras.Sequential, keras.Model)):
        return multiplications(layer)
    if isinstance(layer, layers.Embedding):
        return 0.0
    weights = sum(math.prod(v.shape) for v in layer.variables if v.trainable and len(v.shape) > 1)
    return float(weights * max(_places(layer, "input"), _places(layer, "output")))


def _places(layer: Any, side: str) -> int:
    """At how many places of a sample a layer is applied: pixels, or steps."""
    try:
        shape = getattr(layer, side).shape
    except (AttributeError, ValueError):  # several, or none: a layer that is not called in a graph
        return 1
    return math.prod(length or 1 for length in shape[1:-1])
