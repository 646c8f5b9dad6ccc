"""Values, scores, durations and curves are short and cannot be taken for something else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.observe.text import (
    changed_values,
    columns,
    first_line,
    format_bytes,
    format_count,
    format_latency,
    format_score,
    format_seconds,
    format_value,
    format_values,
    shorten,
    sparkline,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "True"),
        (None, "None"),
        (64, "64"),
        (64.0, "64.0"),
        (0.003123456, "0.00312"),
        (0.25, "0.25"),
        (0.9999612345, "0.99996"),
        (1e-4, "1e-04"),
        (2.5e-7, "2.5e-07"),
        (123456.789, "123456.8"),
        (1e20, "1e+20"),
        (0.0, "0.0"),
        (math.inf, "inf"),
        ("relu", "relu"),
        ("True", "'True'"),
        ("64", "'64'"),
        ("", "''"),
        ("two words", "'two words'"),
        ("a=b", "'a=b'"),
        ("\x1b[31mred", "'\\x1b[31mred'"),
    ],
)
def test_a_value_is_written_so_that_its_type_can_be_told(value: bool | float | str | None, text: str) -> None:
    assert format_value(value) == text


@given(st.one_of(st.booleans(), st.integers(), st.text(max_size=8), st.none()))
def test_values_other_than_floats_are_written_apart_from_each_other(value: bool | int | str | None) -> None:
    """What is written without quotes is no text that looks like a number, a truth or nothing."""
    text = format_value(value)
    assert text.isprintable()
    if isinstance(value, str) and text == value:
        assert value not in ("True", "False", "None")
        with pytest.raises(ValueError, match="could not convert"):
            float(value)


@given(st.floats(min_value=-1e300, max_value=1e300))
def test_a_float_is_written_within_half_a_percent_and_never_like_an_integer(value: float) -> None:
    text = format_value(value)
    assert float(text) == pytest.approx(value, rel=0.005)
    assert "." in text or "e" in text


def test_values_that_are_the_defaults_go_without_saying() -> None:
    defaults = {"rate": 1e-3, "units": 64, "norm": True}
    assert format_values({"rate": 1e-4, "units": 64, "norm": True}, defaults) == "rate=1e-04"
    assert format_values(defaults, defaults) == "defaults"
    assert format_values({}, defaults) == ""


def test_one_and_true_and_one_point_zero_are_three_values() -> None:
    assert changed_values({"a": 1, "b": 1.0, "c": 1}, {"a": True, "b": 1, "c": 1}) == {"a": 1, "b": 1.0}


def test_a_value_without_a_default_is_told() -> None:
    assert format_values({"rate": 1e-3, "units_2": 32}, {"rate": 1e-3}) == "units_2=32"


def test_what_is_cut_ends_in_an_ellipsis_and_fits() -> None:
    assert shorten("learning_rate=0.1", 10) == "learning_…"
    assert shorten("abc", 3) == "abc"
    assert shorten("abc", 0) == ""


@pytest.mark.parametrize(
    ("score", "spread", "text"),
    [
        (None, None, "-"),
        (0.97312, None, "0.9731"),
        (0.97312, 0.0021, "0.9731 ± 0.0021"),
        (12.34567, None, "12.346"),
        (12345.6, None, "12346"),
        (1.5e7, None, "1.500e+07"),
        (-0.5, None, "-0.5000"),
        (2e-5, None, "2.000e-05"),
        (0.0, None, "0.0000"),
        (math.nan, None, "nan"),
    ],
)
def test_a_score_has_four_decimals_unless_they_would_hide_it(
    score: float | None, spread: float | None, text: str
) -> None:
    assert format_score(score, spread) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 s"),
        (0.04, "0.04 s"),
        (2.1, "2.1 s"),
        (9.96, "10 s"),
        (59.7, "1 min"),
        (200, "3 min 20 s"),
        (3599.6, "1 h"),
        (3900, "1 h 5 min"),
        (86399, "1 d"),
        (86400 * 2 + 3600 * 3, "2 d 3 h"),
        (-1.0, "0.0 s"),
        (None, "-"),
        (math.inf, "-"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float | None, text: str) -> None:
    assert format_seconds(seconds) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_a_duration_never_shows_sixty_of_anything(seconds: float) -> None:
    text = format_seconds(seconds)
    assert not text.startswith("60 ")
    assert " 60 " not in text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (512, "512 B"), (1536, "1.5 KiB"), (24 << 20, "24 MiB"), (3 << 40, "3.0 TiB"), (None, "-")],
)
def test_sizes_are_written_in_binary_units(size: int | None, text: str) -> None:
    assert format_bytes(size) == text


def test_one_of_a_thing_is_singular() -> None:
    assert format_count(1, "trial") == "1 trial"
    assert format_count(1200, "trial") == "1,200 trials"


def test_only_the_first_line_with_words_is_told_and_cannot_move_the_cursor() -> None:
    assert first_line("\n  the loss is nan\nat step 3") == "the loss is nan"
    assert first_line("a\x1b[2Jb") == "a?[2Jb"
    assert first_line("") == ""


def test_a_curve_rises_from_the_lowest_block_to_the_highest() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▅▆▇█"


def test_a_flat_curve_lies_in_the_middle_and_a_missing_epoch_leaves_a_gap() -> None:
    assert sparkline([0.5, 0.5], 8) == "▄▄"
    assert sparkline([0.0, math.nan, 1.0], 8) == "▁ █"
    assert sparkline([math.nan], 8) == " "
    assert sparkline([], 8) == ""


@given(st.lists(st.floats(), max_size=60), st.integers(min_value=0, max_value=20))
def test_a_curve_fits_its_width_whatever_its_values(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=2, max_size=9, unique=True))
def test_higher_values_never_get_a_lower_block(values: list[float]) -> None:
    drawn = sparkline(values, len(values))
    ordered = [block for _, block in sorted(zip(values, drawn, strict=True))]
    assert ordered == sorted(ordered)
    assert {"▁", "█"} <= set(drawn)


def test_columns_are_aligned_and_the_last_is_cut() -> None:
    rows = [("trial", "values"), ("7", "learning_rate=0.1 units=64")]
    assert columns(rows, "rl", width=20) == ["  trial  values", "      7  learning_r…"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.000251, "0.25 ms"), (0.0123, "12 ms"), (0.25, "250 ms"), (1.3, "1.3 s"), (None, "-")]
)
def test_a_latency_is_written_in_thousandths_of_a_second(seconds, text):
    assert format_latency(seconds) == text
