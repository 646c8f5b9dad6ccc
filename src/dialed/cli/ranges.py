"""Numbers and ranges as people write them on a command line or in a TOML file, and as JSON in a study's settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from dialed.errors import InvalidInputError
from dialed.space import Choice, Domain, Float, Int, domain_from_json

__all__ = ["Counted", "counted_from_text", "from_json", "from_toml", "to_json"]

Counted: TypeAlias = int | Domain
"""How often or how many: a number, or a range of whole numbers to tune."""

_RANGE = re.compile(r"(\d+)\.\.(\d+)(?::(\d+))?")
_FORMS = "a whole number such as 64, a list such as 32,64,128, or a range such as 5..20 or 32..256:32 (with a step)"
_RANGE_KEYS = ("min", "max", "step", "sampling", "default")


def counted_from_text(name: str, text: str) -> Counted:
    """Read "64", "32,64,128" (a `Choice`), "5..20" or "32..256:32" (an `Int`).

    Raises:
        InvalidInputError: It is none of these.

    Example:
        >>> counted_from_text("epochs", "5..20:5")
        Int(5, 20, step=5)
    """
    stripped = text.replace(" ", "")
    if match := _RANGE.fullmatch(stripped):
        low, high, step = match.groups()
        return Int(int(low), int(high), step=None if step is None else int(step))
    parts = stripped.split(",")
    if not all(part.isdecimal() for part in parts):
        raise InvalidInputError(f"The `{name}` must be {_FORMS}. Got {text!r}.")
    numbers = [int(part) for part in parts]
    return numbers[0] if len(numbers) == 1 else Choice(numbers)


def from_toml(name: str, value: Any) -> Any:
    """Read a value of a TOML file: a list is a `Choice`, a table with `min` and `max` an `Int` or a `Float`.

    Raises:
        InvalidInputError: A table of another kind.
    """
    if isinstance(value, list):
        return Choice(value)
    if not isinstance(value, Mapping):
        return value
    unknown = [key for key in value if key not in _RANGE_KEYS]
    if unknown or "min" not in value or "max" not in value:
        raise InvalidInputError(
            f"The table `{name}` must have `min` and `max`, and may have `step`, `sampling` and `default`. "
            f"Got {', '.join(value) or 'an empty one'}."
        )
    settings = {key: value[key] for key in ("step", "sampling", "default") if key in value}
    whole = all(isinstance(value[key], int) for key in ("min", "max", "step") if key in value)
    return (Int if whole else Float)(value["min"], value["max"], **settings)


def to_json(value: Any) -> Any:
    """`value` as JSON types; a domain becomes {"domain": ...}."""
    return {"domain": value.to_json()} if isinstance(value, Domain) else value


def from_json(value: Any) -> Any:
    """What `to_json` was given."""
    if isinstance(value, Mapping) and set(value) == {"domain"}:
        return domain_from_json(value["domain"])
    return value
