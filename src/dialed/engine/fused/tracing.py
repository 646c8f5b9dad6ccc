"""Keras's own steps as programs of JAX: traced once for one lane, with the lifted numbers as inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import keras
import numpy as np
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.interpreters import partial_eval
from keras.src.backend.common.stateless_scope import StatelessScope

from dialed.engine.fused.cpu_operations import cpu_operations
from dialed.engine.fused.padding.padding import NO_PADDING, Padding
from dialed.engine.fused.sites import Sites
from dialed.engine.fused.traceable import traceable

__all__ = ["Batch", "State", "Step", "shapes_of", "state_of", "trace_test", "trace_train"]

State: TypeAlias = tuple[list[Any], list[Any], list[Any], list[Any]]
"""Trainable, non-trainable, optimizer's and metrics' variables, in Keras's order."""

Batch: TypeAlias = tuple[Any, Any, Any]
"""x, y and sample weights, in the structures that `model.fit` takes; `None` where there is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """One step of one lane.

    Args:
        program: From the leaves of (state, batch, brought) to those of (logs, state). What a lane brings are its
            numbers, and what its padding needs.
        names: The names of the logs, in their order.
        tree: The structure of what the program returns.
        reads: For each place whether anything that comes out depends on its number.
    """

    program: ClosedJaxpr
    names: tuple[str, ...]
    tree: Any
    reads: tuple[bool, ...]

    def __call__(self, state: Any, batch: Any, brought: Any) -> tuple[list[Any], Any]:
        """Run the step, or trace it into a larger program: (logs, state)."""
        flat = jax.tree.leaves((state, batch, brought))
        logs, after = jax.tree.unflatten(self.tree, jaxpr_as_fun(self.program)(*flat))
        return logs, jax.tree.map(_like, after, state)


def trace_train(
    model: keras.Model, sites: Sites, batch: Batch, padding: Padding = NO_PADDING, *, convolutions: bool = True
) -> Step:
    """Trace `model.train_step` on a batch like `batch` (shapes are enough).

    `convolutions` says whether they are replaced by forms that are fast in a compiled loop.

    Raises:
        LanesDisagree, CannotLift: The lifted numbers do not allow one program.
        Exception: Whatever else the model's code raises under tracing.
    """
    return _trace(model, model.train_step, sites, state_of(model), batch, padding, convolutions)


def trace_test(
    model: keras.Model, sites: Sites, batch: Batch, padding: Padding = NO_PADDING, *, convolutions: bool = True
) -> Step:
    """The same for `model.test_step`, whose state has no variables of the optimizer."""
    trainable, other, _, metrics = state_of(model)
    return _trace(model, model.test_step, sites, (trainable, other, metrics), batch, padding, convolutions)


def state_of(model: keras.Model) -> State:
    """The variables of a built model, as shapes and dtypes."""
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    trainable, other, optimizer, metrics = (
        [_shape(tuple(v.shape), keras.backend.standardize_dtype(v.dtype)) for v in group] for group in groups
    )
    return trainable, other, optimizer, metrics


def shapes_of(data: Any, rows: int) -> Any:
    """What a batch of `rows` rows of `data` looks like."""
    return jax.tree.map(lambda a: _shape((rows, *a.shape[1:]), a.dtype), data)


def _shape(shape: tuple[int, ...], dtype: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, dtype)  # type: ignore[no-untyped-call]


def _trace(
    model: keras.Model,
    step: Callable[[Any, Any], tuple[Any, Any]],
    sites: Sites,
    state: Any,
    batch: Batch,
    padding: Padding,
    convolutions: bool,
) -> Step:
    names: list[str] = []
    trees: list[Any] = []

    def one_lane(state: Any, batch: Any, brought: Any) -> list[Any]:
        numbers, given = brought
        with padding.injected(given), sites.injected(numbers):
            logs, after = step(state, batch)
            logs = _as_fit_has_them(model, logs, after)
        names[:] = [str(name) for name in logs]
        leaves, tree = jax.tree.flatten((list(logs.values()), after))
        trees[:] = [tree]
        return leaves

    on_cpu = jax.default_backend() == "cpu"
    with traceable(), cpu_operations(convolutions=convolutions) if on_cpu else nullcontext():
        given = padding.examples()
        program = jax.make_jaxpr(one_lane)(state, batch, (sites.examples(), given))
    reads = _reads(program, len(sites.places), len(jax.tree.leaves(given)))
    return Step(program=program, names=tuple(names), tree=trees[0], reads=reads)


def _as_fit_has_them(model: keras.Model, logs: Any, after: Any) -> dict[str, Any]:
    """The logs of a step, the loss first; where they are named as the model's metrics, those: `fit` does the same.

    For Keras's own steps both are the same. A step of the user's own may return the loss of its batch instead.
    """
    if type(model).train_step is not keras.Model.train_step or type(model).test_step is not keras.Model.test_step:
        with StatelessScope(state_mapping=list(zip(model.metrics_variables, after[-1], strict=True))):
            results = model.get_metrics_result()
        logs = results if results.keys() == logs.keys() else logs
    return {name: logs[name] for name in sorted(logs, key=lambda name: name != "loss")}


def _reads(program: ClosedJaxpr, places: int, behind: int) -> tuple[bool, ...]:
    """Whether each place's number, or its complement, survives when all that nobody uses is taken out."""
    if not places:
        return ()
    _, used = partial_eval.dce_jaxpr(program.jaxpr, [True] * len(program.jaxpr.outvars))
    last: Sequence[bool] = used[len(used) - behind - 2 * places : len(used) - behind]
    return tuple(bool(a or b) for a, b in zip(last[::2], last[1::2], strict=True))


def _like(new: Any, old: Any) -> Any:
    """A loop's state must keep its dtype. Keras's variables cast what is assigned; this is for what they do not see."""
    return new if new.dtype == old.dtype else new.astype(np.dtype(old.dtype))
