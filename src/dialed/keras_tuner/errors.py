"""What ends a trial or a whole search.

Exception
├── FailedTrialError        raised while a trial is built or trained: it has failed, and is not tried again
└── FatalError              never caught: the search ends at once
    ├── FatalValueError     (ValueError)
    ├── FatalTypeError      (TypeError)
    └── FatalRuntimeError   (RuntimeError)
"""

from __future__ import annotations

__all__ = ["FailedTrialError", "FatalError", "FatalRuntimeError", "FatalTypeError", "FatalValueError"]


class FailedTrialError(Exception):
    """Raise it while a trial is built or trained, and the trial has failed: it is not tried again, the search goes on."""


class FatalError(Exception):
    """Raise it anywhere in a trial, and the whole search ends with it."""


class FatalValueError(FatalError, ValueError):
    """A value with which no trial could go well."""


class FatalTypeError(FatalError, TypeError):
    """An object of a kind with which no trial could go well."""


class FatalRuntimeError(FatalError, RuntimeError):
    """Something with which no trial could go well."""
