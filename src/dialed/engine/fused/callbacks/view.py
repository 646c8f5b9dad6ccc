"""A lane's own Keras model, as its callbacks see it: the lane's state is behind its variables, copied when one is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras
import numpy as np

from dialed.engine.failures import MemberFailed
from dialed.trial import Cause

__all__ = ["View"]

_Groups = tuple[list[Any], list[Any], list[Any]]


class View:
    """Shows a lane's state through its model, and finds what was assigned.

    A variable without a value asks its initialiser whenever it is read (keras/src/backend/common/variables.py). So to
    show a state costs two attributes for each variable, and what nobody reads is never copied.

    Args:
        model: The lane's model, with its optimizer's variables. Nothing else may train it.
        prepare: Builds its loss and metrics.
    """

    def __init__(self, model: keras.Model, prepare: Callable[[], None]) -> None:
        self.model = model
        self._prepare = prepare
        self._groups = _variables(model)
        self._of_metrics: list[Any] = []
        self._fresh: list[np.ndarray] = []

    def prepare(self) -> None:
        """Build the model's loss and metrics, so that these can be looked at."""
        self._prepare()
        self._of_metrics = list(self.model.metrics_variables)
        self._fresh = [np.array(variable.value) for variable in self._of_metrics]

    def show(self, state: Sequence[list[np.ndarray]], metrics: Sequence[np.ndarray] = ()) -> None:
        """Let the model's variables hold `state`: trainable, other and the optimizer's variables.

        Args:
            metrics: What the variables of its metrics hold. Defaults to what they hold when an epoch begins.
        """
        for variables, arrays in zip(self._groups, state, strict=True):
            _hold(variables, arrays)
        if self._of_metrics:
            _hold(self._of_metrics, metrics or self._fresh)

    def take(self, state: Sequence[list[np.ndarray]]) -> set[tuple[int, int]]:
        """Put what was assigned since `show` into `state`; which variables that were, as (group, position)."""
        changed: set[tuple[int, int]] = set()
        for group, (variables, arrays) in enumerate(zip(self._groups, state, strict=True)):
            for position, variable in enumerate(variables):
                if variable._value is not None:
                    arrays[position] = np.array(variable._value)
                    changed.add((group, position))
        return changed

    def check_variables(self) -> None:
        """Raise `MemberFailed` if the model trains other variables than those that its program was made for."""
        pairs = zip(self._groups, _variables(self.model), strict=True)
        if any([id(v) for v in before] != [id(v) for v in now] for before, now in pairs):
            raise MemberFailed(
                Cause.ERROR,
                "`callbacks` must leave it to the build function which variables a model trains, and with which "
                f"optimizer, where trials share a program. They changed that of '{self.model.name}' (`trainable`, or "
                "`compile`). Pass engine='fit' to train such trials one by one.",
            )


class _Shown:
    """Stands for a variable's initialiser, and hands out a copy of one array of a lane's state."""

    __slots__ = ("_array", "_copy")

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self._copy: Any = None

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if self._copy is None:  # the array is part of a larger one, for all lanes, which must not be kept alive
            self._copy = jax.device_put(np.array(self._array))
        return self._copy


def _hold(variables: Sequence[Any], arrays: Sequence[np.ndarray]) -> None:
    for variable, array in zip(variables, arrays, strict=True):
        variable._value = None
        variable._initializer = _Shown(array)


def _variables(model: keras.Model) -> _Groups:
    return list(model.trainable_variables), list(model.non_trainable_variables), list(model.optimizer.variables)
