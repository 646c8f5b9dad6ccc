"""Who watches."""

from __future__ import annotations

from typing import Protocol

from dialed.events import Event

__all__ = ["Observer"]


class Observer(Protocol):
    """Sees every event of a study once it is stored, in order. An observer that raises is dropped, aloud."""

    def on_event(self, event: Event) -> None:
        """Take note of `event`."""
        ...
