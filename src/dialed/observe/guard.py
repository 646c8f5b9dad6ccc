"""Observers may fail; a search must not fail with them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from dialed.events import Event
from dialed.observe.protocol import Observer
from dialed.search.terms import Terms

__all__ = ["Guarded"]

_log = logging.getLogger("dialed")


class Guarded:
    """Hands each event to several observers, and drops one that raises, aloud and once.

    Observers that have `start()` and `stop()` are started and stopped with it, in the order given and back.
    `KeyboardInterrupt` is not an error of an observer: it passes.

    Args:
        observers: Who watches.

    Example:
        >>> class Broken:
        ...     def on_event(self, event):
        ...         raise OSError("disk full")
        >>> observers = Guarded([Broken()])
        >>> observers.on_event(None)  # logs: The observer Broken failed and sees nothing more ...
        >>> observers.watching
        ()
    """

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = list(observers)

    @property
    def watching(self) -> tuple[Observer, ...]:
        """The observers that still see events."""
        return tuple(self._observers)

    def on_event(self, event: Event) -> None:
        """Hand `event` to every observer that still watches."""
        for observer in self.watching:
            self._call(observer, lambda o=observer: o.on_event(event))  # type: ignore[misc]

    def watch(self, name: str, terms: Terms) -> None:
        """Tell the observers that want to know which study they will see, and what it trains for."""
        for observer in self.watching:
            watch = getattr(observer, "watch", None)
            self._call(observer, None if watch is None else lambda w=watch: w(name, terms))  # type: ignore[misc]

    def recall(self, events: Sequence[Event]) -> None:
        """Hand events of earlier sessions to the observers that want to know them but not to show them as new."""
        for observer in self.watching:
            recall = getattr(observer, "recall", None)
            self._call(observer, None if recall is None else lambda r=recall: r(events))  # type: ignore[misc]

    def start(self) -> None:
        """Start the observers that can be started."""
        for observer in self.watching:
            self._call(observer, getattr(observer, "start", None))

    def stop(self) -> None:
        """Stop the observers that can be stopped, the last one first."""
        for observer in reversed(self.watching):
            self._call(observer, getattr(observer, "stop", None))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _call(self, observer: Observer, method: Callable[[], object] | None) -> None:
        if method is None:
            return
        try:
            method()
        except Exception as error:  # noqa: BLE001  whatever an observer raises, the search goes on
            self._drop(observer, error)

    def _drop(self, observer: Observer, error: Exception) -> None:
        self._observers = [o for o in self._observers if o is not observer]
        _log.warning(
            "The observer %s failed and sees nothing more of this search; the search goes on. %s: %s",
            type(observer).__name__,
            type(error).__name__,
            error,
            exc_info=_log.isEnabledFor(logging.DEBUG),
        )
        self._release(observer)

    def _release(self, observer: Observer) -> None:
        """Let a dropped observer give back what it holds: a display, the terminal's cursor."""
        stop = getattr(observer, "stop", None)
        if stop is None:
            return
        try:
            stop()
        except Exception as error:  # noqa: BLE001  it was dropped already, and said so
            _log.debug("The observer %s could not be stopped either: %s", type(observer).__name__, error)
