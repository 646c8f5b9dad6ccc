"""KerasTuner's interface over Dialed: `import dialed.keras_tuner as kt` in the place of `import keras_tuner as kt`.

`install()` makes `import keras_tuner` itself, and the old `import kerastuner`, mean this package, for code that cannot be
edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialed.keras_tuner._homes import loader as _loader

if TYPE_CHECKING:
    from dialed.keras_tuner import applications, engine, errors, oracles, tuners
    from dialed.keras_tuner.engine.hypermodel import HyperModel
    from dialed.keras_tuner.engine.hyperparameters import HyperParameter, HyperParameters
    from dialed.keras_tuner.engine.objective import Objective
    from dialed.keras_tuner.engine.oracle import Oracle, synchronized
    from dialed.keras_tuner.engine.tuner import Tuner
    from dialed.keras_tuner.installing import install
    from dialed.keras_tuner.tuners.bayesian import BayesianOptimization
    from dialed.keras_tuner.tuners.gridsearch import GridSearch
    from dialed.keras_tuner.tuners.hyperband import Hyperband
    from dialed.keras_tuner.tuners.randomsearch import RandomSearch
    from dialed.keras_tuner.tuners.sklearn_tuner import SklearnTuner

__version__ = "1.4.8"
"""The version of KerasTuner whose interface this is."""

__all__ = [
    "BayesianOptimization",
    "GridSearch",
    "HyperModel",
    "HyperParameter",
    "HyperParameters",
    "Hyperband",
    "Objective",
    "Oracle",
    "RandomSearch",
    "SklearnTuner",
    "Tuner",
    "applications",
    "engine",
    "errors",
    "install",
    "oracles",
    "synchronized",
    "tuners",
]

__getattr__ = _loader(
    __name__,
    {
        "BayesianOptimization": "tuners.bayesian",
        "GridSearch": "tuners.gridsearch",
        "HyperModel": "engine.hypermodel",
        "HyperParameter": "engine.hyperparameters",
        "HyperParameters": "engine.hyperparameters",
        "Hyperband": "tuners.hyperband",
        "Objective": "engine.objective",
        "Oracle": "engine.oracle",
        "RandomSearch": "tuners.randomsearch",
        "SklearnTuner": "tuners.sklearn_tuner",
        "Tuner": "engine.tuner",
        "applications": "applications",
        "engine": "engine",
        "errors": "errors",
        "install": "installing",
        "oracles": "oracles",
        "synchronized": "engine.oracle",
        "tuners": "tuners",
    },
)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
