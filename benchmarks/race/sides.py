"""Who takes part: each search as its own documentation has it, with the settings that it has by default.

Each gets the task, the arrays, a seed, its seconds and a journal, and searches until it ends by itself or is stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from speed.arrays import Arrays

from race.journal import Journal
from race.spaces import Ask, by_ray, from_hp, from_optuna, from_values
from race.tasks import Task

__all__ = ["SIDES", "Side"]

Side = Callable[[Task, Arrays, int, float, Journal], None]

MANY = 10_000
"""Trials: more than anybody gets to."""


def keras_tuner(name: str, **options: Any) -> Side:
    """A tuner of KerasTuner. The batch size is tuned as its guide says, by a `fit` of the hypermodel."""

    def search(task: Task, arrays: Arrays, seed: int, seconds: float, journal: Journal) -> None:
        import keras_tuner as kt

        class Model(kt.HyperModel):  # type: ignore[misc, name-defined, unused-ignore]
            def build(self, hp: Any) -> Any:
                return task.build(from_hp(hp, task.space))

            def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
                return model.fit(*args, batch_size=from_hp(hp, task.space)("batch_size"), **kwargs)

        epochs = {"max_epochs": task.epochs} if name == "Hyperband" else {"max_trials": MANY}
        direction = "max" if task.higher else "min"
        objective = kt.Objective(task.metric, direction)  # type: ignore[attr-defined, unused-ignore]
        tuner = getattr(kt, name)(Model(), objective=objective, seed=seed, directory="kt", **epochs, **options)
        callbacks = [journal.callback(task.metric)]
        tuner.search(
            arrays.x,
            arrays.y,
            epochs=task.epochs,
            validation_data=(arrays.x_val, arrays.y_val),
            callbacks=callbacks,
            verbose=0,
        )

    return search


def optuna(sampler: str, pruner: str = "") -> Side:
    """A sampler of Optuna around `model.fit`, with a pruner that is asked after each epoch, where one is named."""

    def search(task: Task, arrays: Arrays, seed: int, seconds: float, journal: Journal) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        reduction = {"min_resource": 1, "max_resource": task.epochs} if pruner == "HyperbandPruner" else {}
        study = optuna.create_study(
            direction="maximize" if task.higher else "minimize",
            sampler=getattr(optuna.samplers, sampler)(seed=seed),
            pruner=getattr(optuna.pruners, pruner or "NopPruner")(**reduction),
        )

        def objective(trial: Any) -> float:
            fitted = _fit(task, arrays, from_optuna(trial, task.space), seed, [journal.callback(task.metric), Prune()])
            if trial.should_prune():
                raise optuna.TrialPruned
            return fitted

        import keras

        class Prune(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                trial = running[-1]
                trial.report(float((logs or {})[task.metric]), epoch)
                self.model.stop_training = trial.should_prune()

        running: list[Any] = []

        def noted(trial: Any) -> float:
            running.append(trial)
            return objective(trial)

        study.optimize(noted, n_trials=MANY, timeout=seconds, catch=(Exception,))

    return search


def _fit(task: Task, arrays: Arrays, ask: Ask, seed: int, callbacks: list[Any]) -> float:
    """Build and train one model, as users do; the best value of its epochs."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    history = task.build(ask).fit(
        arrays.x,
        arrays.y,
        epochs=task.epochs,
        batch_size=ask("batch_size"),
        validation_data=(arrays.x_val, arrays.y_val),
        callbacks=callbacks,
        verbose=0,
    )
    values = history.history[task.metric]
    return float(np.nanmax(values) if task.higher else np.nanmin(values))


def ray_asha(task: Task, arrays: Arrays, seed: int, seconds: float, journal: Journal) -> None:
    """Ray Tune's ASHA over random draws, a trial for each core."""
    import ray
    from ray import tune

    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False, configure_logging=False)

    def train(config: Mapping[str, Any], arrays: Arrays) -> None:
        import keras

        class Tell(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                tune.report({"value": float((logs or {})[task.metric])})

        _fit(task, arrays, from_values(config), seed, [Tell()])

    class Note(tune.Callback):
        def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any) -> None:
            journal.note(result["value"])

    mode = "max" if task.higher else "min"
    scheduler = tune.schedulers.ASHAScheduler(max_t=task.epochs, grace_period=1, reduction_factor=3)
    tune.Tuner(
        tune.with_resources(tune.with_parameters(train, arrays=arrays), {"cpu": 1}),
        param_space=by_ray(task.space),
        tune_config=tune.TuneConfig(
            metric="value",
            mode=mode,
            scheduler=scheduler,
            num_samples=-1,
            time_budget_s=seconds,
            search_alg=tune.search.BasicVariantGenerator(random_state=seed),
        ),
        run_config=tune.RunConfig(storage_path=os.path.abspath("ray"), callbacks=[Note()], verbose=0),
    ).fit()


def dialed(task: Task, arrays: Arrays, seed: int, seconds: float, journal: Journal) -> None:
    """`dialed.Tuner`, but for the confirmation, which the others do not have."""
    from dialed import Choice, Tuner
    from dialed.trial import Objective, Report

    class Note:
        def on_event(self, event: Any) -> None:
            if isinstance(event, Report) and task.metric in event.metrics:
                journal.note(event.metrics[task.metric])

    direction = "max" if task.higher else "min"
    tuner = Tuner(
        lambda hp: task.build(from_hp(hp, task.space)),
        Objective(task.metric, direction),  # type: ignore[arg-type, unused-ignore]
        max_time=seconds,
        confirm=False,
        seed=seed,
        name="race",
        observers=[Note()],
        verbose=0,
    )
    sizes = list(task.space["batch_size"].values)  # type: ignore[union-attr, unused-ignore]
    tuner.search(
        arrays.x,
        arrays.y,
        epochs=task.epochs,
        batch_size=Choice(sizes),
        validation_data=(arrays.x_val, arrays.y_val),
    )


SIDES: dict[str, tuple[str, str, Side]] = {
    "KerasTuner Hyperband": ("keras_tuner", "jax", keras_tuner("Hyperband")),
    "KerasTuner Hyperband, TensorFlow": ("tensorflow", "tensorflow", keras_tuner("Hyperband")),
    "KerasTuner RandomSearch": ("keras_tuner", "jax", keras_tuner("RandomSearch")),
    "KerasTuner BayesianOptimization": ("keras_tuner", "jax", keras_tuner("BayesianOptimization")),
    "Optuna TPE": ("optuna", "jax", optuna("TPESampler")),
    "Optuna GP": ("torch", "jax", optuna("GPSampler")),
    "Optuna TPE, Hyperband pruner": ("optuna", "jax", optuna("TPESampler", "HyperbandPruner")),
    "Ray Tune ASHA": ("ray", "jax", ray_asha),
    "Dialed": ("dialed", "jax", dialed),
}
"""By name: the module that it cannot do without, the backend of Keras, and the search."""
