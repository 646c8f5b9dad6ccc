"""`hp`: the values of one trial and the space they come from, as KerasTuner's users know them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from dialed.keras_tuner.engine.conditions import Condition, Parent
from dialed.keras_tuner.engine.hyperparameter import Boolean, Choice, Fixed, HyperParameter
from dialed.keras_tuner.engine.numerical import Float, Int

__all__ = [
    "Boolean",
    "Choice",
    "Fixed",
    "Float",
    "HyperParameter",
    "HyperParameters",
    "Int",
    "deserialize",
    "serialize",
]

_KINDS: Mapping[str, type[HyperParameter]] = {kind.__name__: kind for kind in (Boolean, Choice, Fixed, Float, Int)}


def serialize(hyperparameter: HyperParameter | HyperParameters) -> dict[str, Any]:
    """The hyperparameter, or a whole space with its values, as a dict of JSON types."""
    return {"class_name": type(hyperparameter).__name__, "config": hyperparameter.get_config()}


def deserialize(config: Any) -> Any:
    """The hyperparameter, or the `HyperParameters`, that `serialize` wrote.

    Raises:
        ValueError: It is of a kind that is not known.
    """
    name = config["class_name"]
    if name == HyperParameters.__name__:
        return HyperParameters.from_config(config["config"])
    if name not in _KINDS:
        known = ", ".join((*_KINDS, HyperParameters.__name__))
        raise ValueError(f"`class_name` of a hyperparameter must be one of {known}. Got {name!r}.")
    return _KINDS[name].from_config(config["config"])


class HyperParameters:
    """The values of one trial, and the space they come from.

    A build function asks it for values by name, and what it asks for is the search space. Only active hyperparameters
    have values; inside an inactive scope, what is asked for is `None`.

    Attributes:
        values: The values by name.
        active_scopes: The conditions of each scope that was entered while they held.
        inactive_scopes: The conditions of each scope that was entered while they did not hold.
    """

    def __init__(self) -> None:
        self._name_scopes: list[str] = []
        self._conditions: list[Condition] = []
        self._hps: dict[str, list[HyperParameter]] = {}
        self._space: list[HyperParameter] = []
        self.values: dict[str, Any] = {}
        self.active_scopes: list[list[Condition]] = []
        self.inactive_scopes: list[list[Condition]] = []

    @property
    def space(self) -> list[HyperParameter]:
        """All hyperparameters, parents before their children."""
        return self._space

    @contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Names asked for inside begin with `name/`."""
        self._name_scopes.append(name)
        try:
            yield
        finally:
            self._name_scopes.pop()

    @contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """What is asked for inside is active only while the parent is active and has one of `parent_values`.

        Raises:
            ValueError: There is no such parent.
        """
        parent_name = self._get_name(parent_name)
        if not self._exists(parent_name):
            raise ValueError(
                f"`parent_name` must be a hyperparameter that was asked for before, in the same scope. Got "
                f"'{parent_name}', which is not defined."
            )
        condition = Parent(parent_name, parent_values)
        self._conditions.append(condition)
        active = self._holds([condition])
        (self.active_scopes if active else self.inactive_scopes).append(copy.deepcopy(self._conditions))
        try:
            yield
        finally:
            self._conditions.pop()

    def is_active(self, hyperparameter: str | HyperParameter) -> bool:
        """Whether all conditions of a hyperparameter hold; for a name, of any of that name."""
        if isinstance(hyperparameter, HyperParameter):
            return self._holds(hyperparameter.conditions)
        return any(self._holds(hp.conditions) for hp in self._hps.get(str(hyperparameter), ()))

    def get(self, name: str) -> Any:
        """The value of an active hyperparameter.

        Raises:
            ValueError: It is inactive.
            KeyError: There is no such hyperparameter.
        """
        name = self._get_name(name)
        if name in self.values:
            return self.values[name]
        if name in self._hps:
            raise ValueError(f"`{name}` must be active to have a value. It is currently inactive.")
        raise KeyError(f"`name` must be a hyperparameter of this trial: {name} does not exist.")

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __contains__(self, name: str) -> bool:
        try:
            self.get(name)
        except (KeyError, ValueError):
            return False
        return True

    def Choice(
        self,
        name: str,
        values: Sequence[Any],
        ordered: bool | None = None,
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """One of `values`; see `Choice`."""
        return self._asked(parent_name, parent_values, Choice, name, values=values, ordered=ordered, default=default)

    def Int(
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """An integer from `min_value` to `max_value`; see `Int`."""
        given = {"min_value": min_value, "max_value": max_value, "step": step, "sampling": sampling}
        return self._asked(parent_name, parent_values, Int, name, **given, default=default)

    def Float(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """A float from `min_value` to `max_value`; see `Float`."""
        given = {"min_value": min_value, "max_value": max_value, "step": step, "sampling": sampling}
        return self._asked(parent_name, parent_values, Float, name, **given, default=default)

    def Boolean(
        self, name: str, default: bool = False, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """True or False."""
        return self._asked(parent_name, parent_values, Boolean, name, default=default)

    def Fixed(self, name: str, value: Any, parent_name: str | None = None, parent_values: Any = None) -> Any:
        """`value`, recorded with the trial and never varied."""
        return self._asked(parent_name, parent_values, Fixed, name, value=value)

    def get_config(self) -> dict[str, Any]:
        """Space and values as JSON types."""
        return {"space": [serialize(hp) for hp in self._space], "values": dict(self.values)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The hyperparameters whose `get_config` this is."""
        hps = cls()
        for entry in config["space"]:
            hps._add(deserialize(entry))
        hps.values = dict(config["values"])
        return hps

    def copy(self) -> HyperParameters:
        """The same space and values, in an object of its own."""
        return HyperParameters.from_config(self.get_config())

    def merge(self, hps: HyperParameters | Sequence[HyperParameter], overwrite: bool = True) -> None:
        """Take the hyperparameters of `hps` in.

        Args:
            hps: Hyperparameters.
            overwrite: Whether those that exist with the same name and conditions are taken again, and their values
                set to their defaults. Defaults to True.
        """
        for hp in hps.space if isinstance(hps, HyperParameters) else hps:
            if overwrite or not self._exists(hp.name, hp.conditions):
                self._register(hp, overwrite)

    def ensure_active_values(self) -> None:
        """Give each active hyperparameter without a value one at random, and take the values of inactive ones away."""
        active = {hp.name for hp in self._space if self._settle(hp)}
        known = {hp.name for hp in self._space}
        self.values = {name: value for name, value in self.values.items() if name in active or name not in known}

    def _settle(self, hp: HyperParameter) -> bool:
        """Whether `hp` is active; it has a value then."""
        active = self.is_active(hp)
        if active and hp.name not in self.values:
            self.values[hp.name] = hp.random_sample()
        return active

    def _asked(
        self, parent_name: str | None, parent_values: Any, kind: type[HyperParameter], name: str, **given: Any
    ) -> Any:
        if parent_name:
            with self.conditional_scope(parent_name, parent_values):
                return self._asked(None, None, kind, name, **given)
        return self._retrieve(kind(name=self._get_name(name), conditions=list(self._conditions), **given))

    def _retrieve(self, hp: HyperParameter) -> Any:
        """The value of a hyperparameter that a build asks for; `None` in an inactive scope."""
        if not self._exists(hp.name, hp.conditions):
            return self._register(hp)
        return self.values[hp.name] if self.is_active(hp) else None

    def _register(self, hyperparameter: HyperParameter, overwrite: bool = False) -> Any:
        self._validate_name(hyperparameter.name)
        hp = type(hyperparameter).from_config(hyperparameter.get_config())
        self._add(hp)
        if not self.is_active(hp):
            return None
        if overwrite or hp.name not in self.values:
            self.values[hp.name] = hp.default
        return self.values[hp.name]

    def _add(self, hp: HyperParameter) -> None:
        self._hps.setdefault(hp.name, []).append(hp)
        self._space.append(hp)

    def _exists(self, name: str, conditions: Sequence[Condition] | None = None) -> bool:
        wanted = self._conditions if conditions is None else conditions
        return any(hp.conditions == list(wanted) for hp in self._hps.get(name, ()))

    def _holds(self, conditions: Sequence[Condition]) -> bool:
        return all(condition.is_active(self.values) for condition in conditions)

    def _get_name(self, name: str) -> str:
        return "/".join([*self._name_scopes, str(name)])

    def _validate_name(self, name: str) -> None:
        for condition in self._conditions:
            if isinstance(condition, Parent) and condition.name == name:
                raise ValueError(
                    f"A conditional hyperparameter cannot have the same name as its parent. Got '{name}' inside a "
                    "scope whose parent it is. Give it another name."
                )
