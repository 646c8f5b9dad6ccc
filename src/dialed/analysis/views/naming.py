"""Which hyperparameters a view is of, when a user names them and when not."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from dialed.analysis.importance import Importance, what_mattered
from dialed.analysis.observations import thinned
from dialed.analysis.views.axis import varying
from dialed.errors import InvalidInputError
from dialed.search.history import History
from dialed.space import Hyperparameter, Space

__all__ = ["named", "pair", "ranked"]


def named(space: Space, names: Sequence[str]) -> list[Hyperparameter]:
    """The hyperparameters `names`.

    Raises:
        InvalidInputError: One of them is not in the space.
    """
    for name in names:
        if name not in space:
            near = difflib.get_close_matches(name, space.names, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            known = ", ".join(space.names) or "none"
            raise InvalidInputError(f"A view must name hyperparameters of the study: {known}. Got '{name}'.{hint}")
    return [space[name] for name in names]


def pair(history: History, space: Space, x: str | None, y: str | None) -> tuple[Hyperparameter, Hyperparameter]:
    """The two hyperparameters of a plane; those that mattered most where the user leaves it open.

    Raises:
        InvalidInputError: A name is not in the space, both are the same, or fewer than two hyperparameters vary.
    """
    given = [name for name in (x, y) if name is not None]
    named(space, given)
    if len(given) == 2 and x == y:
        raise InvalidInputError(f"`x` and `y` must be two hyperparameters. Got '{x}' twice.")
    if x is not None and y is not None:
        return space[x], space[y]
    left = [name for name in ranked(what_mattered(thinned(history), space), space) if name not in given]
    if len(given) + len(left) < 2:
        raise InvalidInputError(
            f"This view needs two hyperparameters that vary. Got {len(varying(space))}. Look at `slice` instead."
        )
    first = x if x is not None else left.pop(0)
    return space[first], space[y if y is not None else left.pop(0)]


def ranked(mattered: Importance | None, space: Space) -> list[str]:
    """The hyperparameters that vary: those that stand out first, then by their importance where it is known."""
    influences = () if mattered is None else mattered.influences
    names = [influence.name for influence in sorted(influences, key=lambda influence: not influence.stands_out)]
    return list(dict.fromkeys([*names, *(h.name for h in varying(space))]))
