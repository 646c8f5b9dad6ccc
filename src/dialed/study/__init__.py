"""Studies and tuners: the loop that joins space, strategy, engine, executor and store."""

from __future__ import annotations

from dialed.study.budget import Budget, parse_seconds
from dialed.study.confirm import Confirmation, Finalist, Interval
from dialed.study.optimize import create_study, load, optimize
from dialed.study.preview import Preview
from dialed.study.study import Study
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
