"""What a strategy can decide. A decision is a value; whoever drives the study carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from dialed.trial import Values

__all__ = ["Continue", "Decision", "Finish", "Start", "Stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin a new trial with `values`, and train it to `until` epochs.

    `seeds` and `folds` name its members; empty means those of the study. `values` needs only what is active; whatever
    the build call asks for beyond that gets its default.
    """

    values: Values
    until: int
    seeds: tuple[int, ...] = ()
    folds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """Go on with a paused trial to `until` epochs, from its checkpoint."""

    trial: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Do not go on with this trial."""

    trial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Nothing is left to try. `reason` is a sentence for people."""

    reason: str


Decision: TypeAlias = Start | Continue | Stop | Finish
