"""Own elements keep their places through every way in which axes are made of others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.engine.fused.padding.axes import (
    Axis,
    Unpaddable,
    aligned,
    flattened,
    is_whole,
    joined,
    leading,
    narrow,
    same,
    widen,
)


@st.composite
def axes(draw, most=5):
    wide = draw(st.integers(1, most))
    own = draw(st.sets(st.integers(0, wide - 1), min_size=1))
    return Axis(wide, np.array(sorted(own)))


def numbered(tensor):
    return 1 + np.arange(np.prod([axis.own for axis in tensor])).reshape([axis.own for axis in tensor])


@given(st.lists(axes(), min_size=1, max_size=3))
def test_what_is_widened_is_narrowed_again(tensor):
    own = numbered(tensor)
    wide = widen(own, tuple(tensor))
    assert wide.shape == tuple(axis.wide for axis in tensor)
    np.testing.assert_array_equal(narrow(wide, tuple(tensor)), own)
    assert np.count_nonzero(wide) == own.size, "all else is zero"


@given(st.lists(axes(), min_size=1, max_size=3))
def test_flattening_axes_is_reshaping(tensor):
    wide = widen(numbered(tensor), tuple(tensor))
    flat = flattened(tensor)
    np.testing.assert_array_equal(narrow(wide.reshape(-1), (flat,)), numbered(tensor).reshape(-1))


@given(axes(), axes())
def test_joining_axes_is_concatenation(one, other):
    wide = np.concatenate([widen(numbered([axis]), (axis,)) for axis in (one, other)])
    own = np.concatenate([numbered([one]), numbered([other])])
    np.testing.assert_array_equal(narrow(wide, (joined([one, other]),)), own)


@given(axes())
def test_coordinates_say_who_stands_where(axis):
    np.testing.assert_array_equal(axis.coordinates[axis.where], np.arange(axis.own))
    assert np.count_nonzero(axis.coordinates >= 0) == axis.own


def test_an_axis_that_is_all_its_own_is_whole():
    assert Axis(3, np.arange(3)).places is None
    assert is_whole((Axis(None), leading(4, 4)))
    assert not is_whole((leading(2, 4),))
    assert Axis(4, np.array([1, 2])).own == 2


def test_axes_match_by_their_places():
    assert leading(2, 4).matches(Axis(4, np.array([0, 1])))
    assert not leading(2, 4).matches(Axis(4, np.array([1, 2])))
    assert not same((leading(2, 4),), (leading(2, 4), Axis(1)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: leading(5, 4), "an axis of 5 does not fit into one of 4"),
        (lambda: aligned((2, 3), (4,)), "shapes of different ranks"),
        (lambda: flattened([Axis(None), Axis(2)]), "unknown length is flattened"),
        (lambda: joined([Axis(None)]), "unknown length are concatenated"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(Unpaddable, match=message):
        make()
