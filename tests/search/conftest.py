"""Spaces that the tests of the strategies share."""

from __future__ import annotations

import pytest

from dialed.space import Choice, Condition, Float, Hyperparameter, Int, Space


@pytest.fixture
def mixed() -> Space:
    """Open floats, one of them conditional."""
    return Space(
        [
            Hyperparameter("rate", Float(1e-4, 1e-1, sampling="log", default=1e-3)),
            Hyperparameter("dropout", Float(0.0, 0.5)),
            Hyperparameter("optimizer", Choice(["adam", "sgd"])),
            Hyperparameter("momentum", Float(0.0, 0.9), (Condition("optimizer", ("sgd",)),)),
        ]
    )


@pytest.fixture
def small() -> Space:
    """Twelve configurations, with conditions."""
    return Space(
        [
            Hyperparameter("optimizer", Choice(["adam", "sgd"])),
            Hyperparameter("momentum", Float(0.0, 1.0, step=0.5), (Condition("optimizer", ("sgd",)),)),
            Hyperparameter("layers", Int(1, 2)),
            Hyperparameter("units_1", Int(8, 16, step=8), (Condition("layers", (2,)),)),
        ]
    )


@pytest.fixture
def huge() -> Space:
    """10**9 configurations."""
    return Space([Hyperparameter(f"x{i}", Int(0, 9)) for i in range(9)])
