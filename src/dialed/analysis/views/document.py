"""Frozen data as a JSON document, for whoever draws elsewhere: a page, a file, another program."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

__all__ = ["as_json"]


def as_json(view: Any) -> Any:
    """`view` as JSON values: a dataclass becomes an object, a tuple or an array a list, what is not finite `None`.

    It takes every view, and the frozen answers beside them (`Importance`, `Explanation`, `Confirmation`).

    Example:
        >>> as_json({"scores": (0.5, float("nan")), "state": "failed"})
        {'scores': [0.5, None], 'state': 'failed'}
    """
    match view:
        case None | bool() | int():
            return view
        case Enum():
            return as_json(view.value)
        case str():
            return view
        case float():
            return float(view) if math.isfinite(view) else None
        case np.ndarray() | np.generic():
            return as_json(view.tolist())
        case Mapping():
            return {str(name): as_json(value) for name, value in view.items()}
        case list() | tuple():
            return [as_json(value) for value in view]
    if is_dataclass(view):
        return {field.name: as_json(getattr(view, field.name)) for field in fields(view)}
    raise TypeError(f"A view is made of dataclasses and plain values. Got a {type(view).__name__}.")
