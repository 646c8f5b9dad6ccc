"""How likely a trial is to keep a constraint."""

from __future__ import annotations

import numpy as np

from dialed.objectives import Constraint
from dialed.search.model.layout import Layout
from dialed.search.model.limits import limits_of
from dialed.space import Float, Hyperparameter, Space

LAYOUT = Layout(Space([Hyperparameter("x", Float(0.0, 1.0))]))
UNITS = np.linspace(0.0, 1.0, 12)[:, None]
FEATURES = LAYOUT.features(UNITS)


def test_it_is_high_where_the_constraint_is_kept_and_low_where_it_is_broken() -> None:
    """Sizes over six decades: what is far from the limit does not drown what is near."""
    sizes = 10.0 ** (6.0 * UNITS)
    (limit,) = limits_of(FEATURES, sizes, [Constraint("size", max=1e3)], LAYOUT)
    kept, broken = np.exp(limit.log_probability(LAYOUT.features(np.array([[0.25], [0.8]]))))
    assert kept > 0.8 and broken < 0.1


def test_each_side_is_a_limit_of_its_own() -> None:
    low, high = sorted(
        limits_of(FEATURES, UNITS, [Constraint("x", min=0.3, max=0.7)], LAYOUT),
        key=lambda limit: float(limit.log_probability(FEATURES[-1:])[0]),
        reverse=True,
    )
    places = LAYOUT.features(np.array([[0.1], [0.5], [0.9]]))
    assert (np.exp(low.log_probability(places)) > 0.5).tolist() == [False, True, True]
    assert (np.exp(high.log_probability(places)) > 0.5).tolist() == [True, True, False]


def test_what_nobody_knows_is_no_limit() -> None:
    assert limits_of(FEATURES, np.full((12, 1), np.nan), [Constraint("x", max=1.0)], LAYOUT) == []


def test_one_value_for_all_trials_is_no_trouble() -> None:
    (limit,) = limits_of(FEATURES, np.ones((12, 1)), [Constraint("x", max=1.0)], LAYOUT)
    assert np.isfinite(limit.log_probability(FEATURES)).all()
