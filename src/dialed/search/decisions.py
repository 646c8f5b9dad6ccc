"""What a strategy can decide. A decision is a value; whoever drives the study carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from dialed.trial import Values

__all__ = ["Continue", "Copy", "Decision", "Finish", "Start", "Stop"]


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
class Copy:
    """Stop `target`, and begin a new trial in its place that goes on from the state of `source` to `until` epochs.

    The new trial has `values`, and they hold from its first step on: its weights, the state of its optimizer and its
    random generators are those of `source`, which is paused, and goes on or not as if nothing had happened. So no
    trial ever changes its values, and the record of the new one says where its state came from. `target` may have
    ended already. A budget in trials counts the two as one.
    """

    source: int
    target: int
    values: Values
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Do not go on with this trial."""

    trial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Nothing is left to try. `reason` is a sentence for people."""

    reason: str


Decision: TypeAlias = Start | Continue | Copy | Stop | Finish
