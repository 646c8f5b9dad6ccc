"""Building models that wait for their first batch, as `fit` would build them, without training."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from dialed.engine.arrays import is_sparse, leaves, map_leaves
from dialed.engine.seeding import preserved

__all__ = [
    "build_from",
    "count_parameters",
    "ensure_built",
    "first_batch",
    "holds_arrays",
    "is_built",
    "symbolic",
    "values_without_compiling",
]


def count_parameters(model: Any) -> int:
    """Parameters of what is built so far, trainable or not."""
    return sum(int(np.prod(variable.shape)) for variable in model.weights)


def is_built(model: Any) -> bool:
    """Whether all layers of `model` have their weights."""
    return all(layer.built for layer in model._flatten_layers())


def ensure_built(model: Any, fold: Any, batch_size: int | None) -> None:
    """Give `model` and its optimizer their variables, from the shapes of the first batch where they need one."""
    build_from(model, None if is_built(model) else symbolic(first_batch(fold, batch_size)[0]))


def build_from(model: Any, inputs: Any) -> None:
    """Give `model` and its optimizer their variables; `inputs` are the shapes of a batch, not used where it is built."""
    if not is_built(model):
        from keras.src.backend import compute_output_spec

        compute_output_spec(model, inputs, training=False)
    if model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def first_batch(fold: Any, batch_size: int | None) -> tuple[Any, Any, Any]:
    """x, y and sample weights of the first batch. Drawing it leaves no trace in the random generators."""
    import keras

    if holds_arrays(fold):
        count = min(batch_size or 32, fold.samples)

        def cut(_: str, array: Any) -> Any:
            part = array[:count]
            return part.toarray() if is_sparse(part) else part

        return map_leaves(cut, fold.x, "x"), map_leaves(cut, fold.y, "y"), map_leaves(cut, fold.sample_weight, "w")
    with preserved():
        batch = fold.x[0] if isinstance(fold.x, keras.utils.PyDataset) else next(iter(fold.x))
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    return (*parts, None, None)[:3]


def symbolic(structure: Any) -> Any:
    """Tensors without values for arrays of any library."""
    import keras

    def one(leaf: Any) -> Any:
        return keras.KerasTensor(tuple(leaf.shape), keras.backend.standardize_dtype(leaf.dtype))

    return None if structure is None else keras.tree.map_structure(one, structure)


def holds_arrays(fold: Any) -> bool:
    """Whether a fold's data are arrays, not a dataset that makes its own batches."""
    return fold.samples is not None and all(
        isinstance(leaf, np.ndarray) or is_sparse(leaf) for _, leaf in leaves(fold.x, "x")
    )


def values_without_compiling() -> AbstractContextManager[None]:
    """While active, models that are built get their initial values without a compilation, where that is known how.

    On the JAX backend Keras compiles a draw for each new shape, which takes longer than all else of a look at a small
    model. On other backends this does nothing.
    """
    import keras

    if keras.backend.backend() != "jax":
        return nullcontext()
    from dialed.engine.fused.initial import values_from_numpy

    return values_from_numpy()
