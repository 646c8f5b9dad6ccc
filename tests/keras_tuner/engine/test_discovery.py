"""Finding the space by building, and what changed since a project was saved."""

from __future__ import annotations

from typing import Any

import dialed.keras_tuner as kt
from dialed.keras_tuner.engine.discovery import discover, renewed


def found(build: Any, **settings: Any) -> tuple[list[str], int]:
    """The names of the space that `build` asks for, and how often it was called."""
    builds: list[Any] = []

    def counted(hp: Any) -> None:
        builds.append(hp)
        build(hp)

    oracle = kt.oracles.RandomSearchOracle(objective="val_loss", max_trials=1, seed=0, **settings)
    discover(oracle, counted)
    return [hp.name for hp in oracle.get_space().space], len(builds)


def nested(hp: Any) -> None:
    """A scope inside a scope."""
    if hp.Boolean("deep"):
        with hp.conditional_scope("deep", [True]):
            kind = hp.Choice("kind", ["a", "b"])
            with hp.conditional_scope("kind", ["b"]):
                if kind == "b":
                    hp.Int("units", 1, 3)
    with hp.conditional_scope("deep", [True]):
        hp.Boolean("bias")


def test_scopes_inside_scopes_are_entered() -> None:
    """What stands behind two decisions belongs to the space too."""
    names, builds = found(nested)
    assert set(names) == {"deep", "bias", "kind", "units"}
    assert builds <= 4


def test_one_build_is_enough_without_scopes() -> None:
    """All that it asks for is known then."""
    assert found(lambda hp: hp.Int("units", 1, 3)) == (["units"], 1)


def test_a_scope_that_nothing_reaches_does_not_go_on_for_ever() -> None:
    """Its values are none of its parent's."""

    def build(hp: Any) -> None:
        hp.Choice("kind", ["a", "b"])
        with hp.conditional_scope("kind", ["c"]):
            hp.Int("units", 1, 3)

    names, builds = found(build)
    assert set(names) == {"kind", "units"}
    assert builds <= 3


def space(high: int, *names: str) -> kt.HyperParameters:
    hp = kt.HyperParameters()
    for name in names:
        hp.Int(name, 1, high)
    return hp


def test_what_changed_since_it_was_saved_is_said() -> None:
    """New ranges count; what the code no longer asks for is kept, since old trials have it."""
    now = space(9, "units", "layers")
    (change,) = renewed(now, space(5, "units", "old"))
    assert change.startswith("units was Int(name: 'units', min_value: 1, max_value: 5")
    assert "is now Int(name: 'units', min_value: 1, max_value: 9" in change
    assert [hp.name for hp in now.space] == ["units", "layers", "old"]


def test_nothing_changed_is_nothing_said() -> None:
    """The same code again."""
    assert renewed(space(5, "units"), space(5, "units")) == []
