"""Models from checkpoints: built again as the trial built them, with the weights of its best epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from dialed.engine.building import build_from, is_built
from dialed.engine.failures import MemberFailed
from dialed.engine.normalizing import finalize
from dialed.engine.recipe import Recipe
from dialed.engine.seeding import seeded
from dialed.engine.state import restore_weights
from dialed.errors import CheckpointError
from dialed.trial import Values

__all__ = ["load_model"]


def load_model(recipe: Recipe, values: Values, seed: int, arrays: Mapping[str, Any]) -> keras.Model:
    """The model of `values` with the weights in `arrays`, on the backend in use.

    Args:
        recipe: How trials are made. A model without an input shape of its own needs its `inputs`, which `probe` sets.
        values: The trial's values.
        seed: The member's seed.
        arrays: Of a checkpoint, "best" or "last".

    Raises:
        CheckpointError: The build function builds another model now, or none.
    """
    with seeded(seed):
        try:
            model = recipe.realise(values, seed).model
        except MemberFailed as failure:
            raise CheckpointError(
                f"The build function must build the model that was saved. With its values it failed: {failure.message}"
            ) from failure
        if recipe.inputs is not None or is_built(model):
            build_from(model, recipe.inputs)
        restore_weights(arrays, model)
        finalize(model)
    return model
