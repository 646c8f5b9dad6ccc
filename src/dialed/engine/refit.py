"""Train chosen values once more, on data of the user's choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from dialed.engine.recipe import Recipe
from dialed.engine.seeding import seeded
from dialed.trial import Values

__all__ = ["refit"]

_DIALEDS_OWN = ("patience",)


def refit(recipe: Recipe, values: Values, seed: int, x: Any, y: Any, arguments: Mapping[str, Any]) -> keras.Model:
    """Build the model of `values` and fit it under `seed`.

    Args:
        arguments: Override the arguments that the search was given, by name.

    Returns:
        The trained model.
    """
    with seeded(seed):
        realised = recipe.realise(values, seed)
        wanted = {**realised.arguments, **arguments}
        chosen = {name: value for name, value in wanted.items() if name not in _DIALEDS_OWN and value is not None}
        chosen.setdefault("verbose", 0)
        realised.model.fit(x, y, **chosen)
    return realised.model
