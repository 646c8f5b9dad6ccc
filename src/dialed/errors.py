"""Every exception that Dialed raises.

    DialedError
    ├── InvalidInputError (ValueError)   an argument cannot mean anything: raised before any training
    │   ├── SpaceError                   the search space is wrong, or does not fit the study
    │   ├── ObjectiveError               the objective is not a metric of the model
    │   └── DataError                    the data cannot be trained on
    ├── StoreError                       the store cannot be opened, read or written
    │   ├── CheckpointError              a checkpoint is missing or damaged
    │   └── LeaseLostError               another worker has taken over the member
    ├── StudyError                       the study cannot go on (too many failures, in use elsewhere, unknown name)
    └── MissingDependencyError (ImportError)

A trial that fails is data (`Cause` in `trial.py`), never an exception; a study that fails is an exception.
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "DataError",
    "DialedError",
    "InvalidInputError",
    "LeaseLostError",
    "MissingDependencyError",
    "ObjectiveError",
    "SpaceError",
    "StoreError",
    "StudyError",
]


class DialedError(Exception):
    """The root of all errors that Dialed raises on purpose."""


class InvalidInputError(DialedError, ValueError):
    """An argument cannot mean anything."""


class SpaceError(InvalidInputError):
    """The search space is wrong, or does not fit the study it is used with."""


class ObjectiveError(InvalidInputError):
    """The objective is not a metric that the model produces."""


class DataError(InvalidInputError):
    """The data cannot be trained on."""


class StoreError(DialedError):
    """The store cannot be opened, read or written."""


class CheckpointError(StoreError):
    """A checkpoint is missing or damaged."""


class LeaseLostError(StoreError):
    """Another worker has taken over the member that this one was training."""


class StudyError(DialedError):
    """The study cannot go on."""


class MissingDependencyError(DialedError, ImportError):
    """An optional package is not installed."""
