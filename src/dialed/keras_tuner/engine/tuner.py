"""`Tuner`: tunes Keras models."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dialed.keras_tuner.engine import results
from dialed.keras_tuner.engine.base_tuner import BaseTuner
from dialed.keras_tuner.engine.files import load_json, save_json
from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.oracle import Oracle
from dialed.keras_tuner.engine.trial import Trial
from dialed.keras_tuner.errors import FailedTrialError, FatalTypeError

__all__ = ["Tuner", "maybe_compute_model_size", "maybe_distribute"]


class Tuner(BaseTuner):
    """Tunes a Keras model with the oracle given. Subclass it to write another `run_trial`, or hooks.

    Trials that Dialed's engines can train are trained by them, many in one compiled program. Where a subclass trains or
    watches each batch itself, each trial is trained as it says.

    Args:
        oracle: Chooses the values.
        hypermodel: A `HyperModel` or a build function. Defaults to None, for a `run_trial` that needs none.
        max_model_size: Models with more trainable parameters are failed trials. Defaults to no limit.
        optimizer: Goes before the model's own. Defaults to None.
        loss: Goes before the model's own. Defaults to None.
        metrics: Go before the model's own. Defaults to None.
        distribution_strategy: A `tf.distribute.Strategy` to build and train under. Defaults to None.
        directory: The folder of projects. Defaults to the current one.
        project_name: The project's folder in it. Defaults to "untitled_project".
        logger: Is ignored.
        tuner_id: The name of this worker. Defaults to "tuner0".
        overwrite: Whether a project of that name is deleted, instead of gone on with. Defaults to False.
        executions_per_trial: How often each trial is trained from the start; scores are averages. Defaults to 1.
        confirm: Whether the search ends by training the best trials under fresh seeds. Defaults to False.
        engine: "auto" and "fused" use Dialed's engines where they can, "fit" trains trial after trial with
            `model.fit`. Defaults to "auto".

    Raises:
        ValueError: There is nothing to tune.
    """

    def __init__(
        self,
        oracle: Oracle,
        hypermodel: Any = None,
        max_model_size: int | None = None,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        distribution_strategy: Any = None,
        directory: Any = None,
        project_name: str | None = None,
        logger: Any = None,
        tuner_id: str | None = None,
        overwrite: bool = False,
        executions_per_trial: int = 1,
        *,
        confirm: bool = False,
        engine: str = "auto",
        **kwargs: Any,
    ) -> None:
        if hypermodel is None and type(self).run_trial is Tuner.run_trial:
            raise ValueError(
                "`hypermodel` must be a build function or a `HyperModel`. Received `hypermodel=None`, which only a "
                "subclass with a `run_trial` of its own may do without."
            )
        if engine not in ("auto", "fit", "fused"):
            raise ValueError(f"`engine` must be 'auto', 'fused' or 'fit'. Got {engine!r}.")
        self.max_model_size = max_model_size
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
        self.distribution_strategy = distribution_strategy
        self.executions_per_trial = executions_per_trial
        self.confirm = confirm
        self.engine = engine
        self._lanes: Any = None
        super().__init__(
            oracle=oracle,
            hypermodel=hypermodel,
            directory=directory,
            project_name=project_name,
            logger=logger,
            overwrite=overwrite,
            **kwargs,
        )
        self.tuner_id = tuner_id or self.tuner_id

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Search. Takes what `model.fit` takes."""
        from dialed.keras_tuner.engine import lanes

        if self.role == "worker" or lanes.reason_against(self, fit_args, fit_kwargs):
            super().search(*fit_args, **fit_kwargs)
        else:
            lanes.search(self, *fit_args, **fit_kwargs)

    def _build_hypermodel(self, hp: HyperParameters) -> Any:
        with maybe_distribute(self.distribution_strategy):
            model = self.hypermodel.build(hp)
            self._override_compile_args(model)
            return model

    def _try_build(self, hp: HyperParameters) -> Any:
        """A fresh model, which a trial can be trained with.

        Raises:
            FatalTypeError: It is no model.
            FailedTrialError: It is too large.
        """
        import keras

        keras.backend.clear_session()
        gc.collect()
        return self._checked(self._build_hypermodel(hp))

    def _checked(self, model: Any) -> Any:
        import keras

        if not isinstance(model, keras.models.Model):
            raise FatalTypeError(
                "Expected the model-building function, or `HyperModel.build`, to return a Keras model. Got "
                f"{model!r:.80} ({type(model).__name__}). Check that it ends with `return model`."
            )
        size = maybe_compute_model_size(model)
        if self.max_model_size and size > self.max_model_size:
            raise FailedTrialError(
                f"Oversized model: {size} parameters, and `max_model_size` is {self.max_model_size}."
            )
        return model

    def _override_compile_args(self, model: Any) -> None:
        if not (self.optimizer or self.loss or self.metrics):
            return
        import keras

        optimizer = self.optimizer or model.optimizer
        if self.optimizer and not isinstance(self.optimizer, str):  # one optimizer serves one model
            optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(self.optimizer))
        own = getattr(getattr(model, "_compile_metrics", None), "_user_metrics", None)
        model.compile(optimizer=optimizer, loss=self.loss or model.loss, metrics=self.metrics or own)

    def _build_and_fit_model(self, trial: Trial, *args: Any, **kwargs: Any) -> Any:
        """Build and train once; AutoKeras writes its own."""
        hp = trial.hyperparameters
        model = self._try_build(hp)
        outcome = self.hypermodel.fit(hp, model, *args, **kwargs)
        save_json(self._get_build_config_fname(trial.trial_id), model.get_build_config())
        results.check_results(outcome, self.oracle.objective, "HyperModel.fit()")
        return outcome

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> Any:
        """Build and train the model of `trial`, as often as `executions_per_trial` says.

        A subclass may return a number, a dict of metrics, a `History`, or a list of these, which is averaged.
        """
        from dialed.engine.seeding import seeded
        from dialed.keras_tuner.engine.callbacks import SaveBestEpoch, TunerCallback, copied

        checkpoint = SaveBestEpoch(self.oracle.objective, self._get_checkpoint_fname(trial.trial_id))
        given = kwargs.pop("callbacks", None) or []
        histories = []
        for execution in range(self.executions_per_trial):
            callbacks = copied(given)
            self._configure_tensorboard_dir(callbacks, trial, execution)
            with seeded(self._seed_of(execution)):
                every = [*callbacks, TunerCallback(self, trial), checkpoint]
                histories.append(self._build_and_fit_model(trial, *args, **{**kwargs, "callbacks": every}))
        return histories

    def _seed_of(self, execution: int) -> int:
        """The seed of an execution, the same for all trials, so that they are compared in pairs."""
        return int(np.random.SeedSequence([abs(self.oracle.seed), execution]).generate_state(1)[0])

    def load_model(self, trial: Trial) -> Any:
        """The model of a trial with the weights of its best epoch."""
        from dialed.engine.building import build_from
        from dialed.keras_tuner.engine.lanes import Lanes

        known = any(trial.trial_id in numbers for numbers in self.oracle.members.values())
        if known and not Path(self._get_checkpoint_fname(trial.trial_id)).exists():
            return (self._lanes or Lanes(self)).model_of(trial)
        model = self._try_build(trial.hyperparameters)
        if not model.built:
            model.build_from_config(load_json(self._get_build_config_fname(trial.trial_id)))
        build_from(model, None)  # the optimizer too: what is loaded into one that is not built is lost
        with maybe_distribute(self.distribution_strategy):
            model.load_weights(self._get_checkpoint_fname(trial.trial_id))
        return model

    def on_batch_begin(self, trial: Trial, model: Any, batch: int, logs: Any) -> None:
        """Called at the begin of each batch of training."""

    def on_batch_end(self, trial: Trial, model: Any, batch: int, logs: Any = None) -> None:
        """Called at the end of each batch of training."""

    def on_epoch_begin(self, trial: Trial, model: Any, epoch: int, logs: Any = None) -> None:
        """Called at the begin of each epoch."""

    def on_epoch_end(self, trial: Trial, model: Any, epoch: int, logs: Any = None) -> None:
        """Called at the end of each epoch."""

    def _configure_tensorboard_dir(self, callbacks: list[Any], trial: Trial, execution: int = 0) -> None:
        """Give each execution a log folder of its own."""
        for callback in callbacks:
            if type(callback).__name__ == "TensorBoard":
                callback.log_dir = self._get_tensorboard_dir(callback.log_dir, trial.trial_id, execution)

    def _get_tensorboard_dir(self, logdir: Any, trial_id: str, execution: int) -> str:
        return str(Path(str(logdir), str(trial_id), f"execution{execution}"))

    def _get_checkpoint_fname(self, trial_id: str) -> str:
        return str(Path(self.get_trial_dir(trial_id), "checkpoint.weights.h5"))

    def _get_build_config_fname(self, trial_id: str) -> str:
        return str(Path(self.get_trial_dir(trial_id), "build_config.json"))


def maybe_compute_model_size(model: Any) -> int:
    """Trainable parameters of what is built of `model` so far."""
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_weights)


@contextmanager
def maybe_distribute(distribution_strategy: Any) -> Iterator[None]:
    """The scope of a `tf.distribute.Strategy`, where there is one."""
    if distribution_strategy is None:
        yield
    else:
        with distribution_strategy.scope():
            yield
