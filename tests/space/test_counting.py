"""Configurations are counted exactly, without listing them."""

from __future__ import annotations

from dialed.space import Boolean, Choice, Condition, Domain, Float, Hyperparameter, Int, Space


def test_an_empty_space_has_one_configuration() -> None:
    """The one without values."""
    assert Space().size() == 1
    assert list(Space().enumerate()) == [{}]


def test_a_loop_over_layers_is_counted() -> None:
    """10 + 10^2 + ... + 10^8 ways to choose the units of one to eight layers."""
    units = [Hyperparameter(f"units_{i}", Int(1, 10), (Condition("layers", tuple(range(i + 1, 9))),)) for i in range(8)]
    assert Space([Hyperparameter("layers", Int(1, 8)), *units]).size() == sum(10**n for n in range(1, 9))


def test_many_open_switches_are_counted_at_once() -> None:
    """Forty switches, each with a child of three values: 4^40, in no time."""
    switches = [Hyperparameter(f"s{i}", Boolean()) for i in range(40)]
    children = [Hyperparameter(f"c{i}", Int(1, 3), (Condition(f"s{i}", (True,)),)) for i in range(40)]
    assert Space(switches + children).size() == 4**40


def test_a_child_of_two_parents_is_counted() -> None:
    """Active where both conditions hold: 2 * 3 + (5 - 1) of it."""
    both = (Condition("a", (True,)), Condition("b", (3,)))
    space = Space(
        [Hyperparameter("a", Boolean()), Hyperparameter("b", Int(1, 3)), Hyperparameter("c", Int(1, 5), both)]
    )
    assert space.size() == 10 == len(list(space.enumerate()))


def test_a_wide_parent_is_counted_by_classes() -> None:
    """A thousand million values, of which one has a child."""
    child = Hyperparameter("child", Boolean(), (Condition("seed", (7,)),))
    assert Space([Hyperparameter("seed", Int(1, 10**9)), child]).size() == 10**9 + 1


def test_an_open_range_makes_it_infinite() -> None:
    """If anything can activate it."""
    rate: Domain = Float(0, 1)
    kind = Hyperparameter("kind", Choice(["a", "b"]))
    assert Space([kind, Hyperparameter("rate", rate)]).size() is None
    assert Space([kind, Hyperparameter("rate", rate, (Condition("kind", ("b",)),))]).size() is None
    assert Space([kind, Hyperparameter("rate", rate, (Condition("kind", ("c",)),))]).size() == 2


def test_true_and_one_are_counted_apart() -> None:
    """A parent with both has two branches."""
    parent = Hyperparameter("a", Choice([1, True]))
    children = [
        Hyperparameter("one", Int(1, 3), (Condition("a", (1,)),)),
        Hyperparameter("true", Int(1, 5), (Condition("a", (True,)),)),
    ]
    assert Space([parent, *children]).size() == 3 + 5
