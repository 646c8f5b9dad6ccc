"""Train chosen values once more, on data of the user's choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from dialed.engine.building import build_from
from dialed.engine.datasets import is_stream
from dialed.engine.normalizing import adapt, normalizes
from dialed.engine.recipe import Realised, Recipe
from dialed.engine.seeding import seeded
from dialed.engine.state import Snapshot, capture, restore
from dialed.engine.takeover import with_values
from dialed.trial import Ancestor, Values

__all__ = ["refit"]

_DIALEDS_OWN = ("patience",)


def refit(
    recipe: Recipe,
    values: Values,
    seed: int,
    x: Any,
    y: Any,
    arguments: Mapping[str, Any],
    ancestors: Sequence[Ancestor] = (),
) -> keras.Model:
    """Build the model of `values` and fit it under `seed`.

    Args:
        arguments: Override the arguments that the search was given, by name; `epochs` among them.
        ancestors: The stretches that were trained with other values before, the earliest first. They are trained so
            again, and their state is gone on from. Defaults to none.

    Returns:
        The trained model.
    """
    epochs = int(arguments["epochs"])
    stretches = [*((a.values, a.until) for a in ancestors if a.until < epochs), (values, epochs)]
    snapshot, before, begin = None, values, 0
    with seeded(seed):
        for stretch, until in stretches:
            if snapshot is not None:
                snapshot = with_values(snapshot, stretch, before=before, recipe=recipe, seed=seed, build=_build(recipe))
            realised = _fitted(recipe, stretch, seed, x, y, {**arguments, "epochs": until}, begin, snapshot)
            callbacks = realised.arguments.get("callbacks") or ()
            snapshot = capture(realised.model, callbacks, {"epoch": until})
            before, begin = stretch, until
    return realised.model


def _fitted(
    recipe: Recipe,
    values: Values,
    seed: int,
    x: Any,
    y: Any,
    arguments: Mapping[str, Any],
    begin: int,
    snapshot: Snapshot | None,
) -> Realised:
    """The model of `values` after one stretch of training, from `snapshot` on where there is one."""
    realised = recipe.realise(values, seed)
    wanted = {**realised.arguments, **arguments}
    chosen = {name: value for name, value in wanted.items() if name not in _DIALEDS_OWN and value is not None}
    chosen.setdefault("verbose", 0)
    if snapshot is not None:
        _build(recipe)(realised)
        callbacks = chosen.get("callbacks") or ()
        listed = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        chosen |= {"initial_epoch": begin, "callbacks": [*listed, _Resumed(snapshot, listed)]}
    x, chosen = _prepared(recipe, realised, x, chosen)
    if normalizes(realised.model) and not is_stream(x):
        build_from(realised.model, recipe.inputs)
        adapt(realised.model, x, again=True)
    realised.model.fit(x, y, **chosen)
    return realised


def _prepared(recipe: Recipe, realised: Realised, x: Any, chosen: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """`x`, and the inputs of `validation_data`, as the search's `prepare` makes them."""
    if recipe.preparation is None:
        return x, chosen
    judged = chosen.get("validation_data")
    x, x_valid = recipe.preparation.apply(realised.hp, x, None if judged is None else judged[0])
    return x, chosen if judged is None else {**chosen, "validation_data": (x_valid, *judged[1:])}


def _build(recipe: Recipe) -> Callable[[Realised], None]:
    return lambda realised: build_from(realised.model, recipe.inputs)


class _Resumed(keras.callbacks.Callback):  # type: ignore[misc]
    """Puts a state in place once every other callback is reset."""

    def __init__(self, snapshot: Snapshot, others: Sequence[Any]) -> None:
        super().__init__()
        self._snapshot, self._others = snapshot, others

    def on_train_begin(self, logs: Any = None) -> None:
        restore(self._snapshot, self.model, self._others)
