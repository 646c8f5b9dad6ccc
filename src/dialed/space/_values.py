"""What a value is: a JSON scalar that keeps its Python type, and when two of them are the same."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from dialed.errors import SpaceError
from dialed.trial import Value

__all__ = ["Identity", "find", "identity", "is_number", "plain"]

Identity = tuple[bool, Value]


def plain(value: object, *, argument: str) -> Value:
    """`value` as a plain Python scalar: NumPy's scalars become Python's, subclasses their base.

    Raises:
        SpaceError: `value` is no bool, int, finite float, str or None.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    raise SpaceError(
        f"`{argument}` must be a bool, an int, a finite float, a str or None. Got {value!r} "
        f"({type(value).__name__}). Give each object a name, and look the object up by that name in your own code."
    )


def is_number(value: object) -> bool:
    """Whether `value` is an int or a float. True and False are no numbers here."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def identity(value: Value) -> Identity:
    """A hashable stand-in: equal for 1 and 1.0, different for 1 and True."""
    return isinstance(value, bool), value


def find(values: Iterable[Value], value: Value) -> int | None:
    """The index of `value` in `values`, or `None`. Tells True from 1."""
    wanted = identity(value)
    return next((i for i, other in enumerate(values) if identity(other) == wanted), None)
