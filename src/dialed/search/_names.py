"""What to say when a name is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest"]


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence with the names most like `name`, or with all of them where none is."""
    names = list(known)
    close = get_close_matches(name, names)
    if close:
        return f"Did you mean {' or '.join(map(repr, close))}?"
    return f"There are: {', '.join(map(repr, names))}." if names else "There are none."
