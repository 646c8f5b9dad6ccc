"""Domains without a scale: a list of choices, true or false, and a constant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dialed.errors import SpaceError
from dialed.space._values import find, identity, is_number, plain
from dialed.trial import Value

__all__ = ["Boolean", "Choice", "Fixed"]


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class Choice:
    """One of a list of values. Choose it for things without a scale, or for numbers that follow none.

    Args:
        values: The choices: bool, int, float, str or None, also mixed. 1 and True are different choices, 1 and 1.0
            are not.
        ordered: Whether their order means something to a model of the objective. Only numbers can be ordered.
            Defaults to True where all are numbers, else to False.
        default: The prior: the value of the first trial. Defaults to None where that is a choice, else to the first.

    Raises:
        SpaceError: No values, a value twice, a value that is no scalar, or a default that is none of them.

    Example:
        >>> Choice([32, 64, 128], default=64)
        Choice([32, 64, 128], default=64)
    """

    choices: tuple[Value, ...]
    ordered: bool
    default: Value

    def __init__(self, values: Iterable[object], *, ordered: bool | None = None, default: object = None) -> None:
        choices = _checked_choices(values)
        numeric = all(is_number(value) for value in choices)
        if ordered and not numeric:
            raise SpaceError(
                f"`ordered=True` needs choices that are all numbers. Got {list(choices)}. Leave `ordered` out."
            )
        object.__setattr__(self, "choices", choices)
        object.__setattr__(self, "ordered", numeric if ordered is None else bool(ordered))
        object.__setattr__(self, "default", self._checked_default(default))

    def _checked_default(self, default: object) -> Value:
        if default is None:
            return None if None in self.choices else self.choices[0]
        if not self.contains(default):
            raise SpaceError(
                f"`default` must be one of the values. Got {default!r}, and the values are {list(self.choices)}."
            )
        return self.cast(default)

    @property
    def size(self) -> int:
        """The number of choices."""
        return len(self.choices)

    @property
    def categorical(self) -> bool:
        """Whether the order means nothing."""
        return not self.ordered

    def values(self, points: int | None = None) -> list[Value]:
        """All choices, as listed. `points` is for numbers and changes nothing here."""
        return list(self.choices)

    def contains(self, value: object) -> bool:
        """Whether `value` is one of the choices."""
        return _scalar(value) and find(self.choices, plain(value, argument="value")) is not None

    def cast(self, value: object) -> Value:
        """`value` as it stands in the list: its Python type is that of the list."""
        return self.choices[self._index(value)]

    def to_unit(self, value: object) -> float:
        """The middle of the value's cell in [0, 1]."""
        return (self._index(value) + 0.5) / self.size

    def from_unit(self, unit: float) -> Value:
        """The choice in whose cell `unit` lies."""
        return self.choices[min(max(int(unit * self.size), 0), self.size - 1)]

    def _index(self, value: object) -> int:
        index = find(self.choices, plain(value, argument="value")) if _scalar(value) else None
        if index is None:
            raise SpaceError(f"A value must be one of {list(self.choices)}. Got {value!r}.")
        return index

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types, for `domain_from_json`."""
        return {"type": "choice", "values": list(self.choices), "ordered": self.ordered, "default": self.default}

    def same_range(self, other: object) -> bool:
        """Whether both hold the same values in the same order, whatever their defaults."""
        return isinstance(other, Choice) and self.ordered == other.ordered and _same(self.choices, other.choices)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Choice):
            return NotImplemented
        return self.same_range(other) and _same((self.default,), (other.default,))

    def __hash__(self) -> int:
        return hash((self.choices, self.ordered, self.default))

    def __repr__(self) -> str:
        first = None if None in self.choices else self.choices[0]
        numeric = all(is_number(value) for value in self.choices)
        ordered = "" if self.ordered == numeric else f", ordered={self.ordered}"
        default = "" if _same((self.default,), (first,)) else f", default={self.default!r}"
        return f"Choice({list(self.choices)!r}{ordered}{default})"


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Boolean:
    """True or False. It counts as categorical: two values have no order that a model could use.

    Args:
        default: The prior: the value of the first trial. Defaults to False.

    Example:
        >>> Boolean().values()
        [False, True]
    """

    default: bool

    def __init__(self, *, default: bool = False) -> None:
        value = plain(default, argument="default")
        if not isinstance(value, bool):
            raise SpaceError(f"`default` of a Boolean must be True or False. Got {default!r}.")
        object.__setattr__(self, "default", value)

    @property
    def size(self) -> int:
        """Two."""
        return 2

    @property
    def categorical(self) -> bool:
        """True."""
        return True

    def values(self, points: int | None = None) -> list[Value]:
        """False, then True. `points` is for numbers and changes nothing here."""
        return [False, True]

    def contains(self, value: object) -> bool:
        """Whether `value` is True or False; 1 and 0 are not."""
        return _scalar(value) and isinstance(plain(value, argument="value"), bool)

    def cast(self, value: object) -> bool:
        """`value` as a Python bool. Raises `SpaceError` where it is none."""
        if not self.contains(value):
            raise SpaceError(f"A value must be True or False. Got {value!r}.")
        return bool(value)

    def to_unit(self, value: object) -> float:
        """0.25 for False, 0.75 for True."""
        return 0.75 if self.cast(value) else 0.25

    def from_unit(self, unit: float) -> bool:
        """False below one half."""
        return unit >= 0.5

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types, for `domain_from_json`."""
        return {"type": "boolean", "default": self.default}

    def same_range(self, other: object) -> bool:
        """Whether the other is a Boolean too."""
        return isinstance(other, Boolean)

    def __repr__(self) -> str:
        return "Boolean(default=True)" if self.default else "Boolean()"


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class Fixed:
    """One value that is recorded with each trial and never varied.

    Args:
        value: A bool, int, float, str or None.
    """

    value: Value

    def __init__(self, value: object) -> None:
        object.__setattr__(self, "value", plain(value, argument="value"))

    @property
    def default(self) -> Value:
        """The value."""
        return self.value

    @property
    def size(self) -> int:
        """One."""
        return 1

    @property
    def categorical(self) -> bool:
        """False: a constant needs no categories."""
        return False

    def values(self, points: int | None = None) -> list[Value]:
        """The value alone."""
        return [self.value]

    def contains(self, value: object) -> bool:
        """Whether `value` is the value."""
        return _scalar(value) and _same((self.value,), (plain(value, argument="value"),), types=False)

    def cast(self, value: object) -> Value:
        """The value. Raises `SpaceError` for another one."""
        if not self.contains(value):
            raise SpaceError(f"A value must be {self.value!r}, which is fixed. Got {value!r}.")
        return self.value

    def to_unit(self, value: object) -> float:
        """0.5."""
        self.cast(value)
        return 0.5

    def from_unit(self, unit: float) -> Value:
        """The value, anywhere."""
        return self.value

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON types, for `domain_from_json`."""
        return {"type": "fixed", "value": self.value}

    def same_range(self, other: object) -> bool:
        """Whether the other holds the same value."""
        return self == other

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fixed):
            return NotImplemented
        return _same((self.value,), (other.value,))

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"Fixed({self.value!r})"


def _checked_choices(values: Iterable[object]) -> tuple[Value, ...]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise SpaceError(f"`values` must be a list of choices. Got {values!r}. Write [{values!r}] for a single one.")
    choices = tuple(plain(value, argument="values") for value in values)
    if not choices:
        raise SpaceError("`values` must hold at least one choice. Got an empty list.")
    twice = [value for i, value in enumerate(choices) if find(choices[:i], value) is not None]
    if twice:
        raise SpaceError(f"`values` must differ from each other. Got {list(choices)}, with {twice[0]!r} twice.")
    return choices


def _scalar(value: object) -> bool:
    try:
        plain(value, argument="value")
    except SpaceError:
        return False
    return True


def _same(mine: Sequence[Value], theirs: Sequence[Value], *, types: bool = True) -> bool:
    """Whether both hold the same values; with `types`, 1 and 1.0 differ as well."""
    if len(mine) != len(theirs):
        return False
    pairs = list(zip(mine, theirs, strict=True))
    return all(identity(a) == identity(b) and (not types or type(a) is type(b)) for a, b in pairs)
