"""`Bayesian` over rungs: its settings, with a model of configurations and epochs together."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np

from dialed.search._candidates import starts
from dialed.search._draws import drawn, nothing_left
from dialed.search._tried import recall, tried
from dialed.search.bayesian import AT_ONCE, LEAST, Bayesian
from dialed.search.curves.advice import CurveAdviser, Gathered
from dialed.search.curves.pace import pace_of
from dialed.search.curves.record import CurveRecord
from dialed.search.decisions import Decision, Finish, Start
from dialed.search.history import History
from dialed.search.model.beliefs import Beliefs
from dialed.search.model.evidence import Ledger
from dialed.search.model.layout import Layout
from dialed.search.model.threads import one_thread
from dialed.space import Space
from dialed.trial import Values

__all__ = ["OverRungs", "record_of"]

START = 8
"""Trials before the model is asked: those on the lowest rung are cheap."""

CHANCE = 3
"""One new trial in so many is drawn by chance, against a lowest rung that misleads the model."""

NEVER = 10**9


def record_of(space: Space, history: History, rungs: tuple[int, ...], factor: int) -> CurveRecord:
    """The curves of `history` on those rungs."""
    return recall(history, "curves", space, (rungs, factor), lambda: CurveRecord(rungs, factor)).read(history)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverRungs:
    """Proposes new trials for the lowest rung by what it foretells for the last.

    Args:
        settings: The start, the beliefs, and whether the defaults go first.
        rungs: In epochs, the lowest first.
        factor: From one rung to the next.
    """

    settings: Bayesian
    rungs: tuple[int, ...]
    factor: int

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        """The first points of the sequence; then what the model advises, and one draw in `CHANCE`."""
        if free < 1:
            return []
        missing = max((self.settings.start or START) - len(history), 0)
        record = record_of(space, history, self.rungs, self.factor)
        known = tried(space, history)
        ledger = recall(history, "curves: ledger", space, None, lambda: Ledger(Layout(space)))
        if missing >= free or len(record.foretold()[0]) < LEAST or not ledger.layout.size:
            return replace(self.settings, start=NEVER).decide(space, history, rng, free)
        first = replace(self.settings, start=NEVER).decide(space, history, rng, missing) if missing else []
        begun = [decision for decision in first if isinstance(decision, Start)]
        chosen: dict[Hashable, Values] = {space.key(start.values): start.values for start in begun}
        by_chance = {place for place in range(free) if (len(history) + place) % CHANCE == CHANCE - 1}
        advised = min(free - len(chosen) - len(by_chance), AT_ONCE)
        if advised > 0:
            beliefs = None if self.settings.prior is None else Beliefs(ledger.layout, self.settings.prior)
            with one_thread():
                gathered = Gathered.of(ledger, record, history)
                adviser = CurveAdviser(
                    ledger, gathered, begun=len(history), beliefs=beliefs, pace=pace_of(ledger, history)
                )
                advice = adviser.advise(known, history, rng, advised)
            chosen |= {key: values for key, values in advice.items() if key not in chosen}
        while len(chosen) < free and (keyed := drawn(known, chosen, history, rng)):
            chosen[keyed[0]] = keyed[1]
        return starts(chosen.values(), history) or [Finish(reason=nothing_left(known))]
