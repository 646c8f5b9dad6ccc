"""Scales are the arithmetic below Int and Float."""

from __future__ import annotations

import pytest

from dialed.space._scales import scale_of, spread


def test_settings_choose_the_scale() -> None:
    """Steps and integers are finite; a line is not, and has no list of numbers."""
    assert scale_of(1, 9, None, "linear").size == 9
    assert scale_of(1, 9, None, "log").size == 9
    assert scale_of(1, 9, 3, "log").size == 3
    line = scale_of(1.0, 9.0, None, "linear")
    assert line.size is None
    with pytest.raises(IndexError):
        line.at(0)
    with pytest.raises(ValueError, match="An open scale has no list of numbers"):
        spread(line, None)


def test_an_integer_scale_and_a_float_scale_differ() -> None:
    """Though 1 equals 1.0: the cache of scales tells them apart."""
    assert type(scale_of(1, 4, 1, "linear").at(1)) is int
    assert type(scale_of(1.0, 4.0, 1.0, "linear").at(1)) is float


@pytest.mark.parametrize("sampling", ["linear", "log", "reverse_log"])
def test_the_ends_of_a_line_are_exact(sampling: str) -> None:
    """Powers and logarithms would miss them by a rounding error."""
    line = scale_of(19.875, 28.875, None, sampling)
    assert (line.from_unit(0.0), line.from_unit(1.0)) == (19.875, 28.875)
    assert (line.to_unit(19.875), line.to_unit(28.875)) == (0.0, 1.0)


def test_decimals_stay_tidy() -> None:
    """Steps are added as decimal fractions, not as binary ones."""
    assert spread(scale_of(0.1, 0.7, 0.1, "linear"), None) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert spread(scale_of(0.0, 1.0, 1 / 3, "linear"), None)[-1] == 1.0
