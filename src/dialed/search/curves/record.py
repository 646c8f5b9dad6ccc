"""The curves of a history on the rungs of a ladder, as arrays, kept up to date as it grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import numpy as np

from dialed.search._rungs import loss_at
from dialed.search.curves.extrapolation import Foretold, foretell, recent_fall
from dialed.search.history import History
from dialed.search.model.layout import Array
from dialed.trial import Objective, Trial

__all__ = ["CurveRecord"]


HOPE = 0.5
"""Trials are ranked by the end foretold for them less so many standard deviations: doubt is a reason to go on."""


class CurveRecord:
    """What is known of each trial's curve. It looks only at trials that have changed since the last time.

    Args:
        rungs: In epochs, the lowest first.
        factor: From one to the next.
    """

    def __init__(self, rungs: Sequence[int], factor: int) -> None:
        self.rungs = tuple(rungs)
        self.factor = factor
        self._seen: dict[int, Trial] = {}
        self._rows: dict[int, tuple[list[float], list[float]]] = {}
        self._foretold: tuple[list[int], Foretold] | None = None

    def read(self, history: History) -> CurveRecord:
        """Take in what the history has gained since the last time."""
        for trial in history.trials:
            if self._seen.get(trial.number) is not trial:
                self._seen[trial.number] = trial
                row = self._row(trial, history.objective)
                if self._rows.get(trial.number) != row:
                    self._rows[trial.number] = row
                    self._foretold = None
        return self

    def losses(self, numbers: Sequence[int]) -> Array:
        """The losses of those trials, shape `(trials, rungs)`; NaN where one did not come to a rung."""
        rows = [self._rows[number][0] for number in numbers]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.rungs))

    def foretold(self) -> tuple[list[int], Foretold]:
        """The numbers of the trials that have come to some rung, and where their curves lead."""
        if self._foretold is None:
            numbers = [n for n, (losses, _) in self._rows.items() if any(map(math.isfinite, losses))]
            falls = np.array([self._rows[n][1] for n in numbers]).reshape(len(numbers), len(self.rungs))
            self._foretold = numbers, foretell(self.losses(numbers), falls)
        return self._foretold

    def worth(self) -> dict[int, dict[int, float]]:
        """For each rung, by its epochs: how low the loss of each trial, by number, may well end, as foretold there."""
        numbers, foretold = self.foretold()
        hoped = foretold.mean - HOPE * foretold.deviation
        return {
            epochs: {number: float(loss) for number, loss in zip(numbers, column, strict=True) if math.isfinite(loss)}
            for epochs, column in zip(self.rungs, hoped.T, strict=True)
        }

    def _row(self, trial: Trial, objective: Objective) -> tuple[list[float], list[float]]:
        losses: list[float] = []
        falls: list[float] = []
        for rung in self.rungs:
            loss = loss_at(trial, rung, objective)
            known = loss is not None and math.isfinite(loss) and (not losses or math.isfinite(losses[-1]))
            losses.append(loss if known and loss is not None else math.nan)
            falls.append(self._fall(trial, rung, objective) if known else math.nan)
        return losses, falls

    def _fall(self, trial: Trial, rung: int, objective: Objective) -> float:
        sign = objective.loss(1.0)
        members = [m for m in trial.members if m.purpose == "search"]
        return sign * fmean(recent_fall(member.curve, rung, self.factor) for member in members)
