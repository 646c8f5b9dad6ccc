"""Trials of other studies, as configurations of this one's space."""

from __future__ import annotations

from dialed.space import Space
from dialed.trial import EarlierTrial, Value

__all__ = ["fitting"]


def fitting(trial: EarlierTrial, space: Space) -> dict[str, Value] | None:
    """The configuration of `space` that an earlier trial stands for: what that study did not vary has its default.

    `None` where one of its values lies outside the range of today, or it says nothing of what is active.
    """
    values = dict(space.default_values())
    for name in space.names:  # parents stand before children: what is active follows from left to right
        if name in trial.values:
            values[name] = trial.values[name]
    inside = space.restrict(values)
    if not space.contains(inside) or not any(name in trial.values for name in inside):
        return None
    return dict(inside)
