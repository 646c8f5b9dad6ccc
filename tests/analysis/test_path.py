"""Paths through spaces, one change at a time."""

import numpy as np

from dialed.analysis.path import path_between
from dialed.search import History, Terms
from dialed.space import Choice, Condition, Float, Hyperparameter, Int, Space
from dialed.trial import Objective

SPACE = Space(
    [
        Hyperparameter("kind", Choice(["plain", "deep"])),
        Hyperparameter("depth", Int(1, 5, default=2), (Condition("kind", ("deep",)),)),
        Hyperparameter("width", Int(1, 5, default=3), (Condition("kind", ("plain",)),)),
        Hyperparameter("rate", Float(0.0, 1.0, default=0.5)),
        Hyperparameter("decay", Float(0.0, 1.0, default=0.0)),
    ]
)
EMPTY = History(Terms(objective=Objective(name="loss", direction="min")))


def test_a_path_ends_at_its_goal_and_each_step_changes_one_thing():
    """Random pairs of configurations: the path arrives, stays inside the space, and has no superfluous step."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        start, goal = SPACE.sample(rng), SPACE.sample(rng)
        path = path_between(EMPTY, SPACE, start, goal)
        current = start
        for change in path:
            assert SPACE.contains(change.values) and change.values[change.name] == change.after == goal[change.name]
            assert current[change.name] == change.before
            assert change.values == SPACE.restrict({**current, change.name: change.after})
            current = change.values
        assert current == goal
        assert len({change.name for change in path}) == len(path) <= len(goal)


def test_what_a_change_makes_active_begins_at_its_default():
    path = path_between(EMPTY, SPACE, {"kind": "plain"}, {"kind": "deep", "depth": 5, "rate": 0.5, "decay": 0.0})
    assert [change.name for change in path] == ["kind", "depth"]
    assert path[0].values["depth"] == 2 and "width" not in path[0].values


def test_the_same_configuration_is_no_way_off():
    assert path_between(EMPTY, SPACE, {}, SPACE.default_values()) == ()


def test_what_is_expected_to_bring_most_comes_first(sampled):
    history = sampled(SPACE, lambda v, _: 10 * v["decay"] + abs(v["rate"] - 0.1), 60)
    goal = {**SPACE.default_values(), "decay": 0.9, "rate": 0.1}
    assert [change.name for change in path_between(history, SPACE, {}, goal)] == ["rate", "decay"]
    better = {**SPACE.default_values(), "decay": 0.0, "rate": 0.1}
    backwards = path_between(history, SPACE, goal | {"rate": 0.9}, better)
    assert [change.name for change in backwards] == ["decay", "rate"]
