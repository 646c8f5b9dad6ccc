"""What every strategy must keep to, as checks that anybody can run over their own.

    import pytest
    from dialed.testing.strategies import strategy_checks

    @pytest.mark.parametrize("check", strategy_checks(), ids=lambda check: check.__name__)
    def test_my_strategy_keeps_the_rules(check):
        check(lambda space: MyStrategy())

A check raises `AssertionError` with a sentence that says which rule was broken, and how.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from dialed.search.decisions import Continue, Copy, Decision, Start
from dialed.search.history import History, Terms
from dialed.search.protocol import Strategy, generator
from dialed.space import Boolean, Choice, Condition, Float, Hyperparameter, Int, Space
from dialed.testing import extremes
from dialed.testing.simulate import ObjectiveFunction, Simulation
from dialed.trial import Objective, State, Values

__all__ = ["EXAMPLE_SPACES", "Check", "MakeStrategy", "check_strategy", "strategy_checks"]

MakeStrategy: TypeAlias = Callable[[Space], Strategy]
"""Makes a new strategy for a space. Most ignore the space."""

Check: TypeAlias = Callable[[MakeStrategy], None]

FINITE = Space(
    [
        Hyperparameter("units", Choice([32, 64], default=64)),
        Hyperparameter("bias", Boolean(default=True)),
        Hyperparameter("layers", Int(1, 3, default=2)),
        Hyperparameter("rate", Float(0.1, 0.2, step=0.1)),
    ]
)
CONDITIONAL = Space(
    [
        Hyperparameter("optimizer", Choice(["adam", "sgd"])),
        Hyperparameter("momentum", Float(0.0, 1.0, step=0.5), (Condition("optimizer", ("sgd",)),)),
        Hyperparameter("layers", Int(1, 2)),
        Hyperparameter("units_1", Int(8, 16, step=8), (Condition("layers", (2,)),)),
    ]
)
OPEN = Space(
    [
        Hyperparameter("rate", Float(1e-4, 1e-1, sampling="log", default=1e-3)),
        Hyperparameter("dropout", Float(0.0, 0.5)),
        Hyperparameter("optimizer", Choice(["adam", "sgd"])),
        Hyperparameter("momentum", Float(0.0, 0.9), (Condition("optimizer", ("sgd",)),)),
    ]
)
EMPTY = Space([])

EXAMPLE_SPACES = {"finite": FINITE, "conditional": CONDITIONAL, "open": OPEN, "empty": EMPTY}
"""The spaces that the checks use."""

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=3, seed=5)
MOST = 36
"""Trials after which a search of an example space is cut off; the largest finite one has 24 configurations."""


def strategy_checks(*, covers: bool = True) -> list[Check]:
    """All checks. With `covers=False`, without the one that a finite space is searched to its last configuration."""
    checks: list[Check] = [
        check_same_history_gives_same_decisions,
        check_replayed_history_gives_same_decisions,
        check_free_places_are_respected,
        check_default_comes_first,
        check_values_lie_inside_the_space,
        check_training_is_within_the_terms,
        check_copies_are_of_what_rests,
        check_nothing_is_tried_twice_and_it_ends,
        check_enqueued_values_are_not_tried_again,
        check_failures_are_survived,
        check_direction_is_respected,
        check_grown_space_is_taken_up,
        *(getattr(extremes, name) for name in extremes.__all__),
    ]
    return [*checks, check_finite_space_is_covered] if covers else checks


def check_strategy(make_strategy: MakeStrategy, *, covers: bool = True) -> None:
    """Run all checks.

    Args:
        make_strategy: Makes a new strategy for a space.
        covers: Whether the strategy promises to try every configuration of a finite space. Defaults to True.

    Raises:
        AssertionError: A rule is broken.

    Example:
        >>> from dialed.strategies import Random
        >>> check_strategy(lambda space: Random())
    """
    for check in strategy_checks(covers=covers):
        check(make_strategy)


def check_same_history_gives_same_decisions(make_strategy: MakeStrategy) -> None:
    """A decision follows from the history alone: asked twice, without its caches, or made anew, it is the same."""
    for name, space, free in _scenes():
        recorder = _Doubter(make_strategy, space)
        _search(recorder, space, free=free, most=24)  # each decision is asked for three times
        _require(not recorder.faults, name, *recorder.faults[:1])


def check_replayed_history_gives_same_decisions(make_strategy: MakeStrategy) -> None:
    """A study that is resumed decides as the undisturbed one did."""
    for name, space, free in _scenes():
        recorder = _Recorder(make_strategy, space)
        simulation = Simulation(recorder, space, _bowl, terms=TERMS, free=free)
        recorder.simulation = simulation
        simulation.run(MOST // 2)
        for events, places, decisions in recorder.decided:
            history = History(TERMS, simulation.events[:events])
            again = make_strategy(space).decide(space, history, generator(history), places)
            _require(again == decisions, name, f"after {events} events: live {decisions}, replayed {again}")


def check_free_places_are_respected(make_strategy: MakeStrategy) -> None:
    """It fills at most the free places, with different configurations, and nothing where none is free."""
    for name, space, _ in _scenes():
        for free in (0, 1, 2, 5):
            history = History(TERMS)
            decisions = make_strategy(space).decide(space, history, generator(history), free)
            begun = [d for d in decisions if isinstance(d, (Start, Continue, Copy))]
            keys = {space.key(d.values) for d in begun if isinstance(d, Start)}
            _require(len(begun) <= free, name, f"{len(begun)} places were taken where {free} were free")
            _require(len(keys) == len(begun), name, "the same configuration was begun twice at once")
            _require(free == 0 or bool(begun), name, "nothing was begun in a study without trials")


def check_default_comes_first(make_strategy: MakeStrategy) -> None:
    """The first trial is the default configuration, the baseline."""
    for name, space, free in _scenes():
        history = _search(make_strategy(space), space, free=free, most=free)
        first = history.trials[0]
        _require(first.values == space.default_values(), name, f"the first trial has {first.values}")
        _require(history.baseline is first, name, "the first trial is not the baseline")


def check_values_lie_inside_the_space(make_strategy: MakeStrategy) -> None:
    """Every active hyperparameter has a value of its domain, and no other has one."""
    for name, space, free in _scenes():
        recorder = _Recorder(make_strategy, space)
        _search(recorder, space, free=free)
        for values in recorder.values():
            _require(space.contains(values), name, f"{values} is outside")
            _require(space.restrict(values) == values, name, f"{values} is not what is active")


def check_training_is_within_the_terms(make_strategy: MakeStrategy) -> None:
    """A trial is asked to train between one epoch and all."""
    for name, space, free in _scenes():
        recorder = _Recorder(make_strategy, space)
        _search(recorder, space, free=free)
        for _, _, decisions in recorder.decided:
            until = [d.until for d in decisions if isinstance(d, (Start, Continue, Copy))]
            _require(all(1 <= u <= TERMS.epochs for u in until), name, f"until={until} of {TERMS.epochs} epochs")


def check_copies_are_of_what_rests(make_strategy: MakeStrategy) -> None:
    """Only the state of a trial that is paused is copied, to be trained further; who is replaced is not in training."""
    for name, space, free in _scenes():
        doubter = _CopyWatcher(make_strategy, space)
        Simulation(doubter, space, _bowl, terms=replace(TERMS, epochs=6), free=free).run(MOST)
        _require(not doubter.faults, name, *doubter.faults[:1])


def check_nothing_is_tried_twice_and_it_ends(make_strategy: MakeStrategy) -> None:
    """In a finite space no configuration comes back, and the search ends by itself."""
    for name, space, free in _scenes(finite=True):
        history = _search(make_strategy(space), space, free=free)
        _require_distinct(history, space, name)
        _require(history.begun <= (space.size() or 0), name, f"{history.begun} trials in a space of {space.size()}")


def check_enqueued_values_are_not_tried_again(make_strategy: MakeStrategy) -> None:
    """What the user enqueued is not repeated, whether it came before the first decision or in between."""
    for name, space, free in _scenes(finite=True):
        rng = np.random.default_rng(3)
        simulation = Simulation(make_strategy(space), space, _bowl, terms=TERMS, free=free)
        given = {space.key(values): values for values in (space.sample(rng) for _ in range(3))}
        for values in list(given.values())[:2]:
            simulation.enqueue(values)
        simulation.run(3)
        known = {space.key(trial.values) for trial in simulation.history.trials}
        for key, values in given.items():
            if key not in known and not simulation.history.enqueued:
                simulation.enqueue(values)
        _require_distinct(simulation.run(MOST), space, name)


def check_failures_are_survived(make_strategy: MakeStrategy) -> None:
    """Trials that raise, give NaN or infinity neither stop the search nor bring it to repeat itself."""
    for objective in (_raising, _not_a_number, _often_failing):
        for name, space, free in _scenes(finite=True):
            history = _search(make_strategy(space), space, objective=objective, free=free, most=2 * MOST)
            _require_distinct(history, space, name)
            _require(all(trial.state.finished for trial in history.trials), name, "a trial was left behind")


def check_direction_is_respected(make_strategy: MakeStrategy) -> None:
    """Turning the objective and its direction round changes nothing."""
    upward = replace(TERMS, objective=Objective(name="gain", direction="max"))
    for name, space, free in _scenes():
        down = Simulation(make_strategy(space), space, _bowl, terms=TERMS, free=free).run(MOST // 2)
        up = Simulation(make_strategy(space), space, lambda v: -_bowl(v), terms=upward, free=free).run(MOST // 2)
        _require(_tried(down) == _tried(up), name, "minimising a loss and maximising its negative differ")


def check_grown_space_is_taken_up(make_strategy: MakeStrategy) -> None:
    """A space that gains a hyperparameter on the way is searched on, without a repeat."""
    grown = Space([*FINITE, Hyperparameter("late", Choice(["no", "yes"]))])
    for free in (1, 3):
        simulation = Simulation(make_strategy(FINITE), FINITE, _bowl, terms=TERMS, free=free)
        simulation.run(5)
        simulation.space = grown
        _require_distinct(simulation.run(2 * MOST), grown, "grown")


def check_finite_space_is_covered(make_strategy: MakeStrategy) -> None:
    """A search without a budget tries every configuration of a finite space."""
    for name, space, free in _scenes(finite=True):
        history = _search(make_strategy(space), space, free=free)
        _require(history.begun == space.size(), name, f"{history.begun} trials in a space of {space.size()}")


class _Recorder:
    """Stands before a strategy, and notes what it decides."""

    def __init__(self, make_strategy: MakeStrategy, space: Space) -> None:
        self.make = make_strategy
        self.strategy = make_strategy(space)
        self.simulation: Simulation | None = None
        self.decided: list[tuple[int, int, list[Decision]]] = []

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        decisions = self.strategy.decide(space, history, rng, free)
        self.decided.append((len(self.simulation.events) if self.simulation else 0, free, decisions))
        return decisions

    def values(self) -> list[Values]:
        return [d.values for _, _, decisions in self.decided for d in decisions if isinstance(d, (Start, Copy))]


class _Doubter(_Recorder):
    """Asks thrice, and notes whether the answers agree."""

    def __init__(self, make_strategy: MakeStrategy, space: Space) -> None:
        super().__init__(make_strategy, space)
        self.faults: list[str] = []

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        before = _tried(history)
        decisions = super().decide(space, history, rng, free)
        if self.strategy.decide(space, history, generator(history), free) != decisions:
            self.faults.append("it decided otherwise when asked a second time")
        history.memo.clear()
        if self.make(space).decide(space, history, generator(history), free) != decisions:
            self.faults.append("it decided otherwise when made anew")
        if _tried(history) != before:
            self.faults.append("it changed the history")
        return decisions


class _CopyWatcher(_Recorder):
    """Notes copies of what is no state at rest."""

    def __init__(self, make_strategy: MakeStrategy, space: Space) -> None:
        super().__init__(make_strategy, space)
        self.faults: list[str] = []

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        decisions = super().decide(space, history, rng, free)
        for copy in (d for d in decisions if isinstance(d, Copy)):
            source, target = history.trial(copy.source), history.trial(copy.target)
            if source.state is not State.PAUSED or copy.source == copy.target:
                self.faults.append(f"trial {copy.source}, which is {source.state}, was copied to {copy.target}")
            if target.state in (State.WAITING, State.RUNNING):
                self.faults.append(f"trial {copy.target}, which is {target.state}, was replaced")
            if copy.until <= max(member.epoch for member in source.members):
                self.faults.append(f"a copy of trial {copy.source} was to be trained until {copy.until}, where it is")
        return decisions


def _scenes(*, finite: bool = False) -> list[tuple[str, Space, int]]:
    return [
        (f"{name} space, {free} at a time", space, free)
        for name, space in EXAMPLE_SPACES.items()
        for free in (1, 3)
        if not finite or space.size() is not None
    ]


def _search(
    strategy: Strategy, space: Space, *, free: int, objective: ObjectiveFunction | None = None, most: int = MOST
) -> History:
    return Simulation(strategy, space, objective or _bowl, terms=TERMS, free=free).run(most)


def _tried(history: History) -> Sequence[Values]:
    return [trial.values for trial in history.trials]


def _bowl(values: Values) -> float:
    """A smooth loss over whatever the values are."""
    return sum((_number(value) - 0.3 * i) ** 2 for i, value in enumerate(values.values()))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float(len(str(value)))


def _raising(values: Values) -> float:
    raise RuntimeError("This configuration cannot be trained.")


def _not_a_number(values: Values) -> float:
    return math.nan


def _often_failing(values: Values) -> float:
    kind = sum(map(len, map(str, values.values()))) % 3
    return math.inf if kind == 0 else _raising(values) if kind == 1 else _bowl(values)


def _require_distinct(history: History, space: Space, scene: str) -> None:
    begun = (trial.values for trial in history.trials if trial.origin is None)  # copies go on from other states
    repeated = [key for key, times in Counter(map(space.key, begun)).items() if times > 1]
    _require(not repeated, scene, f"tried more than once: {repeated}")


def _require(holds: bool, scene: str, *found: str) -> None:
    if not holds:
        raise AssertionError(f"In the {scene}: {'; '.join(found)}.")
