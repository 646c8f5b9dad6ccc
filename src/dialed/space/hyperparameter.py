"""A name, what it may be, and when it means anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dialed.errors import SpaceError
from dialed.space._values import find, identity, plain
from dialed.space.domains import Domain, domain_from_json
from dialed.trial import Value, Values

__all__ = ["Condition", "Hyperparameter"]


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """Holds while the hyperparameter `parent` is active and has one of `values`."""

    parent: str
    values: tuple[Value, ...]

    def holds(self, active: Values) -> bool:
        """Whether it holds, given the values of the active hyperparameters."""
        return self.parent in active and self.allows(active[self.parent])

    def allows(self, value: Value) -> bool:
        """Whether `value` of the parent is one of `values`. Tells True from 1."""
        return value in self.values and find(self.values, value) is not None

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, Condition) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[object, ...]:
        return self.parent, tuple(identity(value) for value in self.values)

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types."""
        return {"parent": self.parent, "values": list(self.values)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Condition:
        """The condition that `to_json` wrote."""
        return cls(data["parent"], tuple(plain(value, argument="values") for value in data["values"]))

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.parent} = {self.values[0]}"
        if len(self.values) > 2 and _is_row(self.values):
            return f"{self.parent} in {self.values[0]} to {self.values[-1]}"
        return f"{self.parent} in {', '.join(str(value) for value in self.values)}"


def _is_row(values: tuple[Value, ...]) -> bool:
    """Whether these are numbers at equal distances, rising."""
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    distances = {b - a for a, b in pairwise(numbers)}
    return len(numbers) == len(values) and len(distances) == 1 and min(distances) > 0


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One thing that varies. It is active, and has a value, only while all its conditions hold."""

    name: str
    domain: Domain
    conditions: tuple[Condition, ...] = ()

    @property
    def default(self) -> Value:
        """The default of the domain."""
        return self.domain.default

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types."""
        conditions = [condition.to_json() for condition in self.conditions]
        return {"name": self.name, "domain": self.domain.to_json(), "conditions": conditions}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Hyperparameter:
        """The hyperparameter that `to_json` wrote.

        Raises:
            SpaceError: `data` is not what `to_json` writes.
        """
        try:
            conditions = tuple(Condition.from_json(condition) for condition in data["conditions"])
            return cls(str(data["name"]), domain_from_json(data["domain"]), conditions)
        except (KeyError, TypeError) as error:
            raise SpaceError(f"`data` must be a hyperparameter as `to_json` writes it. Got {data!r}.") from error
