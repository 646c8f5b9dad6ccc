"""Histories with everything that a view must cope with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dialed.events import MembersAdded, SpaceSet, TrialContinued, TrialStarted, TrialStopped
from dialed.search import History, Terms
from dialed.space import Choice, Condition, Float, Hyperparameter, Int, Space
from dialed.trial import Cause, MemberKey, Objective, Outcome, Report, State, Values

SPACE = Space(
    [
        Hyperparameter("learning_rate", Float(1e-5, 1.0, sampling="log")),
        Hyperparameter("layers", Int(1, 3)),
        Hyperparameter("momentum", Float(0.5, 0.999, sampling="reverse_log")),
        Hyperparameter("optimizer", Choice(["sgd", "adam"])),
        Hyperparameter("a_rather_long_name_of_a_hyperparameter/nesterov", Float(0.0, 1.0), (Condition("optimizer", ("sgd",)),)),
        Hyperparameter("constant", Choice([1])),
    ]
)  # fmt: skip


class Writer:
    """Writes what a search would."""

    def __init__(self, terms: Terms) -> None:
        self.history = History(terms, [SpaceSet(space=SPACE.to_json())])
        self.name = terms.objective.name

    def start(self, values: Values, until: int, epochs: int | None = None, seeds: tuple[int, ...] = (0,)) -> int:
        number = len(self.history)
        source = "default" if number == 0 else "strategy"
        started = TrialStarted(trial=number, values=values, until=until, epochs=epochs or until, seeds=seeds, source=source)  # fmt: skip
        self.history.apply(started)
        return number

    def train(self, number: int, values: list[float], *, begin: int = 0, seed: int = 0) -> None:
        key = MemberKey(number, seed, 0)
        for epoch, value in enumerate(values, begin + 1):
            self.history.apply(Report(key=key, epoch=epoch, metrics={self.name: value}, seconds=1.0))
        self.history.apply(Outcome(key=key, state=State.PAUSED, epoch=begin + len(values)))

    def fail(self, number: int, seed: int = 0) -> None:
        key = MemberKey(number, seed, 0)
        self.history.apply(Outcome(key=key, state=State.FAILED, epoch=0, cause=Cause.NAN, message="nan"))

    def go_on(self, number: int, until: int) -> None:
        self.history.apply(TrialContinued(trial=number, until=until))

    def stop(self, number: int) -> None:
        self.history.apply(TrialStopped(trial=number))

    def judge(self, number: int, scores: dict[int, float]) -> None:
        self.history.apply(MembersAdded(trial=number, until=1, seeds=tuple(scores), purpose="confirm"))
        for seed, score in scores.items():
            self.train(number, [score], seed=seed)


@pytest.fixture
def space() -> Space:
    return SPACE


@pytest.fixture
def writer() -> Callable[..., Writer]:
    def make(direction: str = "min", **terms: object) -> Writer:
        objective = Objective("loss", "min" if direction == "min" else "max")
        return Writer(Terms(objective=objective, **terms))  # type: ignore[arg-type]

    return make


@pytest.fixture
def searched(writer: Callable[..., Writer]) -> Callable[..., History]:
    """`searched(trials)`: random trials of one epoch; every tenth fails, the first is the defaults."""

    def make(trials: int, direction: str = "min") -> History:
        rng, made = np.random.default_rng(0), writer(direction)
        for index in range(trials):
            values = SPACE.default_values() if index == 0 else SPACE.sample(rng)
            number = made.start(values, until=1)
            if index % 10 == 9:
                made.fail(number)
            else:
                made.train(number, [abs(np.log10(values["learning_rate"]) + 3) + 0.1 * float(rng.random())])
        return made.history

    return make


@pytest.fixture
def halved(writer: Callable[..., Writer]) -> History:
    """Nine trials to 1 epoch, three to 3, one to 9; one more failed at once."""
    made = writer("min", epochs=9)
    for index in range(9):
        made.train(made.start(SPACE.default_values(), until=1, epochs=9), [1.0 + index])
    for index in range(3):
        made.go_on(index, 3)
        made.train(index, [0.9 + index, 0.8 - index * 0.2], begin=1)
    made.go_on(2, 9)
    made.train(2, [0.3] * 5 + [0.1], begin=3)
    for index in (0, 1, *range(3, 9)):
        made.stop(index)
    made.fail(made.start(SPACE.default_values(), until=1, epochs=9))
    return made.history
