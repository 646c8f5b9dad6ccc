"""From trials on several rungs to the configurations to try next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialed.search.curves.extrapolation import Foretold
from dialed.search.curves.joint import JointPosterior, Seen, fit_joint
from dialed.search.curves.pace import Pace, priced
from dialed.search.curves.record import CurveRecord
from dialed.search.history import History
from dialed.search.model.advice import AWAITED, LEADERS, Adviser
from dialed.search.model.beliefs import Beliefs
from dialed.search.model.evidence import Ledger
from dialed.search.model.feasibility import Feasibility
from dialed.search.model.layout import Array
from dialed.search.model.outputs import tamed
from dialed.search.model.proposals import Judge, Trust
from dialed.trial import Cause, State, Trial

__all__ = ["CurveAdviser", "Gathered"]

OBSERVED = 240
"""Observations that the model is made of, at most; its costs grow with the cube."""

FITTED = 100
"""Observations that the length-scales are fitted to, at most."""

STEPS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Trials, by what is known of them: the `seen` came to a rung; units of shape `(count, len(space))`."""

    numbers: Sequence[int]
    seen: Array
    failed: Array
    pending: Array
    foretold: Foretold

    @classmethod
    def of(cls, ledger: Ledger, record: CurveRecord, history: History) -> Gathered:
        """What a history says. Trials that do not fit into the space are left out."""
        numbers, foretold = record.foretold()
        placed = [(i, row) for i, n in enumerate(numbers) if (row := ledger.row(history.trial(n))) is not None]
        on_rungs = set(numbers)
        failed, pending = [], []
        for trial in history.trials:
            row = ledger.row(trial) if _failed(trial) or trial.number not in on_rungs else None
            if row is not None and _failed(trial):
                failed.append(row)
            elif row is not None and trial.state in (State.WAITING, State.RUNNING):
                pending.append(row)
        width = len(ledger.layout.dimensions)
        keep = np.array([i for i, _ in placed], dtype=np.int64)
        return cls(
            numbers=[numbers[i] for i in keep],
            seen=np.array([row for _, row in placed]).reshape(-1, width),
            failed=np.array(failed).reshape(-1, width),
            pending=np.array(pending).reshape(-1, width),
            foretold=Foretold(mean=foretold.mean[keep], deviation=foretold.deviation[keep]),
        )


def _failed(trial: Trial) -> bool:
    return trial.state is State.FAILED and trial.cause is not Cause.INTERRUPTED


class CurveAdviser(Adviser):
    """What a model of configurations and rungs advises."""

    def __init__(
        self, ledger: Ledger, gathered: Gathered, *, begun: int, beliefs: Beliefs | None, pace: Pace | None
    ) -> None:
        layout = ledger.layout
        self.layout = layout
        self.begun = begun
        self.gathered = gathered
        seen = _observed(gathered, layout.features(gathered.seen))
        hyper, misleading = fit_joint(seen.part(_few(seen, FITTED)), layout.owner, steps=STEPS)
        posterior = JointPosterior(seen.part(_few(seen, OBSERVED)), layout.owner, hyper, misleading)
        self.means = posterior.mean(layout.features(gathered.seen))
        self.leaders = gathered.seen[np.argsort(self.means, kind="stable")[:LEADERS]]
        everywhere = np.vstack([gathered.seen, gathered.failed, gathered.pending])
        risky = len(gathered.failed) > 0
        judge = Judge(
            layout=layout,
            posterior=posterior,
            best=float(self.means.min()),
            feasibility=Feasibility(layout, gathered.seen, gathered.failed) if risky else None,
            beliefs=beliefs,
            trials=max(len(gathered.seen), 1),
            trust=Trust.after(everywhere[:, layout.stepwise], layout.size),
        )
        self.judge = (judge if pace is None else priced(judge, pace)).expecting(gathered.pending[-AWAITED:])


def _observed(gathered: Gathered, features: Array) -> Seen:
    """The curves on every rung that they came to, as foretold from there, made fit for a Gaussian process."""
    foretold = gathered.foretold
    latest, _ = foretold.latest()
    order = np.argsort(latest, kind="stable")
    levels, values = latest[order] + 1e-12 * np.arange(len(order)), tamed(latest)[order]
    rungs = foretold.mean.shape[1]
    trials, places = np.nonzero(np.isfinite(foretold.mean))
    means, spreads = foretold.mean[trials, places], foretold.deviation[trials, places]
    low, high = (np.interp(means + side * spreads, levels, values) for side in (-1.0, 1.0))
    return Seen(
        features=features[trials],
        values=np.interp(means, levels, values),
        away=1.0 - places / max(rungs - 1, 1),
        rungs=places.astype(np.int64),
        doubt=0.25 * (high - low) ** 2,
    )


def _few(seen: Seen, most: int) -> NDArray[np.int64]:
    """At most so many observations: those above the lowest rung, the highest first, and then half the best of it."""
    count = len(seen.values)
    if count <= most:
        return np.arange(count)
    above = np.flatnonzero(seen.rungs > 0)
    above = above[np.lexsort((seen.values[above], -seen.rungs[above]))][: most - most // 4]
    lowest = np.flatnonzero(seen.rungs == 0)
    lowest = lowest[np.argsort(seen.values[lowest], kind="stable")]
    room = min(most - len(above), len(lowest))
    best, others = lowest[: room // 2], lowest[room // 2 :]
    spread = others[np.linspace(0, len(others) - 1, room - len(best)).astype(int)] if len(others) else others
    return np.sort(np.concatenate([above, best, np.unique(spread)]))
