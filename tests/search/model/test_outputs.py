"""Losses made fit for a model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm, yeojohnson, yeojohnson_llf

from dialed.search.model.layout import Array
from dialed.search.model.outputs import POWERS, normalised, tamed


def test_no_loss_comes_before_a_better_one() -> None:
    losses = np.random.default_rng(0).standard_cauchy(60)
    warped = normalised(losses)
    assert np.all(np.diff(warped[np.argsort(losses)]) >= 0.0)
    assert (warped.mean(), warped.std()) == pytest.approx((0.0, 1.0))


def test_losses_without_a_tail_are_those_of_the_likeliest_power_transform() -> None:
    """As SciPy has it, of the powers that are tried."""
    losses = np.random.default_rng(1).gamma(8.0, size=40)
    scaled = (losses - np.median(losses)) / losses.std()
    power = max(POWERS, key=lambda power: yeojohnson_llf(power, scaled))
    bent = yeojohnson(scaled, lmbda=power)
    assert normalised(losses) == pytest.approx((bent - bent.mean()) / bent.std())
    assert abs(power - yeojohnson(scaled)[1]) < POWERS[1] - POWERS[0]


def test_hopeless_losses_count_alike() -> None:
    """The median is 3, the best tenth at 1.4, so the cut is at 3 + 3 (3 - 1.4) = 7.8."""
    warped = normalised(np.array([1.0, 2.0, 3.0, 10.0, 99.0]))
    assert warped[3] == warped[4]
    assert warped == pytest.approx(normalised(np.array([1.0, 2.0, 3.0, 7.8, 7.8])))


@pytest.mark.parametrize("worst", [1e3, 1e30, 1e300])
def test_how_far_a_loss_diverged_changes_nothing_else(worst: float) -> None:
    losses = np.array([0.3, 0.2, 0.5, 0.4, 0.9])
    assert normalised(np.append(losses, worst)) == pytest.approx(normalised(np.append(losses, 2.0)))


def test_losses_that_explode_among_equal_ones_are_cut_too() -> None:
    assert normalised(np.array([1.0, 1.0, 1.0, 1.0, 2.0, 1e90])) == pytest.approx(
        normalised(np.array([1.0, 1.0, 1.0, 1.0, 2.0, 4.0]))
    )


def test_losses_over_many_decades_are_taken_by_their_logarithm() -> None:
    losses = 10.0 ** np.arange(-9, 0)
    assert normalised(losses) == pytest.approx(normalised(np.log(losses)))


def test_the_good_half_keeps_its_shape_and_the_bad_half_its_order() -> None:
    losses = np.array([0.1, 0.2, 0.4, 0.9, 7.0, 1e9, 3.0])
    warped = tamed(losses)
    good = np.array([0.1, 0.2, 0.4, 0.9])
    assert np.diff(warped[:4]) / (warped[3] - warped[0]) == pytest.approx(np.diff(good) / 0.8)
    assert np.array_equal(np.argsort(warped), np.argsort(losses))
    assert (warped.mean(), warped.std()) == pytest.approx((0.0, 1.0))


def test_bad_losses_are_normal_quantiles_of_their_ranks() -> None:
    """By hand: median 3, good half 1, 2, 3 with root mean square distance sqrt(5/3); ranks 1/4 and 3/4 of the rest."""
    losses = np.array([1.0, 2.0, 3.0, 10.0, 99.0])
    spread = np.sqrt((4 + 1 + 0) / 3)
    by_hand = np.array([1, 2, 3, 3 + spread * norm.ppf(0.5 + 0.125), 3 + spread * norm.ppf(0.5 + 0.375)])
    assert tamed(losses) == pytest.approx((by_hand - by_hand.mean()) / by_hand.std())


@pytest.mark.parametrize("worst", [1e3, 1e30, 1e300])
def test_how_far_a_loss_diverged_changes_nothing(worst: float) -> None:
    losses = np.array([0.3, 0.2, 0.5, 0.4, 0.9])
    assert tamed(np.append(losses, worst)) == pytest.approx(tamed(np.append(losses, 1.0)))


def test_losses_over_many_decades_are_compared_by_their_logarithm() -> None:
    losses = 10.0 ** np.arange(-9, 0)
    steps = np.diff(np.sort(tamed(losses))[:5])
    assert steps == pytest.approx(np.full(4, steps[0]))


@pytest.mark.parametrize("made_fit", [normalised, tamed])
@pytest.mark.parametrize("losses", [[0.0], [2.0, 2.0, 2.0], [-1e308, 1e308, 0.0], [1.0, 1.0, 5.0], [0.0, 1.0]])
def test_few_and_equal_losses_are_no_trouble(losses: list[float], made_fit: Callable[[Array], Array]) -> None:
    warped = made_fit(np.array(losses))
    assert np.isfinite(warped).all()
    assert np.all(warped == 0.0) == (len(set(losses)) == 1)
