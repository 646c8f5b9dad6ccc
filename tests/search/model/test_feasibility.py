"""How likely a trial is to succeed."""

from __future__ import annotations

import numpy as np
import pytest

from dialed.search.model.feasibility import Feasibility
from dialed.search.model.layout import Array, Layout
from dialed.space import Float, Hyperparameter, Space

SPACE = Space([Hyperparameter("x", Float(0.0, 1.0)), Hyperparameter("y", Float(0.0, 1.0))])
LAYOUT = Layout(SPACE)


def _model(count: int = 40) -> Feasibility:
    units = np.random.default_rng(0).random((count, 2))
    return Feasibility(LAYOUT, units[units[:, 0] <= 0.6], units[units[:, 0] > 0.6])


def _probability(model: Feasibility, x: float) -> Array:
    units = np.column_stack([np.full(5, x), np.linspace(0.1, 0.9, 5)])
    return np.exp(model.log_probability(LAYOUT.features(units)))


def test_it_learns_where_trials_fail() -> None:
    model = _model()
    assert np.all(_probability(model, 0.9) < 0.15)
    assert np.all(_probability(model, 0.2) > 0.85)
    assert np.all(np.abs(_probability(model, 0.6) - 0.5) < 0.4)


def test_where_nothing_but_failures_was_seen_success_stays_possible() -> None:
    model = Feasibility(LAYOUT, np.zeros((0, 2)), np.array([[0.1, 0.1], [0.2, 0.3]]))
    assert np.all(_probability(model, 0.9) > 1e-3)


def test_the_more_fails_the_more_cautious_it_is() -> None:
    """Where a tenth of all trials fail, the power of the probability is 1 + 64 / 10."""
    units = np.random.default_rng(0).random((20, 2))
    model = Feasibility(LAYOUT, units[:18], units[18:])
    features = LAYOUT.features(units)
    assert model.log_discount(features) == pytest.approx(7.4 * model.log_probability(features))
