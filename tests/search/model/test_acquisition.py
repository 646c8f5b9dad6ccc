"""What a trial is worth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from dialed.search.model.acquisition import log_expected_improvement, log_optimism


@pytest.mark.parametrize(("mean", "deviation", "best"), [(0.0, 1.0, 0.5), (1.0, 0.3, 0.2), (-2.0, 0.1, 0.0)])
def test_expected_improvement_is_the_integral(mean: float, deviation: float, best: float) -> None:
    """E[max(best - y, 0)] for y normal, by quadrature."""
    expected, _ = quad(lambda y: (best - y) * norm.pdf(y, mean, deviation), mean - 12 * deviation, best)
    ours = log_expected_improvement(np.array([mean]), np.array([deviation]), best)
    assert np.exp(ours) == pytest.approx([expected], rel=1e-8)


def test_it_is_exact_where_improvement_is_next_to_impossible() -> None:
    """log E = log phi(z) - 2 log|z| + log(1 - 3/z^2 + 15/z^4 - ...) far out; smooth and falling all the way."""
    z = np.array([-40.0, -1e3, -1e5, -1e8])
    asymptotic = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - 2 * np.log(-z) + np.log1p(-3 / z**2 + 15 / z**4)
    assert log_expected_improvement(-z, np.ones(4), 0.0) == pytest.approx(asymptotic, rel=1e-6)
    line = log_expected_improvement(np.linspace(-5, 50, 3000), np.ones(3000), 0.0)
    assert np.all(np.diff(line) < 0) and np.abs(np.diff(line, 2)).max() < 2e-3


def test_optimism_orders_as_the_lower_confidence_bound() -> None:
    rng = np.random.default_rng(0)
    mean, deviation = rng.normal(0, 3, 200), rng.random(200) + 0.01
    worth = log_optimism(mean, deviation, -1.0)
    assert np.array_equal(np.argsort(-worth), np.argsort(mean - 1.8 * deviation))
    assert np.isfinite(log_optimism(np.array([1e6, -1e6]), np.ones(2), 0.0)).all()
