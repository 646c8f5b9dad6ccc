"""`install()`: scripts that import KerasTuner get the drop-in."""

from __future__ import annotations

import subprocess
import sys

import pytest

PATHS = [
    "from keras_tuner import HyperModel, HyperParameter, HyperParameters, Objective, Oracle, Tuner, synchronized",
    "from keras_tuner import BayesianOptimization, GridSearch, Hyperband, RandomSearch, SklearnTuner",
    "from keras_tuner.tuners import BayesianOptimization, GridSearch, Hyperband, RandomSearch, SklearnTuner, Tuner",
    "from keras_tuner.oracles import BayesianOptimization, GridSearch, Hyperband, RandomSearch",
    "from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle, HyperbandOracle, RandomSearchOracle",
    "from keras_tuner.engine.hyperparameters import Boolean, Choice, Fixed, Float, Int, HyperParameter, HyperParameters",
    "from keras_tuner.engine import base_tuner, hypermodel, hyperparameters, metrics_tracking, oracle, trial, tuner",
    "from keras_tuner.engine.base_tuner import BaseTuner",
    "from keras_tuner.engine.hypermodel import HyperModel",
    "from keras_tuner.engine.metrics_tracking import infer_metric_direction",
    "from keras_tuner.engine.oracle import Objective, Oracle",
    "from keras_tuner.engine.trial import Trial, TrialStatus",
    "from keras_tuner.engine.tuner import Tuner, maybe_distribute",
    "from keras_tuner.errors import FailedTrialError, FatalError, FatalRuntimeError, FatalTypeError, FatalValueError",
    "from keras_tuner.applications import HyperEfficientNet, HyperImageAugment, HyperResNet, HyperXception",
    "from keras_tuner.src.engine.hyperparameters import HyperParameters",
    "import kerastuner as kt; kt.RandomSearch; kt.engine.trial.Trial; kt.__version__",
    "from kerastuner.tuners import Hyperband",
    "import keras_tuner, dialed.keras_tuner; assert keras_tuner is dialed.keras_tuner",
    "import keras_tuner.engine.trial as a, dialed.keras_tuner.engine.trial as b; assert a is b",
    "import dialed.keras_tuner, keras_tuner; assert keras_tuner.__spec__.name == 'dialed.keras_tuner'",
]


@pytest.mark.slow
def test_every_path_that_users_write_leads_here() -> None:
    """In one new process, in which KerasTuner's names mean the drop-in; its modules are not made twice."""
    code = "\n".join(
        ["import dialed.keras_tuner", "dialed.keras_tuner.install()", "dialed.keras_tuner.install()", *PATHS]
    )
    check = "\nimport keras_tuner\nassert keras_tuner.Hyperband.__module__.startswith('dialed.')"
    missing = "\ntry:\n    import keras_tuner.nothing\nexcept ModuleNotFoundError:\n    print('fine')"
    done = subprocess.run([sys.executable, "-c", code + check + missing], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def test_it_must_come_first() -> None:
    """What was imported before stays what it is, so that is refused."""
    import types

    import dialed.keras_tuner
    from dialed.errors import InvalidInputError

    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(sys.modules, "keras_tuner", types.ModuleType("keras_tuner"))
        with pytest.raises(InvalidInputError, match=r"`install\(\)` must be called before `keras_tuner`"):
            dialed.keras_tuner.install()


def test_unknown_names_are_attribute_errors() -> None:
    """A misspelt name is told at once."""
    import dialed.keras_tuner

    with pytest.raises(AttributeError, match=r"module 'dialed.keras_tuner' has no attribute 'Randomsearch'"):
        dialed.keras_tuner.Randomsearch  # noqa: B018
