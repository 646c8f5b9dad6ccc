"""Which configurations a study has already tried."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from dialed.search.history import History
from dialed.space import Space

__all__ = ["Tried", "recall", "tried"]

T = TypeVar("T")


class Tried:
    """The configurations of a history, by their key in one space.

    Trials of every source and state count: what the user enqueued, what still runs, what failed.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.size = space.size()
        self.default_key = space.key(space.default_values())
        self._trials: dict[Hashable, list[int]] = {}
        self._read = 0

    def read(self, history: History) -> Tried:
        """Take in what the history has gained since the last time."""
        new = history.values_after(self._read)
        self._read += len(new)
        for number, values in new:
            self._trials.setdefault(self.space.key(values), []).append(number)
        return self

    def __contains__(self, key: Hashable) -> bool:
        return key in self._trials

    def trials(self, key: Hashable) -> list[int]:
        """The numbers of the trials of one configuration, the earliest first."""
        return self._trials.get(key, [])


def tried(space: Space, history: History) -> Tried:
    """What `history` has tried, as `space` tells configurations apart."""
    return recall(history, "tried", space, None, lambda: Tried(space)).read(history)


def recall(history: History, name: str, space: Space, settings: object, make: Callable[[], T]) -> T:
    """What `make` returns, kept in the history's memo for as long as the space and the settings are the same."""
    kept = history.memo.get(name)
    if kept is None or kept[0] != settings or (kept[1] is not space and kept[1] != space):
        kept = history.memo[name] = (settings, space, make())
    return cast(T, kept[2])
