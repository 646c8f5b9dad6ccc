"""Studies made of formulas, whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest

from dialed.events import SpaceSet, TrialStarted
from dialed.search import History, Terms
from dialed.space import Space
from dialed.trial import Cause, MemberKey, Objective, Outcome, Report, State, Values

Formula: TypeAlias = Callable[[Mapping[str, Any], np.random.Generator], float | None]
MakeHistory: TypeAlias = Callable[..., History]


def record(history: History, values: Values, curve: Sequence[Mapping[str, float]] | None) -> None:
    """Add a trial with `values` and the metrics of each epoch; `None` for a trial that failed."""
    number, length = len(history), len(curve or [0])
    source = "default" if number == 0 else "strategy"
    history.apply(TrialStarted(trial=number, values=values, until=length, epochs=length, seeds=(0,), source=source))
    key = MemberKey(number, 0, 0)
    if curve is None:
        history.apply(Outcome(key=key, state=State.FAILED, epoch=0, cause=Cause.NAN, message="nan"))
        return
    for epoch, metrics in enumerate(curve, start=1):
        history.apply(Report(key=key, epoch=epoch, metrics=metrics, seconds=1.0))
    history.apply(Outcome(key=key, state=State.COMPLETED, epoch=length))


@pytest.fixture
def sampled() -> MakeHistory:
    """`sampled(space, formula, trials, seed)`: a history of random trials; the formula returns `None` for a failure."""

    def make(space: Space, formula: Formula, trials: int, seed: int = 0, direction: Any = "min") -> History:
        rng = np.random.default_rng(seed)
        history = History(Terms(objective=Objective(name="loss", direction=direction)))
        history.apply(SpaceSet(space=space.to_json()))
        for _ in range(trials):
            values = space.sample(rng)
            score = formula(values, rng)
            record(history, values, None if score is None else [{"loss": score}])
        return history

    return make
