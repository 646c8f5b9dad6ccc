"""What a history says to a model, as arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialed.errors import SpaceError
from dialed.search.history import History
from dialed.search.model.layout import Array, Layout
from dialed.space import Space
from dialed.trial import Cause, State, Trial, Value, Values

__all__ = ["Evidence", "Ledger", "chosen"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Units, shape `(count, len(space))`, of the trials by what became of them, each in the order of their numbers.

    `numbers` are those of the scored ones.
    """

    scored: Array
    losses: Array
    failed: Array
    pending: Array
    numbers: tuple[int, ...] = ()


class Ledger:
    """Remembers the units of trials, which never change while their values do not.

    Args:
        layout: Of the space.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._rows: dict[int, tuple[Values, Array | None]] = {}

    def read(self, history: History) -> Evidence:
        """What `history` holds now. Trials that do not fit into the space are left out."""
        scored: list[Array] = []
        losses: list[float] = []
        numbers: list[int] = []
        failed: list[Array] = []
        pending: list[Array] = []
        for trial in history.trials:
            row = self.row(trial)
            if row is None:
                continue
            loss = math.nan if trial.score is None else history.objective.loss(trial.score)
            if trial.state in (State.WAITING, State.RUNNING):
                pending.append(row)
            elif trial.state is not State.FAILED and math.isfinite(loss):
                scored.append(row)
                losses.append(loss)
                numbers.append(trial.number)
            elif (
                trial.state.finished and trial.cause is not Cause.INTERRUPTED
            ):  # stopped from outside: no fault of the values
                failed.append(row)
        return Evidence(
            scored=self._stacked(scored),
            losses=np.array(losses, dtype=np.float64),
            failed=self._stacked(failed),
            pending=self._stacked(pending),
            numbers=tuple(numbers),
        )

    def row(self, trial: Trial) -> Array | None:
        """The units of a trial's values, shape `(len(space),)`; `None` where they do not fit into the space."""
        known = self._rows.get(trial.number)
        if known is None or known[0] is not trial.values:
            known = self._rows[trial.number] = (trial.values, _units(self.layout.space, trial.values))
        return known[1]

    def _stacked(self, rows: list[Array]) -> Array:
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.layout.dimensions))


def _units(space: Space, values: Values) -> Array | None:
    inside: dict[str, Value] = {name: value for name, value in values.items() if name in space}
    try:
        return space.encode(inside)
    except SpaceError:  # outside of a range that has changed since
        return None


def chosen(losses: Array, most: int) -> NDArray[np.int64]:
    """Which trials a model of at most `most` is made of, in order: half the best, a third the newest, and some between.

    The best say where to look closer, the newest what the last steps brought, and the others keep the model from
    taking what it has forgotten for unknown.
    """
    count = len(losses)
    if count <= most:
        return np.arange(count)
    best = np.argsort(losses, kind="stable")[: most // 2]
    newest = np.arange(count - most // 3, count)
    others = np.setdiff1d(np.arange(count), np.union1d(best, newest))
    between = others[np.linspace(0, len(others) - 1, most - most // 2 - most // 3).astype(int)] if len(others) else []
    return np.union1d(np.union1d(best, newest), between).astype(np.int64)
