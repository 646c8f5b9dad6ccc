"""The part of the suite for strategies that asks for what is rare: spaces of one point and of 200 hyperparameters,
spaces that change under running trials, objectives that say nothing, budgets that pay for next to nothing.

`dialed.testing.strategies.strategy_checks` has these checks among its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from dialed.errors import SpaceError
from dialed.search.decisions import Decision, Start
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy
from dialed.space import Boolean, Choice, Condition, Fixed, Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation
from dialed.trial import Objective, Trial, Values

__all__ = [
    "check_changed_space_is_taken_up_while_trials_run",
    "check_constant_objective_is_searched",
    "check_many_hyperparameters_are_searched",
    "check_one_point_is_tried_once",
    "check_small_budgets_are_used",
]


def _finite(*, units: tuple[int, ...] = (32, 64), layers: int = 3) -> Space:
    return Space(
        [
            Hyperparameter("units", Choice(units, default=64)),
            Hyperparameter("layers", Int(1, layers, default=2)),
            Hyperparameter("rate", Float(0.1, 0.2, step=0.1)),
        ]
    )


FINITE = _finite()
CHANGED = {
    "widened space": _finite(units=(32, 64, 128), layers=4),
    "narrowed space": _finite(units=(64,), layers=2),
    "space that lost a hyperparameter": Space([h for h in FINITE if h.name != "layers"]),
}
POINT = Space([Hyperparameter("only", Choice(["one"])), Hyperparameter("fixed", Fixed(3))])
OPEN = Space([Hyperparameter("rate", Float(1e-4, 1e-1, sampling="log")), Hyperparameter("units", Int(1, 99))])
MANY = Space(
    [
        Hyperparameter("kind", Choice(["a", "b", "c", "d"])),
        Hyperparameter("depth", Int(1, 9)),
        *(Hyperparameter(f"real_{i}", Float(0.0, 1.0), (Condition("kind", ("abcd"[i % 4],)),)) for i in range(80)),
        *(Hyperparameter(f"rate_{i}", Float(1e-5, 1.0, sampling="log")) for i in range(40)),
        *(Hyperparameter(f"units_{i}", Int(8, 512, step=8), (Condition("depth", (i % 9 + 1,)),)) for i in range(40)),
        *(Hyperparameter(f"switch_{i}", Boolean()) for i in range(38)),
    ]
)
TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=3, seed=5)
MOST = 60

MakeStrategy = Callable[[Space], Strategy]


def check_changed_space_is_taken_up_while_trials_run(make_strategy: MakeStrategy) -> None:
    """A space that is widened, narrowed or loses a hyperparameter while trials run is searched on, inside of it.

    A strategy that was given what lies outside now may refuse with a `SpaceError`.
    """
    for name, changed in CHANGED.items():
        for free in (1, 3):
            simulation = _Changing(_Noting(make_strategy(FINITE)), FINITE, _bowl, terms=TERMS, free=free)
            simulation.changed = changed
            with suppress(SpaceError):
                simulation.run(MOST)
            later = [values for space, values in simulation.noting.begun if space is changed]
            _require(all(changed.contains(values) for values in later), name, "values of the old space were begun")
            repeated = [key for key, times in Counter(map(changed.key, later)).items() if times > 1]
            _require(not repeated, name, f"tried more than once: {repeated}")


def check_constant_objective_is_searched(make_strategy: MakeStrategy) -> None:
    """Where every trial scores the same, the search goes on, and the first trial is the best."""
    for name, space in {"open space": OPEN, "finite space": FINITE}.items():
        history = Simulation(make_strategy(space), space, lambda values: 1.0, terms=TERMS, free=2).run(20)
        best = history.best_trial
        _require(best is not None and best.number == 0, name, "the first of equal trials is not the best")
        _require_distinct(history, space, name)


def check_one_point_is_tried_once(make_strategy: MakeStrategy) -> None:
    """A space with a single configuration takes one trial, however many places are free."""
    for free in (1, 4):
        history = Simulation(make_strategy(POINT), POINT, _bowl, terms=TERMS, free=free).run(MOST)
        begun = [trial.values for trial in history.trials if trial.origin is None]
        _require(begun == [POINT.default_values()], "space of one point", f"tried {begun}")


def check_many_hyperparameters_are_searched(make_strategy: MakeStrategy) -> None:
    """Two hundred hyperparameters, some of them conditional, are searched like a few."""
    scene = "space of 200 hyperparameters"
    noting = _Noting(make_strategy(MANY))
    history = Simulation(noting, MANY, _bowl, terms=replace(TERMS, max_trials=12), free=3).run()
    _require(len(history) >= 2, scene, f"only {len(history)} trials were begun")
    _require(all(MANY.contains(values) for _, values in noting.begun), scene, "values are outside")
    _require_distinct(history, MANY, scene)


def check_small_budgets_are_used(make_strategy: MakeStrategy) -> None:
    """A budget that hardly pays for one trial is spent on a trial, and on no more trials than it names."""
    for most, epochs in ((1, None), (2, None), (3, 1), (None, 3), (None, 4)):
        terms = replace(TERMS, max_trials=most, max_epochs=epochs)
        history = Simulation(make_strategy(OPEN), OPEN, _bowl, terms=terms, free=2).run(5)
        scene = f"study with max_trials={most} and max_epochs={epochs}"
        _require(len(history) >= 1 and history.begun <= (most or 5), scene, f"{history.begun} trials were begun")
        _require(history.best_trial is not None, scene, "no trial has a score")


class _Noting:
    """Stands before a strategy, and notes what it begins from nothing, and in which space."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.begun: list[tuple[Space, Values]] = []

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        decisions = self.strategy.decide(space, history, rng, free)
        self.begun += [(space, d.values) for d in decisions if isinstance(d, Start)]
        return decisions


class _Changing(Simulation):
    """Changes the space once, at an instant at which a trial has begun and is not trained yet."""

    changed: Space

    @property
    def noting(self) -> _Noting:
        assert isinstance(self.strategy, _Noting)
        return self.strategy

    def _train(self, trial: Trial) -> None:
        if len(self.history) >= 4:
            self.space = self.changed
        super()._train(trial)


def _bowl(values: Values) -> float:
    """A smooth loss over whatever the values are."""
    return sum((_number(value) - 0.3 * i) ** 2 for i, value in enumerate(values.values()))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float(len(str(value)))


def _require_distinct(history: History, space: Space, scene: str) -> None:
    begun = (trial.values for trial in history.trials if trial.origin is None)  # copies go on from other states
    repeated = [key for key, times in Counter(map(space.key, begun)).items() if times > 1]
    _require(not repeated, scene, f"tried more than once: {repeated}")


def _require(holds: bool, scene: str, found: str) -> None:
    if not holds:
        raise AssertionError(f"In the {scene}: {found}.")
