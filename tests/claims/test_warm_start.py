"""A related earlier study saves trials, and a misleading one costs few."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import wilcoxon

from dialed.search import Bayesian, History, Terms
from dialed.space import Float, Hyperparameter, Space
from dialed.study.warm import Source, warm_events
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import EarlierTrial, Objective, Values

pytestmark = pytest.mark.slow

SPACE = Space(Hyperparameter(f"x{i}", Float(0.0, 1.0)) for i in range(4))
TERMS = Terms(objective=Objective("loss", "min"), max_trials=20)
SEEDS = range(16)
WARM, COLD = 8, 12
"""Trials after which a warm search is compared to a cold one."""


def _task(centre: np.ndarray) -> Callable[[Values], float]:
    def loss(values: Values) -> float:
        x = np.array([float(values[name]) for name in SPACE.names])  # type: ignore[arg-type]
        return float(np.arange(1.0, 5.0) @ (x - centre) ** 2 + 0.3 * np.cos(9.0 * x.sum()))

    return loss


def _curve(history: History) -> np.ndarray:
    return np.minimum.accumulate([trial.score for trial in history.trials])  # type: ignore[arg-type]


def _after(old: Callable[[Values], float], task: Callable[[Values], float], seed: int) -> np.ndarray:
    earlier = simulate(Bayesian(), SPACE, old, max_trials=25, seed=seed + 1000)
    trials = sorted((EarlierTrial(t.values, t.score or 0.0) for t in earlier.trials), key=lambda trial: trial.loss)
    simulation = Simulation(Bayesian(), SPACE, task, terms=TERMS)
    simulation.run(1)
    source = Source(name="old", objective=TERMS.objective, trials=tuple(trials))
    for event in warm_events(simulation.history, SPACE, [source]):
        simulation.apply(event)
    return _curve(simulation.run())


@pytest.fixture(scope="module")
def curves() -> dict[str, np.ndarray]:
    """The best loss after each trial, for each seed."""
    found: dict[str, list[np.ndarray]] = {"cold": [], "related": [], "misleading": []}
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        centre = rng.uniform(0.2, 0.8, 4)
        task, near = _task(centre), _task(np.clip(centre + 0.05 * rng.standard_normal(4), 0.0, 1.0))
        found["cold"].append(_curve(simulate(Bayesian(), SPACE, task, terms=TERMS)))
        found["related"].append(_after(near, task, seed))
        found["misleading"].append(_after(lambda values, task=task: -task(values), task, seed))  # type: ignore[misc]
    return {name: np.array(rows) for name, rows in found.items()}


def test_after_a_related_study_eight_trials_do_more_than_twelve_without(curves: dict[str, np.ndarray]) -> None:
    gains = curves["cold"][:, COLD - 1] - curves["related"][:, WARM - 1]
    assert wilcoxon(gains, alternative="greater").pvalue < 0.01


def test_a_misleading_study_costs_no_more_than_the_trials_it_proposed(curves: dict[str, np.ndarray]) -> None:
    """Three proposals and what is lost on them: after 20 trials a search is where a cold one was after 14, or beyond."""
    assert curves["misleading"][:, -1].mean() < curves["cold"][:, 13].mean()
