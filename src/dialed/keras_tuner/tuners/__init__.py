"""The tuners: random search, grid search, Bayesian search, Hyperband, and one for scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialed.keras_tuner._homes import loader as _loader

if TYPE_CHECKING:
    from dialed.keras_tuner.engine.tuner import Tuner
    from dialed.keras_tuner.tuners.bayesian import BayesianOptimization
    from dialed.keras_tuner.tuners.gridsearch import GridSearch
    from dialed.keras_tuner.tuners.hyperband import Hyperband
    from dialed.keras_tuner.tuners.randomsearch import RandomSearch
    from dialed.keras_tuner.tuners.sklearn_tuner import SklearnTuner

__all__ = ["BayesianOptimization", "GridSearch", "Hyperband", "RandomSearch", "SklearnTuner", "Tuner"]

__getattr__ = _loader(
    __name__,
    {
        "BayesianOptimization": "tuners.bayesian",
        "GridSearch": "tuners.gridsearch",
        "Hyperband": "tuners.hyperband",
        "RandomSearch": "tuners.randomsearch",
        "SklearnTuner": "tuners.sklearn_tuner",
        "Tuner": "engine.tuner",
    },
)
