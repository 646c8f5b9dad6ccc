"""Conditions are learned from what builds asked for; where in doubt, a hyperparameter counts as active."""

from __future__ import annotations

from dialed.space import Boolean, Choice, Condition, Domain, Float, Hyperparameter, Int, Space, Values, refine


def of(*hyperparameters: Hyperparameter, **domains: Domain) -> Space:
    """A space of plain domains, then of finished hyperparameters."""
    return Space([*(Hyperparameter(name, domain) for name, domain in domains.items()), *hyperparameters])


def learned(space: Space, *asked: Values) -> Space:
    """The space after builds that asked for exactly these values."""
    return refine(space, [(values, values) for values in asked])


def test_what_was_always_asked_for_has_no_condition() -> None:
    """One build says nothing against it."""
    space = of(a=Boolean(), b=Boolean())
    assert learned(space, {"a": False, "b": False}, {"a": True, "b": True}) == space


def test_a_branch_becomes_a_condition() -> None:
    """On the values with which it was asked for, and those nobody tried."""
    space = of(kind=Choice(["a", "b", "c"]), x=Boolean())
    assert learned(space, {"kind": "a"}, {"kind": "b", "x": True})["x"].conditions == (Condition("kind", ("b", "c")),)


def test_unseen_integers_follow_their_neighbours() -> None:
    """Between "asked for" and "not asked for" they count as active."""
    space = of(layers=Int(1, 9), x=Boolean())
    found = learned(space, {"layers": 1}, {"layers": 3}, {"layers": 6, "x": True}, {"layers": 9, "x": True})
    assert found["x"].conditions == (Condition("layers", (4, 5, 6, 7, 8, 9)),)


def test_two_parents_become_two_conditions() -> None:
    """`if a and b:` needs both."""
    space = of(a=Boolean(), b=Boolean(), x=Boolean())
    both = {"a": True, "b": True, "x": False}
    found = learned(space, {"a": False, "b": False}, {"a": True, "b": False}, {"a": False, "b": True}, both)
    assert found["x"].conditions == (Condition("a", (True,)), Condition("b", (True,)))


def test_either_of_two_parents_is_no_condition() -> None:
    """`if a or b:` cannot be written down, so it is always active."""
    space = of(a=Boolean(), b=Boolean(), x=Boolean())
    one, other = {"a": True, "b": False, "x": False}, {"a": False, "b": True, "x": False}
    assert learned(space, {"a": False, "b": False}, one, other)["x"].conditions == ()


def test_an_open_float_explains_nothing() -> None:
    """A condition lists values; what hangs on a float stays unconditional."""
    space = of(rate=Float(0, 1), x=Boolean())
    assert learned(space, {"rate": 0.0}, {"rate": 0.5, "x": True}) == space


def test_a_condition_that_holds_true_stays() -> None:
    """Builds that agree with it change nothing."""
    space = of(Hyperparameter("x", Boolean(), (Condition("kind", ("b",)),)), kind=Choice(["a", "b", "c"]))
    assert learned(space, {"kind": "a"}, {"kind": "b", "x": True}) == space


def test_a_contradicted_condition_is_relaxed() -> None:
    """A build that asked for it says where it is active as well."""
    space = of(Hyperparameter("x", Boolean(), (Condition("kind", ("b",)),)), kind=Choice(["a", "b", "c"]))
    found = learned(space, {"kind": "a"}, {"kind": "c", "x": True})
    assert found["x"].conditions == (Condition("kind", ("b", "c")),)


def test_a_condition_without_its_parent_falls_away() -> None:
    """Asked for while the parent was not: it cannot depend on it."""
    child = Hyperparameter("x", Boolean(), (Condition("b", (True,)),))
    space = Space([Hyperparameter("a", Boolean()), Hyperparameter("b", Boolean()), child])
    assert learned(space, {"a": False, "x": True})["x"].conditions == ()


def test_values_nobody_asked_for_do_not_count() -> None:
    """The values of a trial may hold more than its build used."""
    space = of(kind=Choice(["a", "b"]), x=Boolean())
    builds: list[tuple[Values, list[str]]] = [
        ({"kind": "a", "x": True}, ["kind"]),
        ({"kind": "b", "x": True}, ["kind", "x"]),
    ]
    assert refine(space, builds)["x"].conditions == (Condition("kind", ("b",)),)


def test_a_changed_range_of_a_parent_is_no_obstacle() -> None:
    """Old trials may have values that the parent no longer has."""
    space = of(layers=Int(1, 2), x=Boolean())
    found = learned(space, {"layers": 9, "x": True}, {"layers": 1}, {"layers": 2, "x": True})
    assert found["x"].conditions == (Condition("layers", (2,)),)
