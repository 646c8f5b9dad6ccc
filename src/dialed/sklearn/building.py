"""From parameters to a compiled model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from dialed.errors import InvalidInputError
from dialed.sklearn.compiling import compile_arguments, made_optimizer
from dialed.sklearn.routing import Routed, Signature
from dialed.sklearn.saving import copied

__all__ = ["build_function", "is_prebuilt", "made_model"]


def build_function(named: Mapping[str, Any]) -> Callable[..., Any] | None:
    """The build function among the constructor's parameters; `None` for a model that is built already.

    Raises:
        InvalidInputError: There is neither, or both of `model` and `build_fn`.
    """
    model, build_fn = named["model"], named["build_fn"]
    if model is not None and build_fn is not None:
        raise InvalidInputError("One of `model` and `build_fn` must be given. Got both. They mean the same: drop one.")
    given = build_fn if model is None else model
    if is_prebuilt(given):
        return None
    if not callable(given):
        raise InvalidInputError(
            f"`model` must be a function that returns a Keras model, or a Keras model. Got {given!r:.80} "
            f"({type(given).__name__}). Pass the function itself, without calling it."
        )
    found: Callable[..., Any] = given
    return found


def is_prebuilt(given: Any) -> bool:
    """Whether `given` is a Keras model rather than a function that makes one."""
    if given is None or inspect.isroutine(given):
        return False
    import keras

    return isinstance(given, keras.Model)


def made_model(
    named: Mapping[str, Any], routed: Routed, meta: Mapping[str, Any], params: Callable[[], dict[str, Any]]
) -> Any:
    """A fresh compiled model.

    Args:
        named: The constructor's parameters.
        routed: All parameters, sorted.
        meta: What the data are, for build functions that take `meta`.
        params: Returns all parameters, for those that take `params`.

    Raises:
        InvalidInputError: There is no model, or nothing to train it for.
    """
    function = build_function(named)
    if function is None:
        model, compiles = copied(named["model"] if named["build_fn"] is None else named["build_fn"]), False
    else:
        signature = Signature.of(function)
        compiles = signature.takes("compile_kwargs")
        model = function(**{**_offered(named, routed, meta, params, signature), **routed.build})
    _check(model)
    if not model.compiled:
        _compile(model, named, routed)
    elif routed.to["optimizer"] and not compiles:  # the function's own optimizer, with these settings over its own
        model.optimizer = made_optimizer(model.optimizer, routed.to["optimizer"])
    return model


def _offered(
    named: Mapping[str, Any],
    routed: Routed,
    meta: Mapping[str, Any],
    params: Callable[[], dict[str, Any]],
    signature: Signature,
) -> dict[str, Any]:
    """What SciKeras offers to build functions; each takes what it wants."""
    offers: dict[str, Callable[[], Any]] = {
        "meta": lambda: dict(meta),
        "compile_kwargs": lambda: compile_arguments(named, routed),
        "params": params,
    }
    return {name: offer() for name, offer in offers.items() if signature.takes(name)}


def _compile(model: Any, named: Mapping[str, Any], routed: Routed) -> None:
    arguments = compile_arguments(named, routed)
    if arguments.get("loss") is None:
        raise InvalidInputError(
            "The build function must return a compiled model, or `loss` must say what to train for. Got a model that is "
            "not compiled and no loss. Call `model.compile(...)` in the function, or pass `loss=`."
        )
    model.compile(**arguments)


def _check(model: Any) -> None:
    import keras

    if not isinstance(model, keras.Model):
        raise InvalidInputError(
            f"The build function must return a `keras.Model`. Got {model!r:.80} ({type(model).__name__}). "
            "Check that it ends with `return model`."
        )
