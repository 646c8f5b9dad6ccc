"""Optimizers, losses and metrics as SciKeras's users give them: names, classes or objects, with settings beside them."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dialed.errors import InvalidInputError
from dialed.sklearn.routing import Routed

__all__ = ["compile_arguments", "made_callbacks", "made_optimizer", "quiet"]


def compile_arguments(named: Mapping[str, Any], routed: Routed) -> dict[str, Any]:
    """What `model.compile` is called with. All objects are fresh: members must not share state.

    Args:
        named: `optimizer`, `loss` and `metrics` as the estimator has them.
        routed: Settings with a prefix.
    """
    to = routed.to
    made: dict[str, Any] = {
        "optimizer": made_optimizer(named["optimizer"], to["optimizer"]),
        "loss": _made_loss(named["loss"], to["loss"]),
    }
    if named["metrics"] is not None:
        made["metrics"] = _made_metrics(named["metrics"], to["metrics"])
    return {**made, **to["compile"]}


def made_optimizer(given: Any, settings: Mapping[str, Any]) -> Any:
    """A fresh optimizer: `given` (a name, a class, an object, or None for "rmsprop") with `settings` over its own."""
    import keras

    if isinstance(given, type):
        return given(**settings)
    if given is None or isinstance(given, str):
        return keras.optimizers.get({"class_name": given or "rmsprop", "config": dict(settings)})
    found = keras.optimizers.get(given)
    with quiet():
        config = found.get_config()
    return type(found).from_config({**config, **settings})


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out a warning of NumPy's about Keras's JAX variables, which Keras's own configs and copies bring about."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
        yield


def _made_loss(given: Any, settings: Mapping[str, Any]) -> Any:
    import keras

    if isinstance(given, type):
        return given(**settings)
    if not settings:
        return copy.deepcopy(given)
    found = keras.losses.get(given)
    if isinstance(found, keras.losses.Loss):
        return type(found).from_config({**found.get_config(), **settings})
    kind = getattr(keras.losses, "".join(part.title() for part in getattr(found, "__name__", "").split("_")), None)
    if kind is None:
        raise InvalidInputError(
            f"`loss__{next(iter(settings))}` needs a `loss` with settings: a name or a class of `keras.losses`. "
            f"Got {given!r}. Pass the class, or leave the setting out."
        )
    return kind(**settings)


def _made_metrics(given: Any, settings: Mapping[str, Any]) -> Any:
    if isinstance(given, (list, tuple)):
        return [_made_metrics(entry, settings) for entry in given]
    if isinstance(given, dict):
        return {name: _made_metrics(entry, settings) for name, entry in given.items()}
    return given(**settings) if isinstance(given, type) else copy.deepcopy(given)


def made_callbacks(given: Any, settings: Mapping[str, Any]) -> list[Any] | None:
    """Fresh callbacks: classes are called with `settings`, objects are copied."""
    if given is None:
        return None
    entries = given if isinstance(given, (list, tuple)) else [given]
    return [entry(**settings) if isinstance(entry, type) else copy.deepcopy(entry) for entry in entries]
