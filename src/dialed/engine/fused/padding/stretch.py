"""The widest model for lanes of several widths: built by the user's own function, from the largest of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dialed.space import Space
from dialed.trial import Value, Values

__all__ = ["differences", "roomy", "standing_for", "widest"]

_MANY = 4096
_FEW = 8
"""Of so few values a later lane is likely to have one that was seen."""


def widest(lanes: Sequence[Values], space: Space) -> dict[str, Value]:
    """The values of the first lane, with whole numbers as large as any lane has them, or a little larger.

    A whole number that is no width is made larger too. That does no harm: all numbers of a lane but widths are inputs
    of its program.
    """
    first = dict(lanes[0])
    for name, value in first.items():
        given = [values.get(name) for values in lanes]
        if _is_whole(value) and all(map(_is_whole, given)) and len(set(given)) > 1:
            largest = max(number for number in given if isinstance(number, int))
            first[name] = roomy(largest, _values_of(space, name))
    return first


def roomy(value: int, values: Sequence[int]) -> int:
    """The largest of `values`, or it halved as often as leaves room for `value`: later lanes then often fit too.

    Of few values, `value` itself.
    """
    if len(values) <= _FEW:
        return value
    top = max(values)
    level = float(top)
    while level / 2 >= value:
        level /= 2
    return min((v for v in values if v >= level), default=value)


def standing_for(values: Values, wide: Values) -> dict[str, Value]:
    """`wide`, but with the fractional numbers of `values`: a model of the same widths with another lane's numbers."""
    numbers = {name: v for name, v in values.items() if isinstance(v, float) and isinstance(wide.get(name), float)}
    return {**wide, **numbers}


def _values_of(space: Space, name: str) -> list[int]:
    if name not in space:
        return []
    domain = space[name].domain
    if domain.size is None or domain.size > _MANY:
        return []
    return [value for value in domain.values() if _is_whole(value) and isinstance(value, int)]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def differences(lanes: Sequence[Values], wide: Mapping[str, Value]) -> dict[str, Value]:
    """The names of whole numbers in which lanes differ, with the values that the wide model has."""
    return {
        name: value
        for name, value in wide.items()
        if _is_whole(value) and len({values.get(name) for values in lanes}) > 1
    }
