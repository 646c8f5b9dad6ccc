"""What a search was given apart from data: plain values, hyperparameters in their place, and callbacks."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dialed.errors import InvalidInputError
from dialed.space import HyperParameters
from dialed.space.domains import Domain

__all__ = ["ask_arguments", "check_callbacks", "listed", "make_callbacks", "refuse_schedule_conflict", "schedule_of"]

_SETS_RATE = ("ReduceLROnPlateau", "LearningRateScheduler")
_OWN_CHECKPOINTS = ("BackupAndRestore",)


def ask_arguments(arguments: Mapping[str, Any], hp: HyperParameters) -> dict[str, Any]:
    """`arguments` with the value of this trial in the place of each domain, asked for under the argument's name."""
    return {name: hp.ask(name, value) if isinstance(value, Domain) else value for name, value in arguments.items()}


def check_callbacks(callbacks: Any) -> None:
    """Make sure that each member can have callbacks of its own.

    Raises:
        InvalidInputError: An entry is no callback, cannot be copied, or would get in the way of continuing.
    """
    for entry in listed(callbacks):
        name = entry.__name__ if isinstance(entry, type) else type(entry).__name__
        if name in _OWN_CHECKPOINTS:
            raise InvalidInputError(
                f"`callbacks` must leave going on after an interruption to Dialed. Got {name}, which would load the "
                "state of another trial. Leave it out: every trial is checkpointed."
            )
        if not _is_factory(entry):
            _copied(entry)


def make_callbacks(callbacks: Any, hp: HyperParameters) -> list[Any]:
    """Fresh callbacks for one member: factories are called (with `hp` where they take it), objects are copied."""
    made: list[Any] = []
    for entry in listed(callbacks):
        if _is_factory(entry):
            made.extend(listed(entry(hp) if _takes_argument(entry) else entry()))
        else:
            made.append(_copied(entry))
    return [_checked(callback) for callback in made]


def refuse_schedule_conflict(model: Any, callbacks: Sequence[Any]) -> None:
    """Refuse callbacks that set the learning rate of an optimizer that follows a schedule: Keras fails in the middle.

    Raises:
        InvalidInputError: There are both.
    """
    rate = schedule_of(model)
    if rate is None:
        return
    for callback in callbacks:
        name = next((base.__name__ for base in type(callback).__mro__ if base.__name__ in _SETS_RATE), None)
        if name:
            raise InvalidInputError(
                f"`callbacks` must not set the learning rate where the optimizer follows a schedule. Got {name} with "
                f"{type(rate).__name__}. Keep one of them."
            )


def schedule_of(model: Any) -> Any:
    """The schedule that the model's optimizer follows; `None` where it follows none."""
    import keras

    optimizer = getattr(model, "optimizer", None)
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # inside a LossScaleOptimizer
    rate = getattr(inner, "_learning_rate", None)
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None


def listed(callbacks: Any) -> list[Any]:
    """The `callbacks` of `fit`, which may be one, several or none, as a list."""
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]


def _is_factory(entry: Any) -> bool:
    return callable(entry)


def _takes_argument(factory: Callable[..., Any]) -> bool:
    """Whether `factory` needs one argument, which is then `hp`."""
    if isinstance(factory, type):
        return False  # a callback's class, to be made with its defaults
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # some callables written in C do not say
        return False
    needed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(p.kind in needed and p.default is p.empty for p in parameters)


def _copied(callback: Any) -> Any:
    _checked(callback)
    try:
        return copy.deepcopy(callback)
    except Exception as error:  # whatever a user's object raises, the remedy is the same
        raise InvalidInputError(
            f"`callbacks` must be copied for each trial, and {type(callback).__name__} cannot be: "
            f"{type(error).__name__}: {error}. Pass a function that makes it: "
            f"callbacks=[lambda: {type(callback).__name__}(...)]."
        ) from error


def _checked(callback: Any) -> Any:
    import keras

    if isinstance(callback, keras.callbacks.Callback) and not isinstance(callback, keras.callbacks.CallbackList):
        return callback
    raise InvalidInputError(
        "`callbacks` must hold callbacks of Keras, or functions that make them (they may take `hp`). "
        f"Got {callback!r:.80} ({type(callback).__name__})."
    )
