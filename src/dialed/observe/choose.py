"""Which display fits: the live table, the notebook's, plain lines, or none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Protocol, TextIO

from dialed.clock import Clock
from dialed.errors import InvalidInputError
from dialed.events import Event
from dialed.observe.lines import Lines
from dialed.observe.snapshot import Limits
from dialed.search.history import Terms

__all__ = ["Display", "Silent", "display_for", "in_notebook"]


class Display(Protocol):
    """An observer that shows a search in some place, and can be begun and ended."""

    def recall(self, events: Iterable[Event]) -> None:
        """Count events of earlier sessions, without showing them as new."""
        ...

    def start(self) -> None:
        """Begin to show."""
        ...

    def stop(self) -> None:
        """Show the result, and give the place back."""
        ...

    def on_event(self, event: Event) -> None:
        """Count `event`, and show what follows from it."""
        ...


class Silent:
    """A display that shows nothing."""

    def recall(self, events: Iterable[Event]) -> None:
        """Do nothing."""

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def on_event(self, event: Event) -> None:
        """Do nothing."""


def display_for(
    *,
    terms: Terms,
    clock: Clock,
    budget: Limits | None = None,
    name: str = "study",
    verbose: int = 1,
    file: TextIO | None = None,
) -> Display:
    """Return the display that fits the place where this process writes.

    A notebook gets one output that updates, a terminal the live table, everything else (a pipe, a log, a terminal that
    cannot move its cursor or write Unicode) one line a finished trial.

    Args:
        terms: What the study trains each trial for.
        clock: Where the time comes from.
        budget: The limits of the search. Defaults to those of `terms`.
        name: The study's name. Defaults to "study".
        verbose: 0 shows nothing, 1 the progress. Defaults to 1.
        file: Where to write. Defaults to `None`: standard output.

    Raises:
        InvalidInputError: `verbose` is neither 0 nor 1.
    """
    if isinstance(verbose, str) or verbose not in (0, 1):
        raise InvalidInputError(f"The `verbose` must be 0 (show nothing) or 1 (show the progress). Got {verbose!r}.")
    if not verbose:
        return Silent()
    if file is None and in_notebook():
        from dialed.observe.notebook import NotebookDisplay

        return NotebookDisplay(terms=terms, clock=clock, budget=budget, name=name)
    if _can_redraw(file or sys.stdout):
        from rich.console import Console

        from dialed.observe.terminal import LiveTable

        return LiveTable(Console(file=file, force_terminal=True), terms=terms, clock=clock, budget=budget, name=name)
    return Lines(file, terms=terms, clock=clock, budget=budget, name=name)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook. IPython is asked only if it is loaded already."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None  # the shell of a terminal has none


def _can_redraw(file: TextIO) -> bool:
    encoding = (getattr(file, "encoding", None) or "").lower().replace("-", "")
    is_terminal = getattr(file, "isatty", lambda: False)
    # TERM says what the terminal can do; "dumb" ones (editors, some logs) cannot move the cursor.
    return bool(is_terminal()) and encoding.startswith("utf") and os.environ.get("TERM", "") not in ("dumb", "unknown")
