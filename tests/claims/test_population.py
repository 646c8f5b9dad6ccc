"""A population beats random search at the same cost where the best learning rate falls while a model is trained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from dialed.search import PopulationBased, Random, Strategy, Terms
from dialed.space import Float, Hyperparameter, Space
from dialed.testing.simulate import simulate
from dialed.trial import Objective, State, Values

SPACE = Space(
    [
        Hyperparameter("rate", Float(1e-4, 1.0, sampling="log", default=1e-2)),
        Hyperparameter("momentum", Float(0.1, 0.9, default=0.5)),
    ]
)
EPOCHS, TRIALS, STEPS = 20, 20, 10
CURVATURES = np.array([1.0, 0.05])


class NoisyDescent:
    """Gradient descent with noise down a long valley: large steps get along it, small ones come to rest at its floor."""

    def begin(self, values: Values, seed: int) -> Any:
        return np.ones(2), 0, seed

    def epoch(self, state: Any, values: Values) -> tuple[Any, float]:
        weights, epoch, seed = state
        noise = 0.3 * np.random.default_rng([seed, epoch]).standard_normal((STEPS, 2))
        rate = float(values["rate"]) / (1 - float(values["momentum"]))  # type: ignore[arg-type]
        for step in noise:
            weights = weights - rate * (CURVATURES * weights + step)
        if np.abs(weights).max() > 1e6:
            return state, math.nan
        return (weights, epoch + 1, seed), float(0.5 * CURVATURES @ weights**2) + 1e-3


def reached(strategy: Strategy, seed: int) -> float:
    """The logarithm of the best loss at the end of a training."""
    objective = Objective(name="loss", direction="min")
    terms = Terms(objective=objective, epochs=EPOCHS, max_trials=TRIALS, seeds=(seed,), seed=seed)
    history = simulate(strategy, SPACE, NoisyDescent(), terms=terms)
    assert history.epochs <= TRIALS * EPOCHS
    ended = [trial for trial in history.trials if trial.state is State.COMPLETED]
    return math.log10(min(trial.members[0].curve[-1] for trial in ended))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "seeds"), [(PopulationBased(), 20), (PopulationBased(explore="bandit"), 16)], ids=["perturb", "bandit"]
)
def test_a_population_beats_random_search_at_the_same_cost(strategy: PopulationBased, seeds: int) -> None:
    from scipy.stats import wilcoxon

    gains = [reached(Random(), seed) - reached(strategy, seed) for seed in range(100, 100 + seeds)]
    assert np.mean(gains) > 0.15
    assert wilcoxon(gains, alternative="greater").pvalue < 0.01
