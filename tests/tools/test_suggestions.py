"""Rules on curves whose answer is known."""

from itertools import pairwise

import numpy as np
import pytest

from dialed.tools.suggestions import NoSuggestion, _longest_fall, smoothed, suggest, until_divergence

RATES = np.geomspace(1e-6, 10, 141)  # 20 a decade


def curve(fall_from=1e-3, bottom=1e-1, explodes=1.0, first=2.0, lowest=0.5):
    """Flat, then a straight fall over the logarithm, then flat, then an explosion."""
    share = np.clip(np.log(RATES / fall_from) / np.log(bottom / fall_from), 0, 1)
    losses = first - (first - lowest) * share
    return np.where(RATES > explodes, losses + 50 * np.log10(np.maximum(RATES / explodes, 1)), losses)


def test_the_valley_is_two_thirds_down_the_fall():
    low = 10**-2.8  # a tenth of the fall
    assert suggest(RATES, curve())["valley"].value == pytest.approx(low ** (1 / 3) * 0.1 ** (2 / 3), rel=0.2)


def test_the_valley_does_not_depend_on_where_the_sweep_begins():
    late = RATES > 1e-4
    assert suggest(RATES[late], curve()[late])["valley"].value == suggest(RATES, curve())["valley"].value


def test_the_steepest_place_is_where_the_slope_is_lowest():
    losses = curve() - 1.0 * np.clip(np.log10(RATES / 1e-2) / 0.3, 0, 1)
    assert 1e-2 < suggest(RATES, losses)["steepest"].value < 2e-2


def test_slide_stops_where_the_fall_ends():
    assert suggest(RATES, curve())["slide"].value == pytest.approx(1e-1, rel=0.15)


def test_a_tenth_of_the_minimum():
    dip = curve() - 0.2 * np.exp(-(np.log10(RATES / 0.3) ** 2) / 0.02)
    assert suggest(RATES, dip)["minimum/10"].value == pytest.approx(0.03, rel=0.1)


def test_divergence_is_cut_off():
    losses = curve()
    assert 1.0 < RATES[until_divergence(losses)] < 2.0
    assert until_divergence(np.where(RATES > 0.5, np.nan, losses)) == np.argmax(RATES > 0.5)


def test_noise_does_not_end_the_valley():
    noisy = curve() + np.random.default_rng(0).normal(0, 0.02, len(RATES))
    assert 1e-2 < suggest(RATES, noisy)["valley"].value < 1e-1


def test_smoothing_averages_over_decades_and_leaves_out_what_is_not_finite():
    line = np.log10(RATES)
    assert smoothed(RATES, line, 0.1)[70] == pytest.approx(line[70])
    holed = np.where(np.arange(len(RATES)) == 70, np.nan, line)
    assert smoothed(RATES, holed, 0.1)[70] == pytest.approx(line[70])
    assert np.array_equal(smoothed(RATES, line, 0.0), line)


def longest_by_trying_all(losses):
    best = 0
    for chosen in range(1, 2 ** len(losses)):
        part = [loss for i, loss in enumerate(losses) if chosen >> i & 1]
        if all(a > b for a, b in pairwise(part)):
            best = max(best, len(part))
    return best


def test_the_longest_fall_is_as_long_as_any():
    rng = np.random.default_rng(1)
    for _ in range(50):
        losses = rng.integers(0, 6, 9).astype(float)
        found = losses[_longest_fall(losses)]
        assert len(found) == longest_by_trying_all(losses)
        assert (np.diff(found) < 0).all()


@pytest.mark.parametrize(
    ("losses", "why"),
    [
        (np.full(141, 2.0), "never fell by more than 5%"),
        (np.full(141, np.nan), "not finite at the first step"),
        (np.where(np.arange(141) < 4, 2.0, np.inf), "diverged after 4 of 141 steps"),
    ],
)
def test_a_curve_that_says_nothing_says_why(losses, why):
    with pytest.raises(NoSuggestion, match=why):
        suggest(RATES, losses)
