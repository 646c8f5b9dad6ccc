"""Studies and tuners: the loop that joins space, strategy, engine, executor and store. See README.md beside this file."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dialed.study.budget import Budget, parse_seconds
from dialed.study.confirm import Confirmation, Finalist, Interval
from dialed.study.functions import create_study, load, optimize
from dialed.study.study import Study

if TYPE_CHECKING:
    from dialed.study.preview import Preview
    from dialed.study.tuner import Tuner

__all__ = [
    "Budget",
    "Confirmation",
    "Finalist",
    "Interval",
    "Preview",
    "Study",
    "Tuner",
    "create_study",
    "load",
    "optimize",
    "parse_seconds",
]

_HOMES = {"Preview": "dialed.study.preview", "Tuner": "dialed.study.tuner"}


def __getattr__(name: str) -> Any:
    """Load what trains Keras models only when it is asked for: reading a study does not need it."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
