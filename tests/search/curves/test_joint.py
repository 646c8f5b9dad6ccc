"""The joint model: its gradient, what it is without rungs, and that it learns how rungs mislead."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from dialed.search.curves.joint import JointPosterior, Seen, _implausible, fit_joint
from dialed.search.model.gaussian import Hyper, Posterior
from dialed.search.model.layout import Array


def observed(rng: np.random.Generator, count: int, rungs: int = 4) -> Seen:
    features = rng.random((count, 2))
    places = rng.integers(0, rungs, count)
    values = rng.standard_normal(count)
    return Seen(
        features=features, values=values, away=1.0 - places / (rungs - 1), rungs=places, doubt=np.zeros(len(places))
    )


OWNER = np.arange(2)
HYPER = Hyper(lengths=np.array([0.5, 0.8]), signal=1.2, noise=0.01)


def test_the_gradient_is_that_of_the_value() -> None:
    rng = np.random.default_rng(0)
    seen = observed(rng, 25)
    kinship = seen.kinship()
    for _ in range(5):
        theta = rng.normal([-0.5, -0.3, 0.0, -3.0, -0.7], 0.3)
        wrong = check_grad(
            lambda t: _implausible(t, seen, kinship, OWNER)[0],
            lambda t: _implausible(t, seen, kinship, OWNER)[1],
            theta,
        )
        assert wrong < 1e-3


def test_on_the_last_rung_alone_it_is_a_plain_gaussian_process() -> None:
    rng = np.random.default_rng(1)
    seen = observed(rng, 20)
    last = Seen(features=seen.features, values=seen.values, away=np.zeros(20), rungs=np.full(20, 3), doubt=np.zeros(20))
    at = rng.random((7, 2))
    plain = Posterior(last.features, last.values, OWNER, HYPER).predict(at)
    for joint, alone in zip(JointPosterior(last, OWNER, HYPER, 0.7).predict(at), plain, strict=True):
        np.testing.assert_allclose(joint, alone, rtol=1e-6)


def test_a_lower_rung_says_less() -> None:
    rng = np.random.default_rng(2)
    seen = observed(rng, 20)
    at = rng.random((7, 2))

    def deviation(rung: int) -> Array:
        places = np.full(20, rung)
        told = Seen(
            features=seen.features, values=seen.values, away=1.0 - places / 3, rungs=places, doubt=np.zeros(len(places))
        )
        return JointPosterior(told, OWNER, HYPER, 0.7).predict(at)[1]

    assert np.all(deviation(0) > deviation(2))
    assert np.all(deviation(2) > deviation(3))


def test_what_is_doubtful_says_less() -> None:
    rng = np.random.default_rng(4)
    sure = observed(rng, 20)
    unsure = Seen(features=sure.features, values=sure.values, away=sure.away, rungs=sure.rungs, doubt=np.full(20, 4.0))
    at = rng.random((7, 2))
    narrow, wide = (JointPosterior(seen, OWNER, HYPER, 0.7).predict(at)[1] for seen in (sure, unsure))
    assert np.all(wide > narrow)


@pytest.mark.parametrize("seed", range(3))
def test_it_learns_how_the_lowest_rung_misleads(seed: int) -> None:
    """The end rises with x where the first rung falls with it; ends were seen in one half of the space alone."""
    rng = np.random.default_rng(seed)
    features = rng.random((60, 2))
    ends, begins = 2.0 * features[:, 0] - 1.0, 1.0 - 2.0 * features[:, 0]
    done = np.flatnonzero(features[:, 1] < 0.5)
    seen = Seen(
        features=np.vstack([features, features[done]]),
        values=np.concatenate([begins, ends[done]]),
        away=np.concatenate([np.ones(60), np.zeros(len(done))]),
        rungs=np.concatenate([np.zeros(60, dtype=np.int64), np.ones(len(done), dtype=np.int64)]),
        doubt=np.zeros(60 + len(done)),
    )
    hyper, misleading = fit_joint(seen, OWNER, steps=40)
    assert misleading > 0.5
    mean = JointPosterior(seen, OWNER, hyper, misleading).mean(features)
    assert np.corrcoef(mean, ends)[0, 1] > 0.9


def test_what_is_expected_changes_no_mean_and_narrows_the_belief() -> None:
    rng = np.random.default_rng(3)
    posterior = JointPosterior(observed(rng, 20), OWNER, HYPER, 0.7)
    at = rng.random((5, 2))
    after = posterior.expecting(at)
    np.testing.assert_allclose(after.predict(at)[0], posterior.predict(at)[0], atol=1e-3)
    assert np.all(after.predict(at)[1] < posterior.predict(at)[1])
    assert posterior.expecting(at[:0]) is posterior
