"""Spaces grow, and say what changed."""

from __future__ import annotations

import pytest

from dialed.errors import SpaceError
from dialed.space import Boolean, Choice, Condition, Domain, Fixed, Float, Hyperparameter, Int, Space


def of(**domains: Domain) -> Space:
    """A space without conditions."""
    return Space(Hyperparameter(name, domain) for name, domain in domains.items())


@pytest.mark.parametrize(
    ("old", "new", "joined"),
    [
        (Int(1, 5, default=2), Int(3, 9), Int(1, 9, default=2)),
        (Int(0, 10, step=5), Int(10, 20, step=5), Int(0, 20, step=5)),
        (Float(0.1, 1, sampling="log"), Float(0.01, 0.5, sampling="log"), Float(0.01, 1, sampling="log", default=0.1)),
        (Choice(["a", "b"], default="b"), Choice(["c", "a"]), Choice(["a", "b", "c"], default="b")),
        (Choice([1, 2], ordered=False), Choice([4], ordered=False), Choice([1, 2, 4], ordered=False)),
        (Boolean(), Boolean(default=True), Boolean()),
        (Fixed(1), Fixed(1), Fixed(1)),
    ],
)
def test_ranges_are_widened(old: Domain, new: Domain, joined: Domain) -> None:
    """To hold the values of both; the old default stays."""
    assert of(x=old).merge(of(x=new))["x"].domain == joined


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (Int(1, 5), Float(1, 5)),
        (Int(1, 5), Int(1, 5, sampling="log")),
        (Float(0, 1, step=0.1), Float(0, 1)),
        (Fixed(1), Fixed(2)),
        (Choice([1]), Boolean()),
    ],
)
def test_other_kinds_cannot_be_joined(old: Domain, new: Domain) -> None:
    """The message shows both."""
    with pytest.raises(SpaceError, match="`x` must be of one kind, with one `step` and one `sampling`, to be joined"):
        of(x=old).merge(of(x=new))


def test_new_hyperparameters_stand_where_their_build_asked_for_them() -> None:
    """Behind the one they follow, so that layers stay together."""
    old = of(layers=Int(1, 3), units_0=Int(1, 2), rate=Float(0, 1))
    new = of(layers=Int(1, 3), units_0=Int(1, 2), units_1=Int(1, 2), rate=Float(0, 1), momentum=Float(0, 1))
    assert old.merge(new).names == ("layers", "units_0", "units_1", "rate", "momentum")


def test_children_stay_behind_their_parents() -> None:
    """Also where two builds asked in different orders."""
    child = Hyperparameter("child", Boolean(), (Condition("b", (True,)),))
    old = of(a=Boolean(), b=Boolean())
    new = Space([Hyperparameter("b", Boolean()), child, Hyperparameter("a", Boolean())])
    assert old.merge(new).names == ("a", "b", "child")


def test_conditions_are_joined() -> None:
    """A child may be active wherever either space has it active."""
    kind = Hyperparameter("kind", Choice(["a", "b", "c"]))
    old = Space([kind, Hyperparameter("x", Boolean(), (Condition("kind", ("a",)),))])
    new = Space([kind, Hyperparameter("x", Boolean(), (Condition("kind", ("b", "a")),))])
    assert old.merge(new)["x"].conditions == (Condition("kind", ("a", "b")),)


def test_conditions_on_different_parents_fall_away() -> None:
    """ "Or" over two parents cannot be written down: active always is the safe side."""
    parents = [Hyperparameter("a", Boolean()), Hyperparameter("b", Boolean())]
    old = Space([*parents, Hyperparameter("x", Boolean(), (Condition("a", (True,)),))])
    new = Space([*parents, Hyperparameter("x", Boolean(), (Condition("b", (True,)),))])
    assert old.merge(new)["x"].conditions == ()


def test_one_build_takes_no_condition_away() -> None:
    """It records only the conditions of scopes; those learned from many builds stay."""
    learned = Space(
        [Hyperparameter("layers", Int(1, 2)), Hyperparameter("units_1", Int(1, 5), (Condition("layers", (2,)),))]
    )
    grown = learned.merge(of(layers=Int(1, 2), units_1=Int(1, 5), rate=Float(0, 1)))
    assert grown["units_1"].conditions == (Condition("layers", (2,)),)
    assert grown.names == ("layers", "units_1", "rate")


def test_the_difference_is_told_in_sentences() -> None:
    """What is gone, what is new, what changed; nothing else."""
    kind = Hyperparameter("kind", Choice(["a", "b"]))
    old = Space(
        [kind, Hyperparameter("units", Int(1, 5)), Hyperparameter("x", Boolean()), Hyperparameter("y", Int(1, 2))]
    )
    new = Space(
        [
            kind,
            Hyperparameter("units", Int(1, 9)),
            Hyperparameter("x", Boolean(), (Condition("kind", ("b",)),)),
            Hyperparameter("rate", Float(0, 1)),
        ]
    )
    assert old.difference(new) == [
        "`y` is gone; it was Int(1, 2).",
        "`units` was Int(1, 5) and is Int(1, 9) now.",
        "`x` was active always and is active while kind = b now.",
        "`rate` is new: Float(0.0, 1.0).",
    ]
