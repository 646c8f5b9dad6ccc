"""Other projects' searches on the spaces of Dialed: those that can be imported.

Each gets the space as it would be written for it, conditions included where it has any; failures are told as it knows
them; settings are its defaults. Nobody is told of a default configuration.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from search_runs import Measured, Search
from search_tables import Task

from dialed.space import Choice, Domain, Float, Hyperparameter, Int, Space
from dialed.trial import Value, Values

__all__ = ["peers"]


def peers() -> dict[str, Search]:
    """The searches, by name, of the projects that can be imported here."""
    makers: dict[str, tuple[str, Search]] = {
        "Optuna TPE": ("optuna", _optuna("TPESampler")),
        "Optuna GP": ("optuna", _optuna("GPSampler")),
        "SMAC": ("smac", _smac),
        "KerasTuner Bayesian": ("keras_tuner", _keras_tuner),
    }
    return {name: search for name, (module, search) in makers.items() if _imports(module)}


def _imports(module: str) -> bool:
    with contextlib.suppress(ImportError):
        return bool(importlib.import_module(module))
    return False


def _optuna(sampler: str) -> Search:
    """A sampler of Optuna, asked for `free` trials at a time."""

    def search(task: Task, measured: Measured, trials: int, seed: int, free: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed))
        while len(measured.tried) < trials:
            asked = [study.ask() for _ in range(min(free, trials - len(measured.tried)))]
            for trial, values in [(trial, _suggested(trial, task.space)) for trial in asked]:
                loss = measured(values)
                failed = optuna.trial.TrialState.FAIL
                study.tell(trial, loss) if np.isfinite(loss) else study.tell(trial, state=failed)

    return search


def _suggested(trial: Any, space: Space) -> Values:
    values: dict[str, Value] = {}
    for hyperparameter in space:
        if all(condition.holds(values) for condition in hyperparameter.conditions):
            values[hyperparameter.name] = _suggest(trial, hyperparameter.name, hyperparameter.domain)
    return values


def _suggest(trial: Any, name: str, domain: Domain) -> Value:
    ask: dict[type, Callable[[], Value]] = {
        Int: lambda: trial.suggest_int(name, domain.min_value, domain.max_value, log=domain.sampling == "log"),
        Float: lambda: trial.suggest_float(name, domain.min_value, domain.max_value, log=domain.sampling == "log"),
        Choice: lambda: trial.suggest_categorical(name, list(domain.choices)),
    }
    return ask[type(domain)]()


def _smac(task: Task, measured: Measured, trials: int, seed: int, free: int) -> None:
    """SMAC's facade for hyperparameters, one trial at a time."""
    from smac import HyperparameterOptimizationFacade, Scenario

    if free != 1:
        raise ValueError("SMAC is measured with one trial at a time only.")
    translated, originals = _configuration_space(task.space, seed)

    def target(config: Any, seed: int) -> float:
        """A failure counts as the worst so far: SMAC's own cost of a crash, infinity, ends in an error of its forest."""
        loss = measured({name: originals[name](value) for name, value in dict(config).items()})
        known = [other for other in measured.losses if np.isfinite(other)]
        return loss if np.isfinite(loss) else max(known, default=task.median)

    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(
            translated,
            deterministic=True,
            n_trials=trials,
            seed=seed,
            output_directory=Path(folder),
            use_default_config=False,
        )
        HyperparameterOptimizationFacade(scenario, target, overwrite=True, logging_level=False).optimize()


def _configuration_space(space: Space, seed: int) -> tuple[Any, dict[str, Callable[[Any], Value]]]:
    """The space as SMAC has it, and for each name the way back to a value of ours. Choices go by their index."""
    from ConfigSpace import AndConjunction, ConfigurationSpace, InCondition

    translated = ConfigurationSpace(seed=seed)
    originals: dict[str, Callable[[Any], Value]] = {}
    for hyperparameter in space:
        theirs, originals[hyperparameter.name] = _configured(hyperparameter)
        translated.add(theirs)
        needed = [
            InCondition(theirs, translated[c.parent], [_named(space, c.parent, value) for value in c.values])
            for c in hyperparameter.conditions
        ]
        if needed:
            translated.add(needed[0] if len(needed) == 1 else AndConjunction(*needed))
    return translated, originals


def _configured(hyperparameter: Hyperparameter) -> tuple[Any, Callable[[Any], Value]]:
    from ConfigSpace import CategoricalHyperparameter, OrdinalHyperparameter
    from ConfigSpace.hyperparameters import UniformFloatHyperparameter, UniformIntegerHyperparameter

    domain = hyperparameter.domain
    if isinstance(domain, Choice):
        kind = OrdinalHyperparameter if domain.ordered else CategoricalHyperparameter
        names = [str(index) for index in range(len(domain.choices))]
        return kind(hyperparameter.name, names), lambda name: domain.choices[int(name)]
    kind = UniformIntegerHyperparameter if isinstance(domain, Int) else UniformFloatHyperparameter
    theirs = kind(hyperparameter.name, domain.min_value, domain.max_value, log=domain.sampling == "log")
    return theirs, int if isinstance(domain, Int) else float


def _named(space: Space, parent: str, value: Value) -> Any:
    domain = space[parent].domain
    return str(domain.choices.index(value)) if isinstance(domain, Choice) else value


def _keras_tuner(task: Task, measured: Measured, trials: int, seed: int, free: int) -> None:
    """The oracle of KerasTuner's `BayesianOptimization`, asked for `free` trials at a time."""
    import keras_tuner

    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective("loss", "min"),
        max_trials=trials,
        seed=seed,
        hyperparameters=_hyperparameters(task.space),
        max_consecutive_failed_trials=trials,
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        oracle._set_project_dir(folder, "search")
        while len(measured.tried) < trials:
            left = min(free, trials - len(measured.tried))
            asked = [oracle.create_trial(f"tuner{place}") for place in range(left)]
            for trial in asked:
                _told(oracle, trial, measured(_inside(task.space, trial.hyperparameters.values)))


def _inside(space: Space, values: Mapping[str, Any]) -> Values:
    """Values that belong to `space`: a logarithmic range of integers of KerasTuner's may end one beyond it."""
    active: dict[str, Value] = {}
    for hyperparameter in space:
        if all(condition.holds(active) for condition in hyperparameter.conditions):
            value, domain = values[hyperparameter.name], hyperparameter.domain
            active[hyperparameter.name] = min(value, domain.max_value) if isinstance(domain, Int) else value
    return active


def _told(oracle: Any, trial: Any, loss: float) -> None:
    if np.isfinite(loss):
        oracle.update_trial(trial.trial_id, {"loss": loss})
        trial.status = "COMPLETED"
    else:
        trial.status = "INVALID"
    oracle.end_trial(trial)


def _hyperparameters(space: Space) -> Any:
    import keras_tuner

    known = keras_tuner.HyperParameters()
    for hyperparameter in space:
        with contextlib.ExitStack() as scopes:
            for parent, values in dict(_scopes(space, hyperparameter)).items():
                scopes.enter_context(known.conditional_scope(parent, list(values)))
            _declare(known, hyperparameter)
    return known


def _scopes(space: Space, hyperparameter: Hyperparameter) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """What must hold, the outermost first: KerasTuner knows no conditions but nested ones."""
    for condition in hyperparameter.conditions:
        yield from _scopes(space, space[condition.parent])
        yield condition.parent, condition.values


def _declare(known: Any, hyperparameter: Hyperparameter) -> None:
    domain, name = hyperparameter.domain, hyperparameter.name
    if isinstance(domain, Choice):
        known.Choice(name, list(domain.choices), ordered=domain.ordered)
    elif isinstance(domain, Int):
        known.Int(name, domain.min_value, domain.max_value, sampling=domain.sampling)
    else:
        known.Float(name, domain.min_value, domain.max_value, sampling=domain.sampling)
