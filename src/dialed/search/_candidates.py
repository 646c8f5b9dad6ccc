"""Fixed sequences of configurations, and what most strategies do with them: begin the first that are untried."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import chain, islice

from dialed.search._tried import Tried
from dialed.search.decisions import Decision, Finish, Start
from dialed.search.history import History
from dialed.space import Space
from dialed.trial import Values

__all__ = ["Candidates", "from_default", "start_untried", "starts"]


class Candidates:
    """A sequence of configurations that is read only as far as it is needed.

    It remembers its place, since a configuration that was tried stays tried. Reading anew from the beginning gives the
    same: the first untried ones of the sequence.
    """

    def __init__(self, sequence: Iterable[Values]) -> None:
        self._rest: Iterator[Values] = iter(sequence)
        self._read: dict[Hashable, Values] = {}

    def untried(self, known: Tried, count: int) -> dict[Hashable, Values]:
        """The first `count` that are not tried, by key; fewer where the sequence ends."""
        self._read = {key: values for key, values in self._read.items() if key not in known}
        while len(self._read) < count:
            values = next(self._rest, None)
            if values is None:
                break
            key = known.space.key(values)
            if key not in known:
                self._read.setdefault(key, values)
        return dict(islice(self._read.items(), count))


def from_default(space: Space, sequence: Iterable[Values], *, default_first: bool) -> Iterator[Values]:
    """The default configuration, where it is to go first, and then the sequence."""
    return chain([space.default_values()] if default_first else [], sequence)


def starts(configurations: Iterable[Values], history: History) -> list[Decision]:
    """Begin each configuration, with full training."""
    return [Start(values=dict(values), until=history.terms.epochs) for values in configurations]


def start_untried(candidates: Candidates, known: Tried, history: History, free: int, *, reason: str) -> list[Decision]:
    """Begin the next candidates in the free places; finish for `reason` when none is left."""
    if free < 1:
        return []
    return starts(candidates.untried(known, free).values(), history) or [Finish(reason=reason)]
