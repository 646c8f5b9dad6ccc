"""The whole state of a member between two epochs, as arrays and JSON: what must be equal for training to go on exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dialed.engine.packing import Arrays, Unpackable, pack, unpack
from dialed.engine.seeding import capture_random, restore_random
from dialed.errors import CheckpointError

__all__ = [
    "Snapshot",
    "Unusable",
    "callback_states",
    "capture",
    "check_fits",
    "restore",
    "restore_callbacks",
    "restore_weights",
    "scalars",
    "weights_of",
]

_KERAS_OWN = ("_model", "params", "validation_data")  # set by Keras at each call of `fit`
_FLIPPED = "min_delta"  # keras/src/callbacks/monitor_callback.py changes its sign when it first learns the direction


class Unusable(Exception):
    """A checkpoint cannot be gone on from, and why: the member begins again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Arrays by name, and what JSON can hold."""

    arrays: Arrays
    meta: dict[str, Any] = field(default_factory=dict)


def capture(model: Any, callbacks: Sequence[Any], meta: Mapping[str, Any]) -> Snapshot:
    """Copy the state of `model`, its optimizers, `callbacks` and all random generators to the host.

    Args:
        meta: What else to remember, as JSON.
    """
    arrays = {name: _copied(variable) for name, variable in _all_variables(model).items()}
    random = capture_random(arrays)
    states = callback_states(callbacks, arrays)
    return Snapshot(arrays=arrays, meta={**meta, "random": random, "callbacks": states})


def callback_states(callbacks: Sequence[Any], arrays: Arrays) -> list[Any]:
    """What a checkpoint holds of callbacks, as JSON; their arrays go into `arrays`."""
    return [_callback_state(callback, i, arrays) for i, callback in enumerate(callbacks)]


def weights_of(snapshot: Snapshot) -> Arrays:
    """The part of `snapshot` that makes predictions: the model's variables, seed generators among them."""
    return {name: array for name, array in snapshot.arrays.items() if name.startswith(("trainable/", "other/"))}


def check_fits(snapshot: Snapshot, model: Any) -> None:
    """Raise `Unusable` unless `snapshot` was taken of a model like this one."""
    wrong = _misfit(snapshot.arrays, _all_variables(model))
    if wrong:
        raise Unusable(wrong)


def restore(snapshot: Snapshot, model: Any, callbacks: Sequence[Any]) -> None:
    """Put `model`, its optimizers, `callbacks` and all random generators into the state of `snapshot`."""
    for name, variable in _all_variables(model).items():
        variable.assign(snapshot.arrays[name])
    restore_callbacks(snapshot, callbacks)
    restore_random(snapshot.meta["random"], snapshot.arrays)


def restore_callbacks(snapshot: Snapshot, callbacks: Sequence[Any]) -> None:
    """Put `callbacks` into the state of `snapshot`.

    They are told apart by their classes, the first of a class first; one that was not there before stays as it is.
    """
    waiting = list(callbacks)
    for kind, state in snapshot.meta["callbacks"]:
        callback = next((c for c in waiting if type(c).__name__ == kind), None)
        if callback is not None:
            waiting.remove(callback)
            for name, packed in state.items():
                setattr(callback, name, unpack(packed, snapshot.arrays))


def scalars(model: Any) -> dict[str, np.ndarray]:
    """Copies of the variables that hold one number, such as a learning rate, by the names of a snapshot's arrays."""
    return {name: _copied(variable) for name, variable in _all_variables(model).items() if not variable.shape}


def restore_weights(arrays: Mapping[str, Any], model: Any) -> None:
    """Give `model` the weights of `weights_of`.

    Raises:
        CheckpointError: They are those of another model.
    """
    variables = _model_variables(model)
    wrong = _misfit(arrays, variables)
    if wrong:
        raise CheckpointError(wrong)
    for name, variable in variables.items():
        variable.assign(arrays[name])


def _model_variables(model: Any) -> dict[str, Any]:
    parts = {"trainable": model.trainable_variables, "other": model.non_trainable_variables}
    return {f"{part}/{i}": variable for part, variables in parts.items() for i, variable in enumerate(variables)}


def _all_variables(model: Any) -> dict[str, Any]:
    optimizer = {f"optimizer/{i}": variable for i, variable in enumerate(_optimizer_variables(model))}
    return {**_model_variables(model), **optimizer}


def _optimizer_variables(model: Any) -> list[Any]:
    """The variables of all optimizers: models with their own training step may hold more than the compiled one."""
    import keras

    others = [v for v in vars(model).values() if isinstance(v, keras.optimizers.Optimizer)]
    found: dict[int, Any] = {}
    for optimizer in (model.optimizer, *others):
        for variable in optimizer.variables if optimizer is not None else ():
            found.setdefault(id(variable), variable)
    return list(found.values())


def _misfit(arrays: Mapping[str, Any], variables: Mapping[str, Any]) -> str | None:
    """What differs between the saved arrays and the variables; `None` where they fit."""
    parts = tuple(f"{part}/" for part in {name.split("/")[0] for name in variables})
    saved = {name: tuple(array.shape) for name, array in arrays.items() if name.startswith(parts)}
    needed = {name: tuple(variable.shape) for name, variable in variables.items()}
    if saved == needed:
        return None
    name = next(name for name in (*needed, *saved) if saved.get(name) != needed.get(name))
    return (
        f"The checkpoint must fit the model: {name} is {saved.get(name, 'absent')} in the checkpoint and "
        f"{needed.get(name, 'absent')} in the model. Did the build function change since it was written?"
    )


def _copied(variable: Any) -> np.ndarray:
    """A copy that later steps cannot overwrite: backends hand out views of memory that they use again."""
    import keras

    return np.array(keras.ops.convert_to_numpy(variable.value))


def _callback_state(callback: Any, index: int, arrays: Arrays) -> list[Any]:
    """The name of the callback's class, and those of its attributes that are numbers, text, arrays or lists of these."""
    state: dict[str, Any] = {}
    for name, value in vars(callback).items():
        if name in _KERAS_OWN or (name == _FLIPPED and hasattr(callback, "monitor_op")):
            continue
        found: Arrays = {}
        try:
            state[name] = pack(value, f"callback/{index}/{name}", found)
        except Unpackable:  # files, functions, other objects: they are made anew with the callback
            continue
        arrays.update(found)
    return [type(callback).__name__, state]
