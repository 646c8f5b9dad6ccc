"""The Gaussian process: against a textbook version, finite differences, and scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from dialed.search.model.gaussian import Hyper, Posterior, fit, negative_log_posterior
from dialed.search.model.layout import Array

OWNER = np.array([0, 1, 1, 2])
"""Four features of three hyperparameters."""

HYPER = Hyper(lengths=np.array([0.4, 0.9, 2.0]), signal=1.7, noise=0.05)


def _data(count: int = 14, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    features = rng.random((count, len(OWNER)))
    return features, np.sin(5 * features[:, 0]) + features[:, 1] + 0.1 * rng.standard_normal(count)


def _kernel(a: Array, b: Array, hyper: Hyper) -> float:
    """The Matern 5/2 kernel of two points, as the textbook writes it."""
    r = math.sqrt(sum((x - y) ** 2 / hyper.lengths[d] ** 2 for x, y, d in zip(a, b, OWNER, strict=True)))
    return hyper.signal * (1 + math.sqrt(5) * r + 5 * r**2 / 3) * math.exp(-math.sqrt(5) * r)


def _matrix(a: Array, b: Array, hyper: Hyper) -> Array:
    return np.array([[_kernel(x, y, hyper) for y in b] for x in a])


def _normal(x: float, mean: float, deviation: float) -> float:
    return 0.5 * ((x - mean) / deviation) ** 2


def test_a_prediction_is_the_textbooks() -> None:
    """Rasmussen and Williams, equations 2.23 and 2.24, with inverses."""
    features, values = _data()
    new = np.random.default_rng(1).random((6, 4))
    inverse = np.linalg.inv(_matrix(features, features, HYPER) + HYPER.noise * np.eye(len(values)))
    across = _matrix(features, new, HYPER)
    mean, deviation = Posterior(features, values, OWNER, HYPER).predict(new)
    assert mean == pytest.approx(across.T @ inverse @ values)
    assert deviation**2 == pytest.approx(HYPER.signal - np.diag(across.T @ inverse @ across))


def test_how_plausible_lengths_are_is_the_textbooks() -> None:
    """The density of the values, and of the logarithms under their priors; differences only, as constants are free."""

    def naive(theta: Array) -> float:
        *lengths, signal, noise = np.exp(theta)
        hyper = Hyper(lengths=np.array(lengths), signal=signal, noise=noise + 1e-6)
        covariance = _matrix(features, features, hyper) + hyper.noise * np.eye(len(values))
        prior = sum(_normal(t, math.log(0.6) + 0.25 * math.log(3), 0.8) for t in theta[:3])
        prior += _normal(theta[3], 0.0, 0.5) + _normal(theta[4], math.log(0.01), 1.2)
        return prior - float(multivariate_normal(np.zeros(len(values)), covariance).logpdf(values))

    features, values = _data()
    one, two = np.log([0.4, 0.9, 2.0, 1.7, 0.05]), np.log([1.1, 0.3, 0.7, 0.6, 0.3])
    ours = [negative_log_posterior(theta, features, values, OWNER)[0] for theta in (one, two)]
    assert ours[0] - ours[1] == pytest.approx(naive(one) - naive(two))


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_that_of_finite_differences(seed: int) -> None:
    features, values = _data(seed=seed)
    theta = np.random.default_rng(seed).normal(-0.5, 0.7, 5)
    _, gradient = negative_log_posterior(theta, features, values, OWNER)
    step = 1e-5 * np.eye(5)
    differences = [
        (
            negative_log_posterior(theta + e, features, values, OWNER)[0]
            - negative_log_posterior(theta - e, features, values, OWNER)[0]
        )
        / 2e-5
        for e in step
    ]
    assert gradient == pytest.approx(differences, rel=1e-5, abs=1e-6)


def test_it_agrees_with_scikit_learn() -> None:
    """Prediction and marginal likelihood, where each feature is a hyperparameter of its own."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    features, values = _data()
    owner, lengths = np.arange(4), np.array([0.4, 0.9, 1.3, 2.0])
    kernel = ConstantKernel(1.7) * Matern(lengths, nu=2.5) + WhiteKernel(0.05)
    theirs = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0).fit(features, values)
    new = np.random.default_rng(1).random((5, 4))
    mean, deviation = theirs.predict(new, return_std=True)
    ours = Posterior(features, values, owner, Hyper(lengths=lengths, signal=1.7, noise=0.05)).predict(new)
    assert ours[0] == pytest.approx(mean)
    assert ours[1] ** 2 + 0.05 == pytest.approx(deviation**2)


def test_a_fit_is_no_less_plausible_than_scipys_own_search() -> None:
    """From many starts, by finite differences, nothing better is found."""
    from scipy.optimize import minimize

    features, values = _data(30)

    def implausible(theta: Array) -> float:
        return negative_log_posterior(theta, features, values, OWNER)[0]

    found = fit(features, values, OWNER, steps=200)
    theta = np.log([*found.lengths, found.signal, found.noise - 1e-6])
    rng = np.random.default_rng(0)
    others = [minimize(implausible, rng.normal(-0.5, 0.5, 5), method="L-BFGS-B").fun for _ in range(4)]
    assert implausible(theta) <= min(others) + 1e-3


def test_a_fit_finds_what_matters_and_how_noisy_it_is() -> None:
    rng = np.random.default_rng(3)
    features = rng.random((60, 2))
    values = np.sin(6 * features[:, 0]) + 0.3 * rng.standard_normal(60)
    hyper = fit(features, (values - values.mean()) / values.std(), np.arange(2))
    assert hyper.lengths[1] > 3 * hyper.lengths[0]
    assert hyper.noise * values.var() == pytest.approx(0.09, rel=0.5)


def test_expecting_running_trials_changes_no_mean_and_shrinks_what_is_unknown_there() -> None:
    features, values = _data()
    before = Posterior(features, values, OWNER, HYPER)
    running, new = np.random.default_rng(4).random((2, 3, 4))
    after = before.expecting(running)
    assert after.predict(new)[0] == pytest.approx(before.predict(new)[0])
    assert np.all(after.predict(new)[1] <= before.predict(new)[1] + 1e-12)
    assert np.all(after.predict(running)[1] < np.sqrt(HYPER.noise))
    assert before.expecting(running[:0]) is before


def test_the_same_point_many_times_is_no_trouble() -> None:
    features = np.full((40, 4), 0.5)
    values = np.linspace(-1, 1, 40)
    hyper = fit(features, values, OWNER)
    mean, _ = Posterior(features, values, OWNER, hyper).predict(features[:1])
    assert mean == pytest.approx([0.0], abs=1e-6)


def test_a_covariance_that_rounding_made_singular_is_helped() -> None:
    features = np.vstack([np.zeros((50, 4)), 1e-9 * np.ones((50, 4))])
    hyper = Hyper(lengths=np.ones(3), signal=1e9, noise=1e-9)
    assert np.isfinite(Posterior(features, np.ones(100), OWNER, hyper).predict(features)[0]).all()
