"""Rungs, and whether they foretell the end."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from dialed.analysis.views import correlation_view, rungs_view
from dialed.analysis.views.rungs import value_at


def test_the_rungs_are_where_trials_stayed(halved):
    view = rungs_view(halved)
    assert [(r.epoch, r.arrived, r.went_on, r.ended, r.failed) for r in view.rungs] == [
        (1, 9, 3, 6, 1),
        (3, 3, 1, 2, 0),
        (9, 1, 0, 1, 0),
    ]


def test_a_trial_climbs_as_far_as_it_was_trained(halved):
    climbs = {climb.trial: climb.values for climb in rungs_view(halved).climbs}
    assert climbs[2] == (3.0, pytest.approx(0.4), 0.1)
    assert climbs[5] == (6.0,)
    assert climbs[9] == ()


def test_an_early_end_keeps_its_last_value(writer):
    made = writer("min")
    number = made.start({}, until=9)
    made.train(number, [2.0, float("nan")])
    assert value_at(made.history.trial(number), 1) == 2.0
    assert value_at(made.history.trial(number), 9) is None


def test_correlations_are_those_of_scipy(writer):
    rng, made = np.random.default_rng(0), writer("min", epochs=9)
    early = rng.normal(size=20).round(1)
    late = (early + 0.5 * rng.normal(size=20)).round(1)
    for a, b in zip(early, late, strict=True):
        made.train(made.start({}, until=9), [a] + [b] * 8)
    view = correlation_view(made.history)
    assert view.epochs == (1, 3, 9)
    assert view.coefficients[0][2] == pytest.approx(spearmanr(early, late).statistic)
    assert view.lows[0][2] < view.coefficients[0][2] < view.highs[0][2]
    assert view.counts[0][2] == 20
    assert view.coefficients[0][0] == view.coefficients[1][2] == 1.0


def test_few_trials_have_no_correlation(halved):
    view = correlation_view(halved)
    assert view.epochs == (1, 3, 9)
    assert view.coefficients[0][1] is None
    assert view.counts[0][1] == 3


def test_an_empty_study_has_no_rungs(searched):
    assert rungs_view(searched(0)).rungs == ()
    assert correlation_view(searched(0)).coefficients == ((None,),)
