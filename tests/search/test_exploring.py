"""How far values are moved, and which may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.search.exploring import explored, is_number, perturbed, redrawn
from dialed.space import Boolean, Choice, Condition, Float, Hyperparameter, Int, Space


@pytest.mark.parametrize(
    ("domain", "value", "factor", "expected"),
    [
        (Float(0.0, 1.0), 0.5, 1.2, 0.6),
        (Float(1e-4, 1.0, sampling="log"), 0.01, 0.8, 0.008),
        (Float(0.0, 1.0), 0.9, 1.2, 1.0),
        (Float(0.0, 1.0), 1.0, 1.2, 1 / 1.2),
        (Float(0.0, 1.0), 0.0, 1.2, 0.0),
        (Float(0.5, 1.0, step=0.1), 0.7, 1.2, 0.8),
        (Float(0.001, 1.0, sampling="reverse_log"), 0.9, 1.2, 1.001 - 0.101 * 1.2),
        (Int(1, 10), 2, 1.2, 3),
        (Int(1, 10), 2, 0.8, 1),
        (Int(1, 10), 10, 0.8, 8),
        (Int(0, 10), 1, 0.8, 2),
        (Int(1, 10**6), 1000, 1.2, 1200),
        (Choice([0.1, 0.001, 0.01]), 0.01, 1.2, 0.1),
        (Choice([0.1, 0.001, 0.01]), 0.01, 0.8, 0.001),
        (Choice([0.1, 0.001, 0.01]), 0.1, 1.2, 0.01),
    ],
)
def test_a_number_is_multiplied_inside_its_range(domain: Any, value: float, factor: float, expected: float) -> None:
    assert perturbed(domain, value, factor) == pytest.approx(expected)


@given(
    st.sampled_from(
        [Float(0.0, 1.0), Float(1e-4, 1.0, sampling="log"), Float(-1.0, 1.0), Int(0, 7), Int(1, 10**6, sampling="log")]
    ),
    st.floats(0, 1),
    st.sampled_from([0.5, 0.8, 1.2, 2.0]),
)
def test_what_comes_out_is_in_the_range_and_zero_stays_zero(domain: Any, unit: float, factor: float) -> None:
    value = domain.from_unit(unit)
    moved = perturbed(domain, value, factor)
    assert domain.contains(moved)
    assert type(moved) is type(value)
    assert (moved == 0) == (value == 0)


def test_a_redrawn_value_is_never_zero_and_zero_is_never_redrawn() -> None:
    rng = np.random.default_rng(0)
    assert {redrawn(Int(0, 2), 1, rng) for _ in range(50)} == {1, 2}
    assert {redrawn(Int(0, 2), 0, rng) for _ in range(10)} == {0}
    assert {redrawn(Boolean(), False, rng) for _ in range(50)} == {False, True}


def test_only_numbers_on_which_nothing_depends_count_as_numbers() -> None:
    space = Space(
        [
            Hyperparameter("layers", Int(1, 2)),
            Hyperparameter("units", Int(1, 9), (Condition("layers", (2,)),)),
            Hyperparameter("name", Choice(["a", "b"])),
            Hyperparameter("size", Choice([32, 64])),
            Hyperparameter("unordered", Choice([32, 64], ordered=False)),
            Hyperparameter("flag", Boolean()),
        ]
    )
    assert [h.name for h in space if is_number(h, space)] == ["units", "size"]


def test_inactive_hyperparameters_stay_inactive() -> None:
    space = Space(
        [
            Hyperparameter("kind", Choice(["a", "b"])),
            Hyperparameter("momentum", Float(0.1, 0.9), (Condition("kind", ("b",)),)),
        ]
    )
    rng = np.random.default_rng(0)
    assert explored({"kind": "a"}, space, ("momentum",), rng, factors=(0.8,), resample=0.5) == {"kind": "a"}
