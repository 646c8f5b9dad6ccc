"""Lanes side by side are the lanes."""

from __future__ import annotations

import numpy as np
import pytest

from dialed.engine.fused.stack import bucket, on_host, replaced, stacked, unstacked


@pytest.fixture
def lanes():
    random = np.random.default_rng(0)
    shapes = ([(2, 3), (3,)], [(4,)], [(), (2, 3)])
    return [tuple([random.normal(size=s).astype("float32") for s in group] for group in shapes) for _ in range(3)]


def equal(one, other):
    pairs = [(a, b) for group, of_other in zip(one, other, strict=True) for a, b in zip(group, of_other, strict=True)]
    return all(np.array_equal(a, b) for a, b in pairs)


def test_a_lane_comes_back_as_it_went(lanes):
    state = on_host(stacked(lanes, [np.zeros(2)], 4))
    assert all(equal(unstacked(state, i), lane) for i, lane in enumerate(lanes))
    assert equal(unstacked(state, 3), lanes[0]), "an empty place repeats the first lane"


def test_only_the_variables_that_are_named_are_replaced(lanes):
    state = stacked(lanes, [np.ones(2)], 4)
    newer = [tuple([array + 1 for array in group] for group in lane) for lane in lanes]
    changed = on_host(replaced(state, newer, {(0, 1), (2, 0)}))
    for i, lane in enumerate(lanes):
        (kernel, bias), (mean,), (rate, moment) = unstacked(changed, i)
        assert np.array_equal(bias, lane[0][1] + 1)
        assert rate == lane[2][0] + 1
        assert equal([[kernel], [mean], [moment]], [[lane[0][0]], [lane[1][0]], [lane[2][1]]])
    assert np.array_equal(changed[0][1][3], newer[0][0][1])


def test_what_is_replaced_keeps_its_type(lanes):
    state = stacked(lanes, [], 3)
    wider = [tuple([array.astype("float64") for array in group] for group in lane) for lane in lanes]
    assert replaced(state, wider, {(0, 0)})[0][0].dtype == state[0][0].dtype


@pytest.mark.parametrize(("count", "places"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 6), (7, 8), (9, 12), (13, 16)])
def test_places_are_powers_of_two_and_halves_between(count, places):
    assert bucket(count) == places
