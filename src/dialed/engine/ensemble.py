"""Several trained models as one that averages their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from dialed.errors import InvalidInputError

__all__ = ["average"]


def average(models: Sequence[keras.Model]) -> keras.Model:
    """A functional model whose output is the mean of the outputs of `models`, each for the same inputs.

    Args:
        models: At least two built models with inputs of the same shapes and outputs of the same shapes.

    Returns:
        A model with the inputs of the first; it predicts, and can be saved. Compile it to evaluate it.

    Raises:
        InvalidInputError: The models' inputs or outputs differ in shape.

    References:
        Lakshminarayanan et al. 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles".
    """
    given = [_input_of(model) for model in models]
    _same_shapes("inputs", [keras.tree.map_structure(_shape, each) for each in given])
    _same_shapes("outputs", [model.output_shape for model in models])
    inputs = keras.tree.map_structure(lambda t: keras.Input(shape=t.shape[1:], dtype=t.dtype, name=t.name), given[0])
    for index, model in enumerate(models):
        model.name = f"member_{index}"
    outputs = [model(inputs) for model in models]
    mean = keras.tree.map_structure(lambda *parts: keras.layers.Average()(list(parts)), *outputs)
    return keras.Model(inputs, mean, name="ensemble")


def _input_of(model: keras.Model) -> Any:
    """The symbolic inputs of a model, in their structure."""
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise InvalidInputError(
            "The models of an ensemble must know their inputs, as Sequential and functional models do. "
            f"Got a {type(model).__name__}. Average the predictions of `best_models` yourself."
        )
    return inputs[0] if isinstance(model, keras.Sequential) else model.input


def _shape(tensor: Any) -> str:
    return str(tuple(tensor.shape))


def _same_shapes(what: str, shapes: Sequence[Any]) -> None:
    if any(shape != shapes[0] for shape in shapes):
        raise InvalidInputError(
            f"The models of an ensemble must have {what} of the same shape. Got {list(shapes)}. "
            "Ask for fewer of the best trials, or average their predictions yourself."
        )
