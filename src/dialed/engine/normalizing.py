"""Keras's `Normalization` layers, adapted to what each fold trains on, so that nothing leaks from what judges it.

A layer counts where it stands right behind an input of the model, and was given no mean and variance of its own. Under
cross-validation it is adapted to the training part of each fold, whatever the build function adapted it to; without,
only a layer that nobody has adapted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from dialed.engine.arrays import leaves

__all__ = ["adapt", "finalize", "normalizes"]


def normalizes(model: keras.Model) -> bool:
    """Whether a layer of `model` is adapted to the data that it is trained on."""
    return next(_behind_inputs(model), None) is not None


def adapt(model: keras.Model, x: Any, *, again: bool) -> bool:
    """Adapt the layers behind the inputs of a built `model` to `x`; whether there was one to adapt.

    Args:
        x: Arrays, in the structure that the model takes.
        again: Whether layers that have been adapted are adapted anew.
    """
    arrays = [array for _, array in leaves(x, "x")]
    adapted = False
    for layer, place in _behind_inputs(model):
        if (
            layer.built
            and place < len(arrays)
            and isinstance(arrays[place], np.ndarray)
            and (again or _is_fresh(layer))
        ):
            layer.adapt(arrays[place])
            adapted = True
    return adapted


def finalize(model: keras.Model) -> None:
    """Let layers take up weights that were put into their variables: they compute with copies of them."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization) and layer.built:
            layer.finalize_state()


def _behind_inputs(model: keras.Model) -> Iterator[tuple[Any, int]]:
    """Each adaptable layer right behind an input, with the position of that input."""
    if isinstance(model, keras.Sequential):
        first = next(iter(model.layers), None)
        if _is_adaptable(first):
            yield first, 0
        return
    inputs = {id(tensor): place for place, tensor in enumerate(getattr(model, "inputs", None) or ())}
    for layer in model.layers if inputs else ():
        place = inputs.get(id(_only_input(layer)))
        if _is_adaptable(layer) and place is not None:
            yield layer, place


def _only_input(layer: Any) -> Any:
    try:
        return layer.input
    except (AttributeError, ValueError):  # it is called several times, or not in a graph
        return None


def _is_adaptable(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Normalization) and layer.input_mean is None


def _is_fresh(layer: Any) -> bool:
    mean, variance = np.asarray(layer.adapt_mean), np.asarray(layer.adapt_variance)
    return bool((mean == 0).all() and (variance == 1).all())
