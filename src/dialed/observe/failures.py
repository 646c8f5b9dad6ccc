"""Failed trials, grouped by what they died of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dialed.observe.text import first_line, format_count, shorten
from dialed.trial import State, Trial

__all__ = ["commonest"]

_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
_LONGEST = 300


def commonest(trials: Iterable[Trial], most: int = 3) -> list[str]:
    """What the failed ones among `trials` died of, the commonest first: a line for each kind of error.

    Errors of one cause whose messages differ in nothing but numbers (a shape, an address) are of one kind, and the
    latest of them is told. What is beyond `most` kinds is counted in a last line.
    """
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        if trial.state is State.FAILED:
            kind = (str(trial.cause), _NUMBER.sub("0", first_line(trial.message)))
            groups.setdefault(kind, []).append(trial)
    ranked = sorted(groups.values(), key=lambda group: -len(group))
    lines = [_line(group) for group in ranked[:most]]
    rest = sum(map(len, ranked[most:]))
    return (
        [*lines, f"{format_count(rest, 'trial')} of {format_count(len(ranked) - most, 'other kind')}"]
        if rest
        else lines
    )


def _line(group: list[Trial]) -> str:
    latest = group[-1]
    message = shorten(first_line(latest.message), _LONGEST)
    head = f"{format_count(len(group), 'trial')} ({latest.cause}), the latest trial {latest.number}"
    return f"{head}: {message}" if message else head
