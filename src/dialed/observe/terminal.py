"""A live table on a terminal, redrawn a few times a second by a thread of its own."""

from __future__ import annotations

import atexit
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from dialed.clock import Clock
from dialed.events import Event, SessionEnded
from dialed.observe.lines import closing_lines
from dialed.observe.progress import Progress
from dialed.observe.snapshot import Limits
from dialed.observe.table import Picture
from dialed.search.history import Terms

__all__ = ["LiveTable"]


class LiveTable:
    """Shows running trials, the best so far, the last ones that ended, and the budget, in place.

    Events are only counted when they come; drawing is the work of another thread, so training does not wait for it.
    The table begins with the first event, or with `start()`; when the session ends it makes room for three lines with
    the result. What is printed meanwhile appears above it.

    Args:
        console: Where to draw. Defaults to `None`: standard output.
        terms: What the study trains each trial for.
        clock: Where the time comes from.
        budget: The limits of the search. Defaults to those of `terms`.
        name: The study's name. Defaults to "study".
        refreshes_per_second: How often to redraw. Defaults to 4.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        terms: Terms,
        clock: Clock,
        budget: Limits | None = None,
        name: str = "study",
        refreshes_per_second: float = 4,
    ) -> None:
        self.progress = Progress(terms, clock=clock, budget=budget, name=name)
        self.console = console or Console()
        self._refreshes_per_second = refreshes_per_second
        self._live: Live | None = None

    def recall(self, events: Iterable[Event]) -> None:
        """Count events of earlier sessions, without showing them as new."""
        self.progress.recall(events)

    def start(self) -> None:
        """Take the terminal, unless that is done already."""
        if self._live is not None:
            return
        picture = Picture(self.progress.snapshot)
        live = Live(
            console=self.console,
            get_renderable=lambda: picture,
            refresh_per_second=self._refreshes_per_second,
            transient=True,
        )
        live.start()
        self._live = live
        atexit.register(self.stop)  # a process that ends in between must not keep the cursor hidden

    def stop(self) -> None:
        """Give the terminal back, with its cursor, and write the result; nothing if it was not taken."""
        live, self._live = self._live, None
        if live is None:
            return
        atexit.unregister(self.stop)
        live.stop()
        for line in closing_lines(self.progress.snapshot(most_active=0)):
            self.console.print(Text(line))

    def on_event(self, event: Event) -> None:
        """Count `event`; the drawing thread will show it."""
        self.progress.apply(event)
        if isinstance(event, SessionEnded):
            self.stop()
        else:
            self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
