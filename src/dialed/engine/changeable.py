"""Which hyperparameters may change while a model is trained: numbers that leave the shapes of the model as they are."""

from __future__ import annotations

import logging
from typing import Any

from dialed.engine.building import ensure_built, values_without_compiling
from dialed.engine.failures import MemberFailed
from dialed.engine.recipe import Recipe
from dialed.engine.seeding import seeded
from dialed.search.exploring import is_number
from dialed.space import Hyperparameter, Space
from dialed.space.domains import Domain
from dialed.trial import Values

__all__ = ["changeable"]

_log = logging.getLogger("dialed")

PLACES = (0.25, 0.5, 0.75)
"""Where in its range a hyperparameter is looked at. Not at the ends: a rate of 0 often leaves out what it belongs to."""


def changeable(recipe: Recipe, space: Space, data: Any, *, seed: int) -> tuple[str, ...]:
    """The names of those numbers of `space` that may change, found by building the model with several values of each.

    Arguments of the training itself, such as the size of a batch, are left as they are: a strategy can be told to
    change them.
    """
    names = []
    fold = data.fold(data.folds[0])
    with values_without_compiling():
        for hyperparameter in space:
            if is_number(hyperparameter, space) and not isinstance(recipe.arguments.get(hyperparameter.name), Domain):
                outlines = [_outline(recipe, values, fold, seed) for values in _variants(space, hyperparameter)]
                if len(outlines) > 1 and None not in outlines and all(o == outlines[0] for o in outlines):
                    names.append(hyperparameter.name)
    return tuple(names)


def _variants(space: Space, hyperparameter: Hyperparameter) -> list[Values]:
    """Configurations that differ in this one alone; the others have their defaults, unless it is inactive with them."""
    base: dict[str, Any] = {}
    for condition in hyperparameter.conditions:
        base[condition.parent] = condition.values[0]
    units = [hyperparameter.domain.from_unit(place) for place in PLACES]
    found = [space.restrict({**base, hyperparameter.name: value}) for value in units if value != 0]
    return [values for values in found if hyperparameter.name in values]


def _outline(recipe: Recipe, values: Values, fold: Any, seed: int) -> list[Any] | None:
    """The shapes of all variables and outputs, and the kinds of layers; `None` where the model cannot be built."""
    try:
        with seeded(seed):
            realised = recipe.realise(values, seed)
            ensure_built(realised.model, fold, realised.arguments.get("batch_size"))
    except MemberFailed as failure:
        _log.info("A model with %s cannot be built, so nothing is known of it: %s", dict(values), failure.message)
        return None
    model = realised.model
    variables = [(tuple(v.shape), str(v.dtype)) for v in (*model.variables, *model.optimizer.variables)]
    return [*variables, *((type(layer).__name__, _shape(layer)) for layer in model._flatten_layers())]


def _shape(layer: Any) -> str:
    """The shape of a layer's output, where it belongs to a graph."""
    try:
        return str(getattr(layer.output, "shape", ""))
    except (AttributeError, ValueError):  # a layer that was called in no graph, or in several
        return ""
