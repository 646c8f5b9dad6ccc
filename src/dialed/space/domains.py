"""Domains: the values that one hyperparameter may take.

They have no name, so they also serve as plain values: `tuner.search(..., batch_size=dialed.Choice([32, 64]))`.
Each is frozen, compares by what it holds, and survives `domain_from_json(domain.to_json())`. All share:

- `default`, the value of the first trial; `size`, the number of values (`None` where continuous); `categorical`;
- `values(points)`, all of them in order; `contains(value)`; `cast(value)`, the same value in its own Python type;
- `to_unit(value)` and `from_unit(u)`: the place in [0, 1], and back;
- `to_json()`; `same_range(other)`, equality that leaves the defaults out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from dialed.errors import SpaceError
from dialed.space._choices import Boolean, Choice, Fixed
from dialed.space._numbers import Float, Int

__all__ = ["Boolean", "Choice", "Domain", "Fixed", "Float", "Int", "domain_from_json"]

Domain: TypeAlias = Choice | Int | Float | Boolean | Fixed
"""Any of them; `isinstance(value, Domain)` tells whether a value is one."""


def domain_from_json(data: Mapping[str, Any]) -> Domain:
    """The domain that `to_json` wrote.

    Raises:
        SpaceError: `data` is not what `to_json` writes.
    """
    settings = dict(data)
    kind = settings.pop("type", None)
    try:
        match kind:
            case "choice":
                return Choice(settings.pop("values"), **settings)
            case "int":
                return Int(settings.pop("min_value"), settings.pop("max_value"), **settings)
            case "float":
                return Float(settings.pop("min_value"), settings.pop("max_value"), **settings)
            case "boolean":
                return Boolean(**settings)
            case "fixed":
                return Fixed(**settings)
    except (KeyError, TypeError) as error:
        raise SpaceError(f"`data` must be the {kind} domain as `to_json` writes it. Got {dict(data)!r}.") from error
    raise SpaceError(f"`type` must be choice, int, float, boolean or fixed. Got {kind!r} in {dict(data)!r}.")
