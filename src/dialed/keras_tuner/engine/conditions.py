"""When a hyperparameter means anything: while its parent has one of certain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

__all__ = ["Condition", "Parent", "deserialize", "serialize"]


class Condition:
    """Something that a hyperparameter needs to be active. Subclass it and write `is_active` and `get_config`."""

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds, given the values of the active hyperparameters."""
        raise NotImplementedError(f"`{type(self).__name__}.is_active(values)` must be written by the subclass.")

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again."""
        raise NotImplementedError(f"`{type(self).__name__}.get_config()` must be written by the subclass.")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The condition whose `get_config` this is."""
        return cls(**config)


class Parent(Condition):
    """Holds while the hyperparameter `name` is active and has one of `values`.

    Args:
        name: The parent's name.
        values: A value, or a list of them: strings, ints, floats or bools, all of one kind.

    Raises:
        TypeError: They are of another kind.
    """

    def __init__(self, name: str, values: Any) -> None:
        self.name = name
        self.values = _standardised(values)

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds, given the values of the active hyperparameters."""
        return self.name in values and values[self.name] in self.values

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again."""
        return {"name": self.name, "values": list(self.values)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parent) and (other.name, other.values) == (self.name, self.values)

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.values)))

    def __repr__(self) -> str:
        return f"Parent(name={self.name!r}, values={self.values!r})"


def _standardised(values: Any) -> list[Any]:
    listed = list(values) if isinstance(values, (list, tuple)) else [values]
    for kind in (str, bool, int, float):
        if listed and all(isinstance(value, kind) for value in listed):
            return listed if kind is bool else [kind(value) for value in listed]
    if listed and all(isinstance(value, (int, float)) for value in listed):
        return listed
    raise TypeError(
        f"`values` of a condition: Can contain only `int`, `float`, `str` or `bool`, at least one. Got {values!r}."
    )


def serialize(condition: Condition) -> dict[str, Any]:
    """The condition as a dict of JSON types."""
    return {"class_name": type(condition).__name__, "config": condition.get_config()}


def deserialize(config: Any) -> Condition:
    """The condition that `serialize` wrote; one that is a condition already stays as it is.

    Raises:
        ValueError: It is of a kind that is not known.
    """
    if isinstance(config, Condition):
        return config
    if config["class_name"] != "Parent":
        raise ValueError(f"`class_name` of a condition must be 'Parent'. Got {config['class_name']!r}.")
    return Parent.from_config(config["config"])
