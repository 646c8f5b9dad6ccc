"""Lanes are as many at once as pays and as fit."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from dialed.engine.fused import capacity
from dialed.engine.fused.capacity import CACHE_BYTES, Plan, bytes_of, halved, plan_for
from dialed.engine.fused.device import free_bytes

PLENTY = 2**40


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(capacity, "cores", lambda: 2)


def on_cpu(lanes, *, lane_bytes=1000, step_bytes=1000, free=PLENTY):
    return plan_for(lanes, lane_bytes, step_bytes=step_bytes, free=free, on_cpu=True)


def on_gpu(lanes, *, lane_bytes=1000, step_bytes=1000, free=PLENTY, devices=1):
    return plan_for(lanes, lane_bytes, step_bytes=step_bytes, free=free, on_cpu=False, devices=devices)


@pytest.mark.parametrize(("lanes", "size", "hands"), [(1, 1, 1), (2, 1, 2), (4, 2, 2), (32, 16, 2), (300, 32, 2)])
def test_on_a_cpu_each_core_has_its_part_of_small_lanes(lanes, size, hands):
    plan = on_cpu(lanes)
    assert (plan.size, plan.hands) == (size, hands)
    assert plan.room >= lanes


def test_on_a_cpu_large_lanes_train_one_by_one_on_each_core():
    assert on_cpu(32, lane_bytes=CACHE_BYTES).size == 1
    assert on_cpu(32, lane_bytes=CACHE_BYTES // 2).size == 2


def test_on_an_accelerator_all_lanes_train_in_one_program():
    plan = on_gpu(100)
    assert (plan.hands, plan.size >= 100) == (1, True)


def test_over_several_devices_each_has_as_many_places():
    assert on_gpu(100, devices=3).size % 3 == 0


@pytest.mark.parametrize("plan_of", [on_cpu, on_gpu])
@pytest.mark.parametrize("free", [10**5, 10**6, 10**7])
def test_what_trains_at_once_fits(plan_of, free):
    plan = plan_of(1000, lane_bytes=10_000, step_bytes=5_000, free=free)
    assert plan.room * 4 * 10_000 + plan.hands * plan.size * 5_000 <= max(free, 65_000)


def test_one_lane_is_tried_however_large_it_is():
    assert on_gpu(5, lane_bytes=10**9, free=10).size == 1


def test_halving_ends_with_one_lane_alone():
    plan = Plan(size=6, hands=2, room=20)
    sizes = []
    while plan is not None:
        sizes.append((plan.size, plan.hands, plan.room))
        plan = halved(plan)
    assert sizes == [(6, 2, 20), (3, 2, 10), (1, 2, 5), (1, 1, 1)]


def test_a_state_is_as_large_as_its_arrays():
    assert bytes_of(([np.zeros(3, "float32")], [], [np.zeros((), "int64")])) == 20


def test_free_memory_is_what_the_system_says():
    assert free_bytes() > 2**20
    assert jax.default_backend() == "cpu"
