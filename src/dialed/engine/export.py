"""Models from checkpoints: built again as the trial built them, with the weights of its best epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from dialed.engine.building import ensure_built, is_built
from dialed.engine.failures import MemberFailed
from dialed.engine.recipe import Recipe
from dialed.engine.seeding import seeded
from dialed.engine.state import restore_weights
from dialed.errors import CheckpointError
from dialed.trial import Values

__all__ = ["load_model"]


def load_model(
    recipe: Recipe, values: Values, seed: int, arrays: Mapping[str, Any], *, fold: Any = None
) -> keras.Model:
    """The model of `values` with the weights in `arrays`, on the backend in use.

    Args:
        recipe: How trials are made.
        values: The trial's values.
        seed: The member's seed.
        arrays: Of a checkpoint, "best" or "last".
        fold: What the member was trained on, for models that have no input shape of their own. Defaults to None.

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
        if fold is not None and not is_built(model):
            ensure_built(model, fold, None)
        restore_weights(arrays, model)
    return model
