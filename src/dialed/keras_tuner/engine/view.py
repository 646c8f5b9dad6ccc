"""A space of the drop-in as Dialed's strategies see it, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialed.keras_tuner.engine.conditions import Parent
from dialed.keras_tuner.engine.hyperparameters import HyperParameter
from dialed.space import Condition, Hyperparameter, Space

__all__ = ["View", "clean"]

_OWN = "tuner/"
"""The names under which Hyperband notes in a trial's values how long it is trained."""


def clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without those that say how long the trial is trained."""
    return {name: value for name, value in values.items() if not name.startswith(_OWN)}


class View:
    """Hyperparameters with a name for each: in the drop-in one name may stand in several scopes.

    Args:
        hyperparameters: The space of an oracle.

    Attributes:
        space: The same as a `Space`.
    """

    def __init__(self, hyperparameters: Sequence[HyperParameter]) -> None:
        self._of: dict[str, HyperParameter] = {}
        for hp in hyperparameters:
            self._of[self._key(hp.name)] = hp
        self.space = Space([self._hyperparameter(key, hp) for key, hp in self._of.items()])

    def known(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` of a trial for the space: what is active and in its range."""
        held = {}
        for key, hp in self._of.items():
            active = hp.name in values and all(condition.is_active(values) for condition in hp.conditions)
            if active and hp.domain.contains(values[hp.name]):
                held[key] = hp.domain.cast(values[hp.name])
        return held

    def values(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Values that a strategy chose, under the names of the drop-in."""
        return {self._of[key].name: value for key, value in chosen.items()}

    def _key(self, name: str) -> str:
        key, count = name, 1
        while key in self._of:
            count += 1
            key = f"{name} ({count})"
        return key

    def _hyperparameter(self, key: str, hp: HyperParameter) -> Hyperparameter:
        conditions = [self._condition(c) for c in hp.conditions if isinstance(c, Parent)]
        return Hyperparameter(key, hp.domain, tuple(c for c in conditions if c is not None))

    def _condition(self, condition: Parent) -> Condition | None:
        """The condition on the parent of that name; `None`, and so none, where that could never hold."""
        parent = self._of.get(condition.name)
        held = [] if parent is None else [v for v in condition.values if parent.domain.contains(v)]
        return Condition(condition.name, tuple(parent.domain.cast(v) for v in held)) if parent and held else None
