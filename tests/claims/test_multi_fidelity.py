"""What is claimed of searches over learning curves, on made ones: better than chance and the textbook, epoch for epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import wilcoxon

from dialed.search import ASHA, Auto, History, Hyperband, Random, Strategy, Terms
from dialed.space import Float, Hyperparameter, Space
from dialed.testing.simulate import Simulation
from dialed.trial import Objective, Trial, Values

pytestmark = pytest.mark.slow

EPOCHS = 27
FULL = 10
SEEDS = range(12)
SPACE = Space(
    [
        Hyperparameter("rate", Float(1e-4, 1.0, sampling="log")),
        *(Hyperparameter(name, Float(0.0, 1.0)) for name in ("width", "dropout", "decay", "nothing")),
    ]
)


def curve(values: Values, best: Values) -> list[float]:
    """Ends where a bowl says; the smaller the width, the slower it gets there; the largest rates diverge."""
    units = SPACE.encode(values) - SPACE.encode(best)
    end = 0.1 + float(np.sum(np.array([3.0, 2.0, 2.0, 1.0, 0.0]) * units**2))
    speed = 0.5 + 0.3 * float(values["width"] or 0.0)
    if float(values["rate"] or 0.0) > 0.5:
        return [2.0, float("nan")]
    return [end + 0.6 * (epoch + 1.0) ** -speed for epoch in range(1, EPOCHS + 1)]


class Budgeted(Simulation):
    """A study that ends with its epochs."""

    def _waiting(self) -> list[Trial]:
        return super()._waiting() if self.history.epochs < (self.history.terms.max_epochs or 0) else []


def search(make: Callable[[], Strategy], seed: int) -> tuple[History, float]:
    """The history of a search for `FULL` full trainings' worth of epochs, and its best loss."""
    rng = np.random.default_rng(seed)
    best = SPACE.decode(rng.uniform(0.3, 0.7, len(SPACE)))
    terms = Terms(objective=Objective(name="loss", direction="min"), epochs=EPOCHS, seed=seed, max_epochs=FULL * EPOCHS)
    history = Budgeted(make(), SPACE, lambda values: curve(values, best), terms=terms).run()
    assert history.best_trial is not None and history.best_trial.score is not None
    return history, history.best_trial.score


@pytest.fixture(scope="module")
def auto() -> list[tuple[History, float]]:
    return [search(lambda: Auto(default_first=False), seed) for seed in SEEDS]


CHANCE = Random(default_first=False)


@pytest.mark.parametrize("make", [lambda: CHANCE, lambda: Hyperband(sampler=CHANCE)], ids=["chance", "hyperband"])
def test_auto_ends_lower_with_the_same_epochs(auto: list[tuple[History, float]], make: Callable[[], Strategy]) -> None:
    """With p < 0.01 by Wilcoxon's signed ranks."""
    ours, theirs = [loss for _, loss in auto], [search(make, seed)[1] for seed in SEEDS]
    assert wilcoxon(ours, theirs, alternative="less").pvalue < 0.01


@pytest.mark.parametrize("strategy", [ASHA, Hyperband])
def test_rungs_beat_chance_with_the_same_epochs(strategy: Callable[..., Strategy]) -> None:
    chance = [search(lambda: CHANCE, seed)[1] for seed in SEEDS]
    rungs = [search(lambda: strategy(sampler=CHANCE), seed)[1] for seed in SEEDS]
    assert wilcoxon(rungs, chance, alternative="less").pvalue < 0.01


def test_auto_trains_the_best_fully(auto: list[tuple[History, float]]) -> None:
    assert all(history.best_trial is not None and history.best_trial.epochs == EPOCHS for history, _ in auto)
