"""Programs are shared where that costs less than compiling another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.engine.fused.padding.buckets import Costs, buckets

CHEAP = Costs(compile_seconds=1e-9)
DEAR = Costs(compile_seconds=1e9)


def shared(work, costs, *, kinds=None, samples=1e6, widest=None):
    kinds = kinds or [str(w) for w in work]
    widest = widest or (lambda part: ("wide", max(work[i] for i in part)))
    return buckets(kinds, work, [samples] * len(work), costs=costs, widest=widest)


@given(st.lists(st.floats(1, 1e7), min_size=1, max_size=20), st.floats(1e-6, 1e3))
def test_every_lane_is_in_one_bucket(work, seconds):
    found = shared(work, Costs(compile_seconds=seconds))
    assert sorted(i for bucket in found for i in bucket.members) == list(range(len(work)))


def test_where_compiling_is_dear_all_share_one_program():
    (bucket,) = shared([1e3, 1e6, 1e4], DEAR)
    assert bucket.wide == "wide"
    assert bucket.waste == pytest.approx(3e6 / 1.011e6)


def test_where_compiling_is_free_nobody_is_padded():
    found = shared([1e3, 1e6, 1e4], CHEAP)
    assert len(found) == 3
    assert all(bucket.wide is None for bucket in found)


def test_small_and_large_models_part_where_padding_costs_more():
    found = shared([1e2, 2e2, 1e6, 1.1e6], Costs(compile_seconds=40.0))
    assert sorted(sorted(bucket.members) for bucket in found) == [[0, 1], [2, 3]]


def test_lanes_of_one_kind_need_no_padding():
    (bucket,) = shared([5.0, 5.0], DEAR, kinds=["same", "same"])
    assert bucket.wide is None


def test_what_cannot_be_padded_has_programs_of_its_own():
    found = shared([1.0, 2.0], DEAR, widest=lambda _: None)
    assert [bucket.wide for bucket in found] == [None, None]
