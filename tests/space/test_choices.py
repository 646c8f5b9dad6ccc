"""Choice, Boolean and Fixed hold exactly the values they were given."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.errors import SpaceError
from dialed.space import Boolean, Choice, Fixed, Value, domain_from_json

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-99, 99),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
CHOICES = st.lists(SCALARS, min_size=1, max_size=8, unique_by=lambda v: (isinstance(v, bool), v))


class Colour(StrEnum):
    RED = "red"


def test_the_default_is_the_first_choice() -> None:
    """As in KerasTuner."""
    assert Choice(["relu", "tanh"]).default == "relu"


def test_the_default_is_none_where_that_is_a_choice() -> None:
    """As KerasTuner documents it."""
    assert Choice(["l2", None]).default is None


def test_a_given_default_counts() -> None:
    """The default is the prior."""
    assert Choice([32, 64], default=64).default == 64


@pytest.mark.parametrize(("values", "ordered"), [([1, 2.5], True), (["a", "b"], False), ([True, False], False)])
def test_numbers_are_ordered_and_nothing_else(values: list[Value], ordered: bool) -> None:
    """As in KerasTuner, except that True and False stay what they are."""
    assert Choice(values).ordered is ordered
    assert Choice(values).categorical is not ordered


def test_numbers_may_be_declared_unordered() -> None:
    """`ordered=False` makes categories of numbers."""
    assert Choice([1, 2], ordered=False).categorical


def test_true_and_one_are_different_choices() -> None:
    """Python's `==` says otherwise; a build function can tell."""
    domain = Choice([1, True])
    assert [domain.from_unit(0.1), domain.from_unit(0.9)] == [1, True]
    assert domain.to_unit(True) == 0.75
    assert not Choice([1, 2]).contains(True)


def test_values_keep_their_python_type() -> None:
    """NumPy's scalars and enumerations become plain values; what the user wrote decides between 1 and 1.0."""
    domain = Choice([np.int64(3), np.float64(0.5), np.str_("x"), np.bool_(True), Colour.RED])
    assert [type(value) for value in domain.values()] == [int, float, str, bool, str]
    assert type(Choice([1, 2]).cast(1.0)) is int


def test_a_single_choice_is_allowed() -> None:
    """A search may be narrowed down to one value."""
    assert Choice(["adam"]).size == 1


@given(CHOICES, st.data())
def test_units_lead_back_to_the_same_choice(values: list[Value], data: st.DataObject) -> None:
    """Each choice has a cell of its own, and the middle of the cell is its place."""
    domain = Choice(values)
    value = data.draw(st.sampled_from(values))
    assert 0 < domain.to_unit(value) < 1
    back = domain.from_unit(domain.to_unit(value))
    assert back == value
    assert type(back) is type(value)


@given(CHOICES)
def test_a_choice_survives_json(values: list[Value]) -> None:
    """With the types of its values."""
    domain = Choice(values, default=values[-1])
    assert domain_from_json(domain.to_json()) == domain


@pytest.mark.parametrize("unit", [-0.5, 0.0, 1.0, 1.5])
def test_units_outside_are_clipped(unit: float) -> None:
    """A strategy may step over the edge."""
    assert Choice(["a", "b"]).from_unit(unit) == ("a" if unit < 0.5 else "b")


def test_choices_compare_by_value_and_type() -> None:
    """1, 1.0 and True are equal for Python, and not here."""
    assert Choice([1, 2]) == Choice((1, 2))
    assert hash(Choice([1, 2])) == hash(Choice((1, 2)))
    assert len({Choice([1, 2]), Choice([1.0, 2]), Choice([True, 2]), Choice([1, 2], default=2), Fixed(1)}) == 5
    assert Choice([1]) != [1]
    assert Fixed(1) != 1


def test_ranges_compare_without_defaults() -> None:
    """`same_range` asks whether the same values are meant."""
    assert Choice([1, 2]).same_range(Choice([1, 2], default=2))
    assert not Choice([1, 2]).same_range(Choice([1, 2], ordered=False))
    assert Boolean().same_range(Boolean(default=True))
    assert not Fixed(1).same_range(Fixed(2))


def test_domains_show_what_was_written() -> None:
    """Their text is the call that makes them."""
    shown = [Choice([1, 2], ordered=False, default=2), Choice(["a"]), Boolean(), Boolean(default=True), Fixed("x")]
    assert [repr(domain) for domain in shown] == [
        "Choice([1, 2], ordered=False, default=2)",
        "Choice(['a'])",
        "Boolean()",
        "Boolean(default=True)",
        "Fixed('x')",
    ]


def test_a_boolean_is_two_categories() -> None:
    """False and True; 0 and 1 are not among them."""
    domain = Boolean()
    assert domain.values() == [False, True]
    assert domain.size == 2
    assert domain.categorical
    assert domain.default is False
    assert [domain.from_unit(domain.to_unit(value)) for value in (False, True)] == [False, True]
    assert not domain.contains(1)
    assert domain.cast(np.bool_(True)) is True


def test_a_fixed_value_is_the_only_one() -> None:
    """It has a place in the encoding, always the same."""
    domain = Fixed(3)
    assert (domain.default, domain.size, domain.values(), domain.to_unit(3), domain.from_unit(0.9)) == (
        3,
        1,
        [3],
        0.5,
        3,
    )
    assert not domain.categorical
    assert domain.contains(3.0)
    assert not domain.contains(True)
    assert domain_from_json(domain.to_json()) == domain


def test_a_domain_cannot_be_changed() -> None:
    """It is a value."""
    with pytest.raises(AttributeError):
        Choice([1, 2]).default = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "`values` must hold at least one choice. Got an empty list"),
        ("relu", "`values` must be a list of choices. Got 'relu'. Write \\['relu'\\]"),
        (3, "`values` must be a list of choices. Got 3"),
        ([1, 2, 1], "`values` must differ from each other. Got \\[1, 2, 1\\], with 1 twice"),
        ([1, 1.0], "with 1.0 twice"),
        ([{"units": 3}], "`values` must be a bool, an int, a finite float, a str or None. Got {'units': 3} \\(dict\\)"),
        ([float("nan")], "a finite float.*Got nan"),
    ],
)
def test_impossible_choices_are_refused(values: list[object], message: str) -> None:
    """With what must hold and what came."""
    with pytest.raises(SpaceError, match=message):
        Choice(values)


def test_a_default_must_be_a_choice() -> None:
    """The message lists the choices."""
    with pytest.raises(
        SpaceError, match=r"`default` must be one of the values. Got 'c', and the values are \['a', 'b'\]"
    ):
        Choice(["a", "b"], default="c")


def test_only_numbers_can_be_ordered() -> None:
    """As in KerasTuner."""
    with pytest.raises(SpaceError, match="`ordered=True` needs choices that are all numbers"):
        Choice(["small", "large"], ordered=True)


def test_a_boolean_default_must_be_one() -> None:
    """1 is not True."""
    with pytest.raises(SpaceError, match="`default` of a Boolean must be True or False. Got 1"):
        Boolean(default=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        (Choice(["a"]), r"A value must be one of \['a'\]. Got \[\]"),
        (Boolean(), "A value must be True or False. Got \\[\\]"),
        (Fixed(1), "A value must be 1, which is fixed. Got \\[\\]"),
    ],
)
def test_values_outside_are_refused(domain: Choice | Boolean | Fixed, message: str) -> None:
    """`contains` says no, `cast` and `to_unit` raise."""
    assert not domain.contains([])
    with pytest.raises(SpaceError, match=message):
        domain.to_unit([])
