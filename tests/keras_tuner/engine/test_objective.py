"""What a search improves, as users write it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dialed.keras_tuner.engine.objective import DefaultObjective, MultiObjective, Objective, create_objective


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("val_accuracy", Objective("val_accuracy", "max")),
        ("val_loss", Objective("val_loss", "min")),
        (Objective("own", "max"), Objective("own", "max")),
        (SimpleNamespace(name="own", direction="min"), Objective("own", "min")),
        (["loss", "acc"], MultiObjective([Objective("loss", "min"), Objective("acc", "max")])),
        ([["loss"], "acc"], MultiObjective([MultiObjective([Objective("loss", "min")]), Objective("acc", "max")])),
    ],
)
def test_an_objective_is_made_of_what_users_write(given: Any, expected: Objective) -> None:
    """A name, an object, or a list."""
    assert create_objective(given) == expected
    assert hash(create_objective(given)) == hash(expected)


def test_no_objective_is_the_number_that_is_returned() -> None:
    """The less the better."""
    default = create_objective(None)
    assert isinstance(default, DefaultObjective)
    assert (default.name, default.direction) == ("default_objective", "min")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("my_metric", ValueError, 'Could not infer optimization direction for "my_metric"'),
        (3, TypeError, "not understood, expected str"),
        ({"loss": "min"}, TypeError, "not understood, expected str"),
        (SimpleNamespace(name="own", direction="up"), TypeError, "not understood, expected str"),
    ],
)
def test_what_is_no_objective_is_refused(given: Any, error: type[Exception], message: str) -> None:
    """Before anything is trained."""
    with pytest.raises(error, match=message):
        create_objective(given)


def test_better_follows_the_direction_and_is_strict() -> None:
    """Equal is not better."""
    assert Objective("a", "max").better_than(2.0, 1.0) and not Objective("a", "max").better_than(1.0, 1.0)
    assert Objective("a", "min").better_than(1.0, 2.0) and not Objective("a", "min").better_than(1.0, 1.0)


def test_several_objectives_are_one_number_to_minimise() -> None:
    """The sum of what is to be small, less what is to be large; only where all are measured."""
    several = create_objective(["loss", "acc"])
    assert several.direction == "min"
    assert several.get_value({"loss": 2.0, "acc": 0.5, "other": 9.0}) == 1.5
    assert several.has_value({"loss": 1.0, "acc": 0.5}) and not several.has_value({"loss": 1.0})


def test_objectives_are_equal_by_name_and_direction() -> None:
    """A list is another thing than its only entry."""
    assert Objective("a", "min") == Objective("a", "min")
    assert Objective("a", "min") not in (Objective("b", "min"), Objective("a", "max"), "a")
    assert MultiObjective([Objective("a", "min")]) != Objective("a", "min")


def test_they_are_printed_as_kerastuner_prints_them() -> None:
    """In `results_summary`."""
    assert str(Objective("val_loss", "min")) == 'Objective(name="val_loss", direction="min")'
    assert str(create_objective(["loss"])) == (
        'MultiObjective(name="multi_objective", direction="min"): [Objective(name="loss", direction="min")]'
    )
