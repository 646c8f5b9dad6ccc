"""The space is found by building: few builds, all names, and conditions that explain them."""

from __future__ import annotations

import gc
import random
import weakref

import numpy as np
import pytest

from dialed.errors import SpaceError
from dialed.space import Condition, HyperParameters, Space, discover

Conditions = dict[str, list[str]]


def conditions(space: Space) -> Conditions:
    """Each conditional name with its conditions in words."""
    return {h.name: [str(condition) for condition in h.conditions] for h in space if h.conditions}


def mlp(hp: HyperParameters) -> None:
    """The classic: a loop over layers, shared names, numbers that decide nothing."""
    for i in range(hp.Int("layers", 1, 4)):
        hp.Int(f"units_{i}", 32, 512, step=32)
        hp.Choice("activation", ["relu", "tanh"])
        hp.Float("dropout", 0.0, 0.5)
    hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)


def test_a_loop_is_conditional_without_a_scope() -> None:
    """The number of layers decides which units there are; all else is always there."""
    found = discover(mlp)
    assert found.space.names == (
        "layers",
        "units_0",
        "activation",
        "dropout",
        "units_1",
        "units_2",
        "units_3",
        "learning_rate",
    )
    assert conditions(found.space) == {
        "units_1": ["layers in 2 to 4"],
        "units_2": ["layers in 3, 4"],
        "units_3": ["layers = 4"],
    }
    assert found.failures == ()


def test_few_builds_are_enough() -> None:
    """Wide ranges move together: ten more of them cost nothing."""

    def wider(hp: HyperParameters) -> None:
        mlp(hp)
        for i in range(10):
            hp.Int(f"width_{i}", 1, 1000)

    assert discover(mlp).builds <= 10
    assert discover(wider).builds == discover(mlp).builds


def test_branches_inside_branches_are_found() -> None:
    """Each name with its own parent; the grandparent follows from the parent."""

    def build(hp: HyperParameters) -> None:
        if hp.Choice("kind", ["mlp", "cnn", "rnn"]) == "cnn":
            if hp.Boolean("pool"):
                hp.Int("size", 2, 3)
        elif hp.get("kind") == "rnn":
            hp.Int("cells", 8, 800)

    assert conditions(discover(build).space) == {
        "pool": ["kind = cnn"],
        "size": ["pool = True"],
        "cells": ["kind = rnn"],
    }


def test_scopes_are_taken_as_they_are() -> None:
    """Also where the code inside runs only in its branch, and where a loop stands inside."""

    def build(hp: HyperParameters) -> None:
        kind = hp.Choice("kind", ["mlp", "cnn", "rnn"])
        with hp.conditional_scope("kind", ["mlp", "rnn"]):
            hp.Boolean("bias")
        with hp.conditional_scope("kind", ["cnn"]):
            if kind == "cnn":
                for i in range(hp.Int("blocks", 1, 3)):
                    hp.Int(f"filters_{i}", 8, 64)

    found = discover(build)
    assert conditions(found.space) == {
        "bias": ["kind in mlp, rnn"],
        "blocks": ["kind = cnn"],
        "filters_0": ["kind = cnn"],
        "filters_1": ["kind = cnn", "blocks in 2, 3"],
        "filters_2": ["kind = cnn", "blocks = 3"],
    }
    assert found.space.size() == 2 * 2 + 57 + 57**2 + 57**3


def test_many_scopes_cost_two_builds_each_at_most() -> None:
    """KerasTuner needs about K^2 / 2 builds for K scopes."""

    def build(hp: HyperParameters) -> None:
        kind = hp.Choice("kind", [f"k{i}" for i in range(12)])
        for i in range(12):
            with hp.conditional_scope("kind", [f"k{i}"]):
                if kind == f"k{i}":
                    hp.Int(f"n_{i}", 1, 1000)

    found = discover(build)
    assert found.space.size() == 12 * 1000
    assert found.builds <= 2 * 12 + 2


def test_a_threshold_is_found_by_halving() -> None:
    """Also one on a wide range, whose ends were tried together with others."""

    def build(hp: HyperParameters) -> None:
        hp.Int("other", 1, 1000)
        hp.Float("rate", 0, 1)
        if hp.Int("units", 1, 500) > 300:
            hp.Float("dropout", 0, 0.5)

    found = discover(build)
    assert found.space["dropout"].conditions == (Condition("units", tuple(range(301, 501))),)
    assert found.builds <= 20


def test_what_needs_two_things_is_found() -> None:
    """Not by changing one at a time, but with everything far from its default; then each part is doubted."""

    def build(hp: HyperParameters) -> None:
        hp.Choice("kind", ["a", "b", "c"])
        if hp.Boolean("x") and hp.Boolean("y"):
            hp.Int("both", 1, 5)

    def eager(hp: HyperParameters) -> None:
        hp.Choice("kind", ["a", "b", "c"])
        x, y = hp.Boolean("x"), hp.Boolean("y")
        if x and y:
            hp.Int("both", 1, 5)

    assert conditions(discover(build).space) == {"y": ["x = True"], "both": ["y = True"]}
    assert conditions(discover(eager).space) == {"both": ["x = True", "y = True"]}


def test_a_child_that_vanishes_is_found() -> None:
    """Asked for with the defaults, and not with other values."""

    def build(hp: HyperParameters) -> None:
        if hp.Choice("optimizer", ["sgd", "adam"]) == "sgd":
            hp.Float("momentum", 0, 0.99)

    assert conditions(discover(build).space) == {"momentum": ["optimizer = sgd"]}


def test_a_float_may_open_a_branch() -> None:
    """It is found, though no condition can say when."""

    def build(hp: HyperParameters) -> None:
        if hp.Float("rate", 0, 1) > 0:
            hp.Int("kind_of_noise", 1, 3)

    found = discover(build).space
    assert found.names == ("rate", "kind_of_noise")
    assert conditions(found) == {}


def test_builds_are_bounded() -> None:
    """What could not be tried counts as active."""

    def build(hp: HyperParameters) -> None:
        for i in range(hp.Int("layers", 1, 16)):
            hp.Boolean(f"norm_{i}")

    found = discover(build, max_builds=5)
    assert found.builds == 5
    assert found.space.contains(found.space.default_values())
    assert discover(mlp, max_builds=1).space.names == ("layers", "units_0", "activation", "dropout", "learning_rate")


def test_discovery_is_repeatable_and_draws_nothing() -> None:
    """The same space each time, and the caller's random numbers are left alone."""
    np.random.seed(0)
    random.seed(0)
    before = np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]
    assert discover(mlp) == discover(mlp)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before  # type: ignore[index]


def test_infeasible_values_are_skipped() -> None:
    """What they asked for before counts; what they did not ask for says nothing."""

    def build(hp: HyperParameters) -> None:
        kind = hp.Choice("kind", ["a", "b", "c"])
        hp.require(kind != "b", "not b")
        hp.Int("units", 1, 500)

    found = discover(build)
    assert found.space.names == ("kind", "units")
    assert conditions(found.space) == {}
    assert found.failures == ()


def test_the_defaults_may_be_infeasible() -> None:
    """Then other values show the rest."""

    def build(hp: HyperParameters) -> None:
        hp.require(hp.Int("layers", 1, 3) > 1, "too shallow")
        hp.Boolean("bias")

    assert discover(build).space.names == ("layers", "bias")


def test_other_failures_are_recorded() -> None:
    """With the values and the message; the study will meet them as failed trials."""

    def build(hp: HyperParameters) -> None:
        if hp.Choice("kind", ["a", "b"]) == "b":
            raise RuntimeError("no such layer")
        hp.Boolean("bias")

    found = discover(build)
    assert [failure.message for failure in found.failures] == ["RuntimeError: no such layer"]
    assert found.failures[0].values == {"kind": "b", "bias": False}
    assert conditions(found.space) == {}


def test_a_failure_of_the_defaults_ends_it() -> None:
    """The user's error is the cause."""

    def build(hp: HyperParameters) -> None:
        hp.Int("units", 1, 5)
        raise RuntimeError("bad shape")

    with pytest.raises(
        SpaceError, match=r"must run with the default values, {'units': 1}. It raised RuntimeError: bad shape"
    ) as caught:
        discover(build)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_impossible_space_is_refused_as_it_is() -> None:
    """Its own message says what is wrong."""
    with pytest.raises(SpaceError, match="^Hyperparameter `n`: `min_value` must be below `max_value`"):
        discover(lambda hp: hp.Int("n", 5, 1))


def test_a_range_that_depends_on_another_value_is_refused() -> None:
    """A name means one range; KerasTuner silently keeps the first."""

    def build(hp: HyperParameters) -> None:
        hp.Int("inner", 1, hp.Int("outer", 3, 9))

    with pytest.raises(
        SpaceError, match=r"`inner` must have one range in all builds. Got Int\(1, 3\), and Int\(1, 9\)"
    ):
        discover(build)


def test_there_must_be_a_build() -> None:
    """Without one nothing is known."""
    with pytest.raises(SpaceError, match="`max_builds` must be at least 1. Got 0"):
        discover(mlp, max_builds=0)


def test_no_model_is_kept() -> None:
    """Each is free before the next is built, and none outlives the discovery; failures keep no frames."""

    class Model:
        """Stands for megabytes."""

    alive: weakref.WeakSet[Model] = weakref.WeakSet()
    most = 0

    def build(hp: HyperParameters) -> Model:
        nonlocal most
        model = Model()
        alive.add(model)
        most = max(most, len(alive))
        if hp.Int("layers", 1, 5) == 5:
            raise RuntimeError("this frame holds the model")
        return model

    gc.disable()
    try:
        found = discover(build)
    finally:
        gc.enable()
    assert found.failures
    assert most == 1
    assert len(alive) == 0
