"""Ranges as people write them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.cli.ranges import counted_from_text, from_json, from_toml, to_json
from dialed.errors import InvalidInputError
from dialed.space import Choice, Float, Int


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("64", 64),
        ("32,64,128", Choice([32, 64, 128])),
        ("32, 64", Choice([32, 64])),
        ("5..20", Int(5, 20)),
        ("32..256:32", Int(32, 256, step=32)),
    ],
)
def test_a_count_is_a_number_a_list_or_a_range(text: str, expected: object) -> None:
    assert counted_from_text("epochs", text) == expected


@pytest.mark.parametrize("text", ["", "many", "3.5", "-1", "1..", "1,,2", "1..2..3", "1:2"])
def test_anything_else_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"The `epochs` must be a whole number such as 64, a list"):
        counted_from_text("epochs", text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (True, True),
        ("relu", "relu"),
        ([32, 64], Choice([32, 64])),
        ({"min": 5, "max": 20}, Int(5, 20)),
        ({"min": 16, "max": 128, "step": 2, "sampling": "log"}, Int(16, 128, step=2, sampling="log")),
        ({"min": 0.0, "max": 1, "default": 0.5}, Float(0.0, 1.0, default=0.5)),
    ],
)
def test_a_toml_value_is_itself_or_a_domain(value: object, expected: object) -> None:
    assert from_toml("epochs", value) == expected


@pytest.mark.parametrize("table", [{}, {"min": 1}, {"min": 1, "max": 2, "stepp": 1}])
def test_a_table_that_is_no_range_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="The table `epochs` must have `min` and `max`"):
        from_toml("epochs", table)


domains = st.one_of(
    st.integers(1, 10**6),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=5, unique=True).map(Choice),
    st.tuples(st.integers(1, 100), st.integers(101, 1000)).map(lambda ends: Int(*ends)),
    st.tuples(st.floats(0.1, 1.0), st.floats(2.0, 3.0)).map(lambda ends: Float(*ends, sampling="log")),
    st.sampled_from([True, "relu", 0.5]),
)


@given(domains)
def test_what_is_stored_as_json_comes_back_as_it_was(value: object) -> None:
    assert from_json(json.loads(json.dumps(to_json(value)))) == value
