"""What chooses the values of trials, without the training: for `Tuner(oracle, ...)` and for subclasses."""

from __future__ import annotations

from dialed.keras_tuner.tuners.bayesian import BayesianOptimizationOracle
from dialed.keras_tuner.tuners.gridsearch import GridSearchOracle
from dialed.keras_tuner.tuners.hyperband import HyperbandOracle
from dialed.keras_tuner.tuners.randomsearch import RandomSearchOracle

BayesianOptimization = BayesianOptimizationOracle
GridSearch = GridSearchOracle
Hyperband = HyperbandOracle
RandomSearch = RandomSearchOracle

__all__ = [
    "BayesianOptimization",
    "BayesianOptimizationOracle",
    "GridSearch",
    "GridSearchOracle",
    "Hyperband",
    "HyperbandOracle",
    "RandomSearch",
    "RandomSearchOracle",
]
