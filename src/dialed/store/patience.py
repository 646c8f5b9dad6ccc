"""What to do while a database server is away: wait for it, and find out what it had stored before it went.

A server that is restarted takes every transaction with it, and where it goes while it commits, nobody is told whether
that one came through. So whoever tries again looks first whether the events that it was about to store are there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from dialed.errors import StoreError
from dialed.trial import MemberKey

__all__ = ["PATIENCE_SECONDS", "Away", "Patience", "Tried", "patient", "patiently"]

PATIENCE_SECONDS: Final = 60.0
"""A restart takes seconds, a fail-over to another server about half a minute."""

T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S", bound="_HasDatabase")


class Away(StoreError):
    """The server cannot be reached, or went away in the middle. To everybody else it is a `StoreError`."""


class Patience:
    """Waits ever longer between two tries, until too much time has passed."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._pause = 0.05

    def wait(self, error: Away) -> None:
        """Wait for the next try, or raise `error`."""
        if time.monotonic() + self._pause > self._ends:
            raise error
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, 1.0)


def patiently(attempt: Callable[[], T], seconds: float) -> T:
    """What `attempt` returns, once the server is there; its error after so many seconds of trying."""
    patience = Patience(seconds)
    while True:
        try:
            return attempt()
        except Away as error:
            patience.wait(error)


class _HasDatabase(Protocol):
    @property
    def _database(self) -> Patiently: ...


class Patiently(Protocol):
    """What runs an attempt again while the server is away."""

    def patiently(self, attempt: Callable[[], T]) -> T: ...


def patient(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """A method of a store that is tried again while the server is away: one that may be carried out twice."""

    @wraps(method)
    def run(self: S, /, *arguments: P.args, **named: P.kwargs) -> T:
        return self._database.patiently(lambda: method(self, *arguments, **named))

    return run


@dataclass(slots=True)
class Tried:
    """What a transaction was about to store, for whoever tries it again.

    `events` are kinds and bodies, from the cursor `first` on. `held` are the members that the worker had leased before.
    """

    first: int = 0
    events: list[tuple[str, str]] = field(default_factory=list)
    held: frozenset[MemberKey] | None = None
