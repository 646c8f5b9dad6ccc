"""A look at the default model before anything is trained: what it measures, how large it is, whether the data fit.

The training and the test step are traced, not run (`jax.eval_shape`, a concrete `tf.function`): that finds the names in
the logs even of steps that users wrote themselves, and every mismatch of shapes, for the price of a trace: 0.06 s for a
small network on JAX. An evaluation of two samples would compile a program, in 0.5 s, and would not see the training
step. Torch has no trace of that kind; there one batch of each is run, on a model that is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras

from dialed.clock import Clock, SystemClock
from dialed.engine.building import build_from, count_parameters, first_batch, holds_arrays, symbolic
from dialed.engine.failures import MemberFailed, is_out_of_memory
from dialed.engine.fused.padding.work import multiplications
from dialed.engine.labels import check_labels
from dialed.engine.recipe import Realised, Recipe
from dialed.engine.seeding import seeded
from dialed.errors import DataError, DialedError, InvalidInputError
from dialed.space.domains import Domain
from dialed.trial import Values

__all__ = ["Probe", "probe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What the default model is like.

    `metric_names` are the keys of its logs, those with "val_" too where there is validation data; `None` where a
    hypermodel trains in its own way. `metrics` are the metric objects. `seconds` is what building and tracing took,
    `multiplications` those by weights for one sample, forward.
    """

    metric_names: tuple[str, ...] | None
    parameters: int
    seconds: float
    multiplications: float = 1.0
    metrics: tuple[Any, ...] = ()


def probe(recipe: Recipe, values: Values, data: Any, *, seed: int = 0, clock: Clock | None = None) -> Probe:
    """Build the model of `values` and trace its steps on one batch of fold 0.

    Args:
        recipe: How trials are made.
        values: The default values.
        data: As the engine takes it.
        seed: For the build. Defaults to 0.
        clock: Defaults to the machine's.

    Raises:
        InvalidInputError: The model of the default values cannot be built or trained; nothing has been trained yet.
        DataError: The data do not fit the model.
    """
    clock = clock or SystemClock()
    start = clock.monotonic()
    fold = data.fold(0)
    _check_arguments(recipe, fold)
    recipe.look_at(data)
    with seeded(seed):
        realised = _realised(recipe, values, seed)
        names = _names(recipe, realised, data, fold)
        model = realised.model
        return Probe(
            metric_names=None if recipe.own_fit else names,
            parameters=count_parameters(model),
            seconds=clock.monotonic() - start,
            multiplications=multiplications(model),
            metrics=tuple(_single_metrics(model.metrics)),
        )


def _check_arguments(recipe: Recipe, fold: Any) -> None:
    arguments = recipe.arguments
    if arguments.get("class_weight") is not None and fold.sample_weight is not None:
        raise InvalidInputError(
            "`class_weight` and `sample_weight` must not be given together, because both say how much a sample counts. "
            "Got both. Multiply the class weights into `sample_weight`."
        )
    if isinstance(arguments.get("batch_size"), Domain) and not holds_arrays(fold):
        raise InvalidInputError(
            f"`batch_size` must not be tuned where `x` makes its own batches. Got {arguments['batch_size']!r} and a "
            f"{type(fold.x).__name__}. Pass arrays."
        )


def _realised(recipe: Recipe, values: Values, seed: int) -> Realised:
    try:
        return recipe.realise(values, seed)
    except MemberFailed as failure:
        raise InvalidInputError(
            "The default values must give a model that can be trained, because they are the first trial and the "
            f"baseline of all others. {failure.message}"
        ) from failure


def _names(recipe: Recipe, realised: Realised, data: Any, fold: Any) -> tuple[str, ...]:
    model, size = realised.model, realised.arguments.get("batch_size")
    batch = first_batch(fold, size)
    recipe.inputs = symbolic(batch[0])
    try:
        build_from(model, recipe.inputs)
        recipe.check_size(model)
        model._symbolic_build(data_batch=batch)
        check_labels(model, batch, data)
        trained = _logs(model, model.train_step, batch)
        tested = [] if fold.validation is None else _logs(model, model.test_step, batch, training=False)
    except MemberFailed as failure:
        raise InvalidInputError(failure.message) from failure
    except DialedError:
        raise
    except Exception as error:  # whatever Keras, a backend or the model's own code raises
        if is_out_of_memory(error):
            raise
        raise _misfit(batch, error) from error
    return tuple(dict.fromkeys([*trained, *(f"val_{name}" for name in tested)]))


def _misfit(batch: tuple[Any, Any, Any], error: Exception) -> DataError:
    shown = [
        f"`{name}` {keras.tree.map_structure(lambda leaf: tuple(leaf.shape), part)}"
        for name, part in zip(("x", "y", "sample_weight"), batch, strict=True)
        if part is not None
    ]
    return DataError(
        f"The data must fit the model. A batch of {', '.join(shown)} gave {type(error).__name__}: {error!s:.1500}\n"
        "Check the shapes of the data, the last layer, the loss and the metrics."
    )


def _logs(model: Any, step: Callable[..., Any], batch: tuple[Any, Any, Any], *, training: bool = True) -> list[str]:
    """The names in the logs of a training or test step."""
    match keras.backend.backend():
        case "jax":
            logs = _jax_logs(model, step, batch, training=training)
        case "tensorflow":
            logs = _tensorflow_logs(model, step, batch)
        case _:
            logs = step(_tensors(batch))
    return [str(name) for name in logs]


def _jax_logs(model: Any, step: Callable[..., Any], batch: tuple[Any, Any, Any], *, training: bool) -> Any:
    import jax

    parts = [model.trainable_variables, model.non_trainable_variables]
    if training:
        parts.append(model.optimizer.variables if model.optimizer is not None else [])
    state = tuple([v.value for v in variables] for variables in (*parts, model.metrics_variables))
    if model.run_eagerly:
        return step(state, _tensors(batch))[0]
    return jax.eval_shape(step, state, _tensors(batch))[0]


def _tensorflow_logs(model: Any, step: Callable[..., Any], batch: tuple[Any, Any, Any]) -> Any:
    import tensorflow as tf

    if model.run_eagerly:
        return step(_tensors(batch))
    return tf.function(step).get_concrete_function(_tensors(batch)).structured_outputs


def _tensors(batch: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    x, y, sample_weight = (
        None if part is None else keras.tree.map_structure(keras.ops.convert_to_tensor, part) for part in batch
    )
    return x, y, sample_weight


def _single_metrics(metrics: Iterable[Any]) -> Iterable[Any]:
    """The metrics themselves, out of the containers that `compile` puts them into."""
    for metric in metrics:
        yield from _single_metrics(inner) if (inner := getattr(metric, "metrics", None)) else (metric,)
