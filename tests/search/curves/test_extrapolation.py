"""Where curves lead: power laws are followed, doubt is honest, and what is hopeless does no harm."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dialed.search.curves.extrapolation import CUT, foretell, recent_fall, tempered
from dialed.search.model.layout import Array

RUNGS = (1, 3, 9, 27)


def power_laws(rng: np.random.Generator, count: int, noise: float = 0.0) -> Array:
    """Curves `end + height / epoch^c`, shape `(count, 27)`."""
    ends, heights = rng.random(count), rng.random(count) * 2.0
    powers = rng.uniform(0.4, 1.0, count)
    epochs = np.arange(1, 28)
    curves = ends[:, None] + heights[:, None] * epochs ** -powers[:, None]
    return curves + noise * rng.standard_normal(curves.shape)


def on_rungs(curves: Array, reached: Array) -> tuple[Array, Array]:
    """Losses and recent falls on the rungs that each curve came to; `reached` counts them."""
    losses = np.array([[c[r - 1] if k < n else math.nan for k, r in enumerate(RUNGS)] for c, n in zip(curves, reached)])
    falls = np.array([[recent_fall(list(c), r, 3) for r in RUNGS] for c in curves])
    return losses, np.where(np.isfinite(losses), falls, np.nan)


@pytest.mark.parametrize("seed", range(5))
def test_ends_are_foretold_better_than_by_the_loss_so_far(seed: int) -> None:
    rng = np.random.default_rng(seed)
    curves = power_laws(rng, 60)
    reached = np.where(np.arange(60) < 20, 4, 3)
    foretold = foretell(*on_rungs(curves, reached))
    mean, _ = foretold.latest()
    open_ones = reached < 4
    error = np.abs(mean - curves[:, -1])[open_ones].mean()
    assert error < 0.4 * np.abs(curves[:, 8] - curves[:, -1])[open_ones].mean()


@pytest.mark.parametrize("seed", range(5))
def test_nine_in_ten_ends_lie_within_two_deviations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    curves = power_laws(rng, 300, noise=0.02)
    reached = rng.integers(1, 5, 300)
    mean, deviation = foretell(*on_rungs(curves, reached)).latest()
    inside = np.abs(mean - curves[:, -1]) <= 2.0 * deviation
    assert inside[reached < 4].mean() > 0.9
    assert np.all(deviation[reached == 4] == 0.0)
    assert deviation[reached == 1].mean() > deviation[reached == 3].mean() > 0.0


def test_a_curve_that_still_falls_is_not_taken_for_one_that_has_come_to_rest() -> None:
    flat = [1.0] * 9
    falling = [2.0 - epoch / 9.0 for epoch in range(1, 10)]
    losses = np.array([[c[0], c[2], c[8], math.nan] for c in (flat, falling)])
    falls = np.array([[recent_fall(c, r, 3) for r in RUNGS] for c in (flat, falling)])
    mean, deviation = foretell(losses, falls).latest()
    assert losses[0, 2] == losses[1, 2]
    assert mean[1] < mean[0]
    assert deviation[1] > deviation[0]


def test_the_end_of_a_full_training_is_what_was_measured() -> None:
    losses = np.array([[3.0, 2.0, 1.0], [4.0, 3.0, 2.5]])
    assert foretell(losses, np.full((2, 3), math.nan)).mean[:, -1].tolist() == [1.0, 2.5]


def test_one_trial_is_enough() -> None:
    foretold = foretell(np.array([[1.0, math.nan]]), np.full((1, 2), math.nan))
    assert foretold.mean.tolist() == [
        [
            1.0,
        ]
    ] or np.isfinite(foretold.mean[0, 0])
    assert math.isnan(foretold.mean[0, 1])


def test_a_reversal_of_the_order_becomes_doubt() -> None:
    """What is worst on the first rung ends best: that is not foretold, but held possible."""
    starts = np.linspace(0.0, 1.0, 20)
    losses = np.column_stack([starts, 1.0 - starts])
    losses[15:, 1] = math.nan
    mean, deviation = foretell(losses, np.full(losses.shape, math.nan)).latest()
    assert np.ptp(mean[15:]) < 0.1
    assert np.all(deviation[15:] > 0.2)


def test_hopeless_losses_are_cut_and_the_others_kept() -> None:
    losses = np.append(np.linspace(1.0, 2.0, 11), 1e30)
    cut = tempered(losses)
    assert cut[:11].tolist() == losses[:11].tolist()
    assert cut[11] == pytest.approx(np.median(losses) + CUT * (np.median(losses) - np.quantile(losses, 0.1)))


@pytest.mark.parametrize(
    ("curve", "rung", "fall"),
    [
        ([3.0], 1, math.nan),
        ([3.0, 2.0, 1.0], 3, 2.0),  # about, by least squares
        ([math.nan, 3.0, math.nan], 3, math.nan),
        ([5.0, 5.0, 5.0], 3, 0.0),
    ],
)
def test_the_recent_fall(curve: list[float], rung: int, fall: float) -> None:
    found = recent_fall(curve, rung, 3)
    assert found == pytest.approx(fall, abs=0.1, nan_ok=True)


def test_the_recent_fall_looks_at_the_last_part_alone() -> None:
    assert recent_fall([100.0, 50.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 9, 3) == pytest.approx(0.0)
