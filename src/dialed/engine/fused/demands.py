"""What lanes ask of a search on any backend. Looks at Keras alone: the process that asks may never need JAX."""

from __future__ import annotations

import keras

from dialed.engine.arrays import is_sparse
from dialed.engine.data import Data
from dialed.engine.recipe import Recipe
from dialed.engine.samples import Samples

__all__ = ["reason_against_data"]


def reason_against_data(recipe: Recipe, data: Data) -> str:
    """Why no trial can be a lane, in whatever process; empty where some can."""
    if recipe.own_fit:
        return "the hypermodel trains in its own `fit`"
    if not isinstance(data.training, Samples) or not isinstance(data.validation, (Samples, type(None))):
        return f"the data are a {data.kind}, not arrays"
    if any(is_sparse(a) for s in (data.training, data.validation) if isinstance(s, Samples) for _, a in s.arrays()):
        return "the data hold sparse matrices"
    if data.preparation is not None and data.preparation.asks:
        return "`prepare` asks `hp` for values, so each trial trains on data of its own"
    return "a `keras.distribution` is set" if keras.distribution.distribution() is not None else ""
