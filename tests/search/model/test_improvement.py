"""Expected improvements of fronts against simulation and against the formula for one objective."""

from __future__ import annotations

import numpy as np
import pytest

from dialed.search.front import hypervolume, non_dominated
from dialed.search.model.acquisition import log_expected_improvement
from dialed.search.model.improvement import Boxes, log_hypervolume_improvement, reference_of


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_it_is_the_mean_gain_in_volume_of_many_draws(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    points = rng.normal(size=(8, objectives))
    front = points[non_dominated(points)]
    reference = reference_of(front, front)
    mean, deviation = rng.normal(size=objectives) - 1.0, rng.uniform(0.2, 0.8, objectives)
    found = np.exp(log_hypervolume_improvement(mean[:, None], deviation[:, None], Boxes(front, reference)))[0]
    before = hypervolume(front, reference)
    draws = mean + deviation * rng.normal(size=({2: 1500, 3: 400, 4: 100}[objectives], objectives))
    gains = [hypervolume(np.vstack([front, draw]), reference) - before for draw in draws]
    assert found == pytest.approx(np.mean(gains), abs=4.0 * np.std(gains) / np.sqrt(len(gains)))


def test_a_sure_trial_gains_what_the_volume_grows_by() -> None:
    front, reference = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([2.0, 2.0])
    means = np.array([[0.5, 1.5, -1.0], [0.5, 1.5, 3.0]])
    gains = np.exp(log_hypervolume_improvement(means, np.full((2, 3), 1e-6), Boxes(front, reference)))
    assert gains == pytest.approx([0.25, 0.0, 0.0], abs=1e-5)


def test_one_objective_gains_what_it_always_did() -> None:
    means, deviations = np.linspace(-1.0, 40.0, 7)[None, :], np.full((1, 7), 0.5)
    boxes = Boxes(np.array([[0.3]]), np.array([5.0]))
    assert log_hypervolume_improvement(means, deviations, boxes) == pytest.approx(
        log_expected_improvement(means[0], deviations[0], 0.3)
    )


def test_hopeless_trials_are_still_told_apart() -> None:
    boxes = Boxes(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([2.0, 2.0]))
    worth = log_hypervolume_improvement(np.array([[50.0, 60.0], [50.0, 60.0]]), np.full((2, 2), 0.5), boxes)
    assert np.isfinite(worth).all() and worth[0] > worth[1]


def test_a_crowded_front_of_many_objectives_makes_few_boxes() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 4))
    points /= -np.linalg.norm(points, axis=1, keepdims=True)
    assert len(Boxes(points, np.full(4, 2.0)).low) < 3000


def test_the_reference_lies_a_tenth_beyond_the_front_and_counts_every_trial() -> None:
    front = np.array([[0.0, 3.0], [2.0, 1.0]])
    assert reference_of(front, np.array([[0.0, 9.0], [1.0, 1.0]])) == pytest.approx([2.2, 9.0])
