"""Configurations as points."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialed.search.model.layout import Layout
from dialed.space import Boolean, Choice, Condition, Fixed, Float, Hyperparameter, Int, Space

SPACE = Space(
    [
        Hyperparameter("kind", Choice(["mlp", "cnn", "rnn"])),
        Hyperparameter("rate", Float(1e-4, 1e-1, sampling="log")),
        Hyperparameter("layers", Int(1, 4)),
        Hyperparameter("units", Int(8, 512, sampling="log")),
        Hyperparameter("batch", Choice([32, 64, 256])),
        Hyperparameter("always", Fixed(3)),
        Hyperparameter("filters", Int(8, 64, step=8), (Condition("kind", ("cnn",)),)),
        Hyperparameter("cell", Choice(["lstm", "gru"]), (Condition("kind", ("rnn",)),)),
        Hyperparameter("deep", Float(0.0, 1.0), (Condition("layers", (3, 4)), Condition("kind", ("cnn", "mlp")))),
        Hyperparameter("steps", Int(1, 10**6)),
        Hyperparameter("flag", Boolean(), (Condition("deep", (0.5,)),)),
    ]
)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_drawn_is_what_the_space_encodes(seed: int) -> None:
    """Snapped units decode to a configuration whose own encoding is the same."""
    layout = Layout(SPACE)
    for row in layout.uniform(np.random.default_rng(seed), 20):
        values = SPACE.decode(row)
        assert SPACE.contains(values)
        again = SPACE.encode(values)
        assert np.array_equal(np.isnan(again), np.isnan(row))
        assert np.nan_to_num(again) == pytest.approx(np.nan_to_num(row), abs=1e-5)  # `steps` has a million values


def test_distances_are_sums_over_hyperparameters() -> None:
    """Numbers differ by their own scale, categories by 1, and what only one of two has by 1 whatever its value."""
    space = Space(
        [
            Hyperparameter("kind", Choice(["a", "b", "c"])),
            Hyperparameter("x", Int(0, 4)),
            Hyperparameter("y", Float(0.0, 1.0), (Condition("kind", ("a", "b")),)),
            Hyperparameter("z", Choice(["p", "q"]), (Condition("kind", ("a",)),)),
        ]
    )
    layout = Layout(space)

    def distances(one: dict[str, object], two: dict[str, object]) -> list[float]:
        a, b = layout.features(np.array([space.encode(one), space.encode(two)]))  # type: ignore[arg-type]
        return np.bincount(layout.owner, (a - b) ** 2, minlength=4).tolist()

    full = {"kind": "a", "x": 0, "y": 0.0, "z": "p"}
    assert distances(full, {**full, "x": 4}) == pytest.approx([0, 1, 0, 0])
    assert distances(full, {**full, "x": 1}) == pytest.approx([0, 1 / 16, 0, 0])
    assert distances(full, {**full, "z": "q"}) == pytest.approx([0, 0, 0, 1])
    assert distances(full, {"kind": "b", "x": 0, "y": 0.0}) == pytest.approx([1, 0, 0, 1])
    for y in (0.0, 0.3, 1.0):
        assert distances({**full, "y": y}, {"kind": "c", "x": 0}) == pytest.approx([1, 0, 1, 1])
    assert distances({"kind": "c", "x": 2}, {"kind": "c", "x": 2}) == pytest.approx([0, 0, 0, 0])
    near = distances(full, {**full, "y": 0.2})[2]
    assert near == pytest.approx(0.04, rel=0.01)
    assert distances(full, {**full, "y": 1.0})[2] == pytest.approx(1.0, rel=0.1)


def test_activity_is_that_of_the_space() -> None:
    layout = Layout(SPACE)
    units = layout.uniform(np.random.default_rng(0), 300)
    for row in units:
        values = SPACE.decode(row)
        assert [name for name, unit in zip(SPACE.names, row, strict=True) if not np.isnan(unit)] == list(values)


def test_a_condition_on_a_continuous_value_is_checked_too() -> None:
    layout = Layout(SPACE)
    units = np.full((2, len(SPACE)), 0.1)
    units[:, SPACE.names.index("layers")] = 0.9
    units[1, SPACE.names.index("deep")] = 0.5
    flags = layout.snap(units)[:, SPACE.names.index("flag")]
    assert np.isnan(flags).tolist() == [True, False]


def test_every_value_of_a_finite_space_can_be_drawn() -> None:
    space = Space([Hyperparameter("a", Int(1, 9, sampling="log")), Hyperparameter("b", Choice(["x", "y"]))])
    layout = Layout(space)
    drawn = {tuple(space.decode(row).values()) for row in layout.uniform(np.random.default_rng(0), 2000)}
    assert drawn == set(itertools.product(range(1, 10), "xy"))


def test_a_constant_takes_no_part() -> None:
    layout = Layout(Space([Hyperparameter("a", Fixed(1)), Hyperparameter("b", Choice(["only"]))]))
    assert layout.size == 0
    assert layout.features(layout.uniform(np.random.default_rng(0), 3)).shape == (3, 0)
