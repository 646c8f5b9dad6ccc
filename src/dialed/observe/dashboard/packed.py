"""Views as short JSON: as many digits as a drawing can show, because a large study is many numbers."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any

from dialed.analysis.views import as_json

__all__ = ["packed"]


def packed(view: Any) -> Any:
    """`view` as JSON values with four digits to a number; what is not finite is `None`."""
    if isinstance(view, float):
        return _short(view)
    if isinstance(view, (tuple, list)):
        return [_short(item) if type(item) is float else packed(item) for item in view]
    if is_dataclass(view) and not isinstance(view, type):
        return {field.name: packed(getattr(view, field.name)) for field in fields(view)}
    return as_json(view)


def _short(number: float) -> float | None:
    if not isfinite(number):
        return None
    short = round(number, 4) if abs(number) >= 0.1 or number == 0 else float(f"{number:.4g}")
    return int(short) if short.is_integer() and abs(short) < 1e9 else short
