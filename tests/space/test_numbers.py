"""Int and Float: ranges whose ends are reached, whose steps are tidy, and whose places are invertible."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dialed.errors import SpaceError
from dialed.space import Float, Int, Value, domain_from_json

SAMPLINGS = st.sampled_from(["linear", "log", "reverse_log"])


@st.composite
def ints(draw: st.DrawFn) -> Int:
    """Integer ranges of every kind."""
    sampling = draw(SAMPLINGS)
    low = draw(st.integers(-1000 if sampling == "linear" else 1, 1000))
    if draw(st.booleans()):
        return Int(low, low + draw(st.integers(1, 10**6)), sampling=sampling)
    step = draw(st.integers(2, 50))
    high = low + step * draw(st.integers(1, 40)) if sampling == "linear" else low * step + draw(st.integers(0, 10**6))
    return Int(low, high, step=step, sampling=sampling)


@st.composite
def floats(draw: st.DrawFn) -> Float:
    """Float ranges of every kind."""
    sampling = draw(SAMPLINGS)
    low = draw(st.floats(-100, 100) if sampling == "linear" else st.floats(1e-6, 100))
    if draw(st.booleans()):
        return Float(low, low + draw(st.floats(0.01, 1e4)), sampling=sampling)
    if sampling == "linear":
        step = draw(st.sampled_from([0.1, 0.05, 0.25, 1e-3, 3.0, 1 / 3]))
        assume(low + step > low)
        return Float(round(low, 3), round(low, 3) + step * draw(st.integers(1, 100)), step=step)
    return Float(low, low * draw(st.floats(2, 1e4)), step=draw(st.floats(1.1, 2)), sampling=sampling)


@given(ints(), st.floats(0, 1))
def test_an_integer_comes_back_from_its_place(domain: Int, unit: float) -> None:
    """Exactly, as a Python int, also under log sampling."""
    value = domain.from_unit(unit)
    assert type(value) is int
    assert domain.contains(value)
    assert domain.min_value <= value <= domain.max_value
    assert 0 <= domain.to_unit(value) <= 1
    assert domain.from_unit(domain.to_unit(value)) == value


@given(floats(), st.floats(0, 1))
def test_a_float_comes_back_from_its_place(domain: Float, unit: float) -> None:
    """Exactly with steps, to rounding without."""
    value = domain.from_unit(unit)
    assert type(value) is float
    assert domain.contains(value)
    assert 0 <= domain.to_unit(value) <= 1
    back = domain.from_unit(domain.to_unit(value))
    assert math.isclose(back, value, rel_tol=1e-9, abs_tol=1e-9) if domain.size is None else back == value


@given(ints() | floats(), st.floats(0, 1), st.floats(0, 1))
def test_places_keep_the_order(domain: Int | Float, one: float, other: float) -> None:
    """A larger place never means a smaller value, under any sampling."""
    low, high = sorted([one, other])
    assert domain.from_unit(low) <= domain.from_unit(high)


@given(ints() | floats())
def test_a_range_survives_json(domain: Int | Float) -> None:
    """With its default and the type of its ends."""
    assert domain_from_json(domain.to_json()) == domain
    assert repr(domain_from_json(domain.to_json())) == repr(domain)


@given(floats())
def test_both_ends_of_a_range_are_reached(domain: Float) -> None:
    """Where factors fall short of the far end, the last one before it counts, as in KerasTuner."""
    first, last = domain.from_unit(0.0), domain.from_unit(1.0)
    assert first == domain.min_value or (domain.step is not None and domain.sampling == "reverse_log")
    assert last == domain.max_value or (domain.step is not None and domain.sampling == "log")


@pytest.mark.parametrize(
    ("domain", "values"),
    [
        (Int(6, 12), [6, 7, 8, 9, 10, 11, 12]),
        (Int(6, 12, step=3), [6, 9, 12]),
        (Int(2, 32, step=2, sampling="log"), [2, 4, 8, 16, 32]),
        (Int(10, 100, step=2, sampling="log"), [10, 20, 40, 80]),
        (Int(1, 16, step=2, sampling="reverse_log"), [1, 9, 13, 15, 16]),
        (Int(1, 4, sampling="log"), [1, 2, 3, 4]),
        (Float(0, 1, step=0.2), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (Float(0, 1, step=0.1), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        (Float(0.001, 10, step=10, sampling="log"), [0.001, 0.01, 0.1, 1.0, 10.0]),
        (Float(1, 16, step=2, sampling="reverse_log"), [1.0, 9.0, 13.0, 15.0, 16.0]),
    ],
)
def test_steps_give_these_values(domain: Int | Float, values: list[Value]) -> None:
    """KerasTuner's documented examples, with the ends reached and the decimals tidy."""
    assert domain.values() == values
    assert [type(value) for value in domain.values()] == [type(value) for value in values]
    assert domain.size == len(values)


@given(ints())
def test_equal_cells_for_steps(domain: Int) -> None:
    """Each value of a stepped range has the same share of the unit interval."""
    assume(domain.step is not None and domain.size < 50)
    cells = [domain.from_unit((index + 0.5) / domain.size) for index in range(domain.size)]
    assert cells == domain.values()


@pytest.mark.parametrize(("unit", "value"), [(0.0, 1e-4), (0.5, 1e-2), (1.0, 1.0)])
def test_log_sampling_is_even_in_the_exponent(unit: float, value: float) -> None:
    """min * (max / min) ** u, as KerasTuner has it."""
    assert Float(1e-4, 1, sampling="log").from_unit(unit) == pytest.approx(value)


@pytest.mark.parametrize("unit", [0.0, 0.25, 0.5, 1.0])
def test_reverse_log_mirrors_log(unit: float) -> None:
    """max + min - min * (max / min) ** (1 - u), as KerasTuner has it."""
    mirrored = 0.1 + 0.9 - Float(0.1, 0.9, sampling="log").from_unit(1 - unit)
    assert Float(0.1, 0.9, sampling="reverse_log").from_unit(unit) == pytest.approx(mirrored)


def test_log_sampling_of_integers_favours_small_ones() -> None:
    """The share of n is that of [n, n + 1): half of all draws from 1..1000 are below 32."""
    domain = Int(1, 1000, sampling="log")
    assert domain.from_unit(0.5) == 31
    assert Int(1, 1000, sampling="reverse_log").from_unit(0.5) == 1001 - 31


def test_the_default_is_the_smallest_value() -> None:
    """As in KerasTuner; where factors do not reach the smallest, the first value that exists."""
    assert (Int(3, 5).default, Float(0.5, 1).default) == (3, 0.5)
    assert Int(1, 10, step=2, sampling="reverse_log").default == 3


def test_values_take_the_type_of_the_range() -> None:
    """3.0 is an integer from a table; 1 is a float; NumPy's scalars are plain ones."""
    assert type(Int(1, 5).cast(3.0)) is int
    assert type(Float(0, 5).cast(3)) is float
    assert type(Int(1, 5).cast(np.int64(3))) is int
    assert type(Int(np.int64(1), np.int32(5)).min_value) is int  # type: ignore[arg-type]
    assert Float(0, 1, step=0.1).cast(0.1 + 0.2) == 0.3


@pytest.mark.parametrize("value", [0, 6, 2.5, True, None, "3", math.nan, math.inf, [3]])
def test_what_is_no_integer_of_the_range_is_outside(value: object) -> None:
    """Other types, other numbers, and the booleans."""
    assert not Int(1, 5).contains(value)


def test_points_spread_over_an_open_range() -> None:
    """Evenly on its scale, with both ends, in tidy numbers; one point is the middle."""
    assert Float(0, 0.5).values(6) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert Float(1e-4, 1, sampling="log").values(5) == [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    assert Float(0, 1).values(1) == [0.5]


def test_points_thin_out_a_finite_range() -> None:
    """Never more than there are, never one twice."""
    assert Int(0, 100).values(3) == [0, 50, 100]
    assert Int(1, 3).values(10) == [1, 2, 3]
    assert Int(1, 4, sampling="log").values(9) == [1, 2, 3, 4]


def test_a_range_has_an_order() -> None:
    """It is never categorical."""
    assert not Int(1, 2).categorical
    assert not Float(1, 2).categorical
    assert Float(0, 1).size is None


def test_ranges_compare_without_defaults() -> None:
    """`same_range` asks whether the same values are meant; an Int is no Float."""
    assert Int(1, 5).same_range(Int(1, 5, default=3))
    assert not Int(1, 5).same_range(Int(1, 6))
    assert not Int(1, 5).same_range(Float(1, 5))
    assert not Float(1, 5).same_range(Int(1, 5))
    assert Int(1, 5) != Int(1, 5, default=3)


def test_ranges_show_what_was_written() -> None:
    """Their text is the call that makes them."""
    assert repr(Int(32, 512, step=32, default=64)) == "Int(32, 512, step=32, default=64)"
    assert repr(Float(1e-4, 1e-1, sampling="log")) == "Float(0.0001, 0.1, sampling='log')"


def test_sampling_may_be_none() -> None:
    """It was KerasTuner's way to say "linear", and upper case was fine."""
    assert Int(1, 5, sampling=None).sampling == "linear"
    assert Int(1, 5, sampling="LOG").sampling == "log"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Int(5, 5), r"`min_value` must be below `max_value`. Got min_value=5, max_value=5.*use Fixed\(5\)"),
        (lambda: Float(2, 1), "`min_value` must be below `max_value`. Got min_value=2.0, max_value=1.0"),
        (lambda: Float(0, 1, sampling="log"), "`min_value` must be above 0 with sampling='log'. Got min_value=0.0"),
        (lambda: Int(-1, 1, sampling="reverse_log"), "`min_value` must be above 0 with sampling='reverse_log'"),
        (lambda: Int(1, 9, sampling="cubic"), "`sampling` must be one of linear, log, reverse_log. Got 'cubic'"),
        (lambda: Int(6, 13, step=3), "`step` must divide the range.*step=3. Use max_value=12 or 15, or another step"),
        (lambda: Float(0, 1, step=0.3), "Got min_value=0.0, max_value=1.0, step=0.3. Use max_value=0.9 or 1.2"),
        (lambda: Int(0, 3, step=5), "`step` must divide the range.*Use max_value=5, or another step"),
        (lambda: Int(0, 3, step=0), "`step` must be above 0. Got step=0"),
        (lambda: Int(1, 3, step=1, sampling="log"), "`step` must be above 1 with sampling='log', where it is a factor"),
        (lambda: Float(0, 1, step=1e-13), "`step` must be coarser: it makes 1e\\+13 values"),
        (
            lambda: Int(0, 10, step=5, default=3),
            r"`default` must be a value of Int\(0, 10, step=5\). Got 3. .*nearest.* 5",
        ),
        (
            lambda: Float(0, 1, default=2),
            r"`default` must be a value of Float\(0.0, 1.0\). Got 2. The nearest value is 1",
        ),
        (lambda: Float(0, 1, default="a"), "`default` must be a value of .* Got 'a'.$"),  # type: ignore[arg-type]
        (lambda: Int(0.5, 3), "`min_value` of an Int must be an integer. Got 0.5. Use Float"),  # type: ignore[arg-type]
        (lambda: Int(1, "3"), "`max_value` of an Int must be an integer. Got '3'"),  # type: ignore[arg-type]
        (lambda: Int(0, 2**41), r"`max_value` of an Int must lie between -2\*\*40 and 2\*\*40"),
        (lambda: Float(0, math.inf), "`max_value` of a Float must be a finite number. Got inf"),
        (lambda: Float(-1e308, 1e308), "`max_value` must be near enough to `min_value` for float arithmetic"),
        (lambda: Float(0, 1).values(), r"needs a range with a `step`. Got Float\(0.0, 1.0\), .* with `points=`"),
        (lambda: Float(0, 1).values(0), "`points` must be an integer of at least 1. Got 0"),
        (lambda: Int(1, 5).cast(7), r"A value must be in Int\(1, 5\). Got 7. The nearest value is 5"),
    ],
)
def test_a_contradiction_is_refused(make: object, message: str) -> None:
    """With what must hold, what came and what to do."""
    with pytest.raises(SpaceError, match=message):
        make()  # type: ignore[operator]
