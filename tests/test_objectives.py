"""Constraints, and what a trial has of each metric."""

from __future__ import annotations

import math

import pytest

from dialed import Constraint, Maximize, Minimize, Objective
from dialed.errors import InvalidInputError
from dialed.objectives import differing, keeps, shortfall, value_of
from dialed.trial import MemberKey, MemberRecord, Trial


def _trial(**known: object) -> Trial:
    return Trial(number=0, values={}, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "constraint"),
    [
        ("parameters <= 100000", Constraint("parameters", max=100_000)),
        ("val_recall>=0.9", Constraint("val_recall", min=0.9)),
        ("loss <= 1e-3", Constraint("loss", max=1e-3)),
    ],
)
def test_a_text_says_a_constraint_and_a_constraint_says_its_text(text: str, constraint: Constraint) -> None:
    assert Constraint.of(text) == constraint == Constraint.of(str(constraint)) == Constraint.of(constraint)


@pytest.mark.parametrize("wrong", ["parameters < 5", "parameters", "<= 5", "a <= b", 5])
def test_a_text_of_another_form_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidInputError, match="of the form 'parameters <= 100000'"):
        Constraint.of(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("ends", [{}, {"max": math.nan}, {"min": 2.0, "max": 1.0}, {"min": True}])
def test_a_constraint_needs_ends_with_something_between(ends: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match="must have a finite `min`"):
        Constraint("loss", **ends)


def test_a_constraint_needs_a_name() -> None:
    with pytest.raises(InvalidInputError, match="must be that of a metric"):
        Constraint("", max=1)


def test_what_is_not_known_is_not_kept() -> None:
    limit = Constraint("recall", min=0.9)
    assert [limit.excess(value) for value in (0.9, 0.75, None, math.nan)] == [
        0.0,
        pytest.approx(0.15),
        math.inf,
        math.inf,
    ]
    assert keeps(_trial(metrics={"recall": 0.95}), [limit]) and not keeps(_trial(), [limit])


def test_the_shortfall_adds_up_shares_of_the_limits() -> None:
    limits = [Constraint("recall", min=0.8), Constraint("parameters", max=100)]
    assert shortfall(_trial(metrics={"recall": 0.4}, parameters=150), limits) == pytest.approx(1.0)


def test_what_dialed_measures_needs_no_metric_and_gives_way_to_one() -> None:
    members = tuple(MemberRecord(key=MemberKey(0, seed, 0), memory_bytes=10 * seed) for seed in (1, 2))
    trial = _trial(parameters=7, seconds=6.0, epochs=3, members=members)
    assert [value_of(trial, name) for name in ("parameters", "seconds", "memory", "recall")] == [7.0, 2.0, 20.0, None]
    assert value_of(_trial(parameters=7, metrics={"parameters": 3.0}), "parameters") == 3.0
    assert value_of(_trial(), "seconds") is None and value_of(_trial(), "memory") is None


@pytest.mark.parametrize(("other", "how"), [("max", "twice"), ("min", "as 'max' and as 'min'")])
def test_each_objective_is_another_metric(other: str, how: str) -> None:
    with pytest.raises(InvalidInputError, match=f"'accuracy' {how}"):
        differing([Objective("accuracy", "max"), Objective("accuracy", other)])  # type: ignore[arg-type]


def test_minimize_and_maximize_say_which_way_is_better():
    assert Minimize("parameters") == Objective("parameters", "min")
    assert Maximize("val_profit") == Objective("val_profit", "max")


@pytest.mark.parametrize("make", [Minimize, Maximize])
def test_an_objective_needs_a_name(make):
    with pytest.raises(InvalidInputError, match=r"The `name` of an objective must be that of a metric.*Got 3"):
        make(3)
