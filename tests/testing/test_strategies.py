"""The conformance suite catches strategies that break its rules, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dialed.search import Copy, Decision, Finish, History, Random, Start
from dialed.space import Space
from dialed.testing import strategies as suite


class _Broken:
    """Random search with one thing changed."""

    def __init__(self, change: Callable[[Space, History, list[Decision]], list[Decision]]) -> None:
        self.change = change

    def decide(self, space: Space, history: History, rng: np.random.Generator, free: int) -> list[Decision]:
        return self.change(space, history, Random().decide(space, history, rng, free))


def _each(decisions: list[Decision], **changes: Any) -> list[Decision]:
    return [
        Start(values=changes.get("values", d.values), until=changes.get("until", d.until))
        if isinstance(d, Start)
        else d
        for d in decisions
    ]


def _impure() -> Callable[[Space, History, list[Decision]], list[Decision]]:
    calls = iter(range(10**6))
    return lambda space, history, ds: ds if next(calls) % 2 else _each(ds, until=1)


BREAKS = {
    "check_same_history_gives_same_decisions": _impure(),
    "check_replayed_history_gives_same_decisions": _impure(),
    "check_free_places_are_respected": lambda s, h, ds: [*ds, Start(values=s.default_values(), until=1)],
    "check_default_comes_first": lambda s, h, ds: Random(default_first=False).decide(s, h, np.random.default_rng(1), 1),
    "check_values_lie_inside_the_space": lambda s, h, ds: _each(ds, values={"units": 1000}),
    "check_training_is_within_the_terms": lambda s, h, ds: _each(ds, until=99),
    "check_copies_are_of_what_rests": lambda s, h, ds: (
        [Copy(source=0, target=1, values=s.default_values(), until=9)] if len(h) == 2 else ds
    ),
    "check_nothing_is_tried_twice_and_it_ends": lambda s, h, ds: _each(ds, values=s.default_values()),
    "check_enqueued_values_are_not_tried_again": lambda s, h, ds: _each(
        ds, values=h.trials[0].values if len(h) else s.default_values()
    ),
    "check_failures_are_survived": lambda s, h, ds: (
        [Start(values=h.trials[-1].values, until=1)] if any(t.cause for t in h.trials) and len(h) < 50 else ds
    ),
    "check_direction_is_respected": lambda s, h, ds: ds if h.objective.direction == "min" else [Finish(reason="no")],
    "check_grown_space_is_taken_up": lambda s, h, ds: _each(ds, values=s.default_values()) if "late" in s else ds,
    "check_changed_space_is_taken_up_while_trials_run": lambda s, h, ds: _each(ds, values={"units": 32}),
    "check_constant_objective_is_searched": lambda s, h, ds: _each(ds, values=s.default_values()),
    "check_many_hyperparameters_are_searched": lambda s, h, ds: ds if len(s) < 99 else _each(ds, values={"kind": "e"}),
    "check_one_point_is_tried_once": lambda s, h, ds: (
        [Start(values=s.default_values(), until=1)] if len(h) < 50 else ds
    ),
    "check_small_budgets_are_used": lambda s, h, ds: [Finish(reason="too little")] if h.terms.max_trials == 1 else ds,
    "check_finite_space_is_covered": lambda s, h, ds: ds if len(h) < 3 else [Finish(reason="enough")],
}


@pytest.mark.parametrize("check", suite.strategy_checks(), ids=lambda check: check.__name__)
def test_each_check_catches_a_strategy_that_breaks_its_rule(check: suite.Check) -> None:
    with pytest.raises(AssertionError, match="In the"):
        check(lambda space: _Broken(BREAKS[check.__name__]))


def test_check_strategy_runs_every_check() -> None:
    suite.check_strategy(lambda space: Random())
    with pytest.raises(AssertionError, match="trials in a space of"):
        suite.check_strategy(lambda space: _Broken(BREAKS["check_finite_space_is_covered"]))
    suite.check_strategy(lambda space: _Broken(BREAKS["check_finite_space_is_covered"]), covers=False)
