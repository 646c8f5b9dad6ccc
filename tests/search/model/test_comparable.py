"""A model of several goals is made of trials that came equally far."""

from __future__ import annotations

import numpy as np

from dialed.search import History, Random, Terms
from dialed.search._tried import tried
from dialed.search.decisions import Decision, Start
from dialed.search.model.advice import read
from dialed.search.model.comparable import ENOUGH, comparable
from dialed.space import Float, Hyperparameter, Space
from dialed.testing.simulate import Simulation
from dialed.trial import Objective, Values

SPACE = Space([Hyperparameter("x", Float(0.0, 1.0))])
TWO = Terms(objective=Objective("a", "min"), others=(Objective("b", "min"),), epochs=9)


class _Until:
    """Random trials; every fourth is trained to the end, the others for an epoch."""

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        until = 9 if len(history) % 4 == 0 else 1
        decisions = Random().decide(space, history, rng, 1)
        return [Start(values=d.values, until=until) for d in decisions if isinstance(d, Start)]


def _numbers(trials: int, terms: Terms = TWO, missing: float = -1.0) -> tuple[tuple[int, ...], int]:
    def measured(values: Values) -> dict[str, float]:
        x = float(values["x"])  # type: ignore[arg-type]
        return {"a": x, "b": 1.0 - x} if x > missing else {"a": x}

    history = Simulation(_Until(), SPACE, measured, terms=terms).run(trials)
    found = comparable(read(tried(SPACE, history), history)[1], history)
    assert len(found.scored) == len(found.losses) == len(found.numbers)
    return found.numbers, len(found.failed)


def test_few_trials_all_count() -> None:
    assert _numbers(7) == (tuple(range(7)), 0)


def test_the_highest_rung_with_enough_trials_counts_alone() -> None:
    assert _numbers(4 * ENOUGH - 4)[0] == tuple(range(4 * ENOUGH - 4))
    assert _numbers(4 * ENOUGH)[0] == tuple(range(0, 4 * ENOUGH, 4))


def test_what_lacks_an_objective_counts_as_failed() -> None:
    numbers, failed = _numbers(7, missing=0.5)
    assert failed > 0 and len(numbers) + failed == 7


def test_one_goal_leaves_out_nothing() -> None:
    assert _numbers(4 * ENOUGH, Terms(objective=TWO.objective, epochs=9))[0] == tuple(range(4 * ENOUGH))
