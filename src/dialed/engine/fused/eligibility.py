"""What the fused engine leaves to `model.fit`, and why, in words that name what to change."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import keras

from dialed.engine.data import Data
from dialed.engine.fused.callbacks.methods import reason_against_callbacks
from dialed.engine.fused.demands import reason_against_data
from dialed.engine.recipe import Recipe

if TYPE_CHECKING:
    from jax.extend.core import ClosedJaxpr

__all__ = ["is_slow_in_loops", "reason_against_arguments", "reason_against_model", "reason_against_search"]

_UNDERSTOOD = frozenset(
    {
        "batch_size",
        "callbacks",
        "class_weight",
        "epochs",
        "patience",
        "shuffle",
        "validation_batch_size",
        "validation_freq",
    }
)
_STEPS = ("train_step", "test_step")
_LOOPS = ("fit", "evaluate", "make_train_function", "make_test_function", "stateless_call")


def reason_against_search(recipe: Recipe, data: Data) -> str:
    """Why no trial of a search can be fused; empty where some can."""
    backend = keras.backend.backend()
    if backend != "jax":
        return f"Keras runs on {backend}; the fused engine needs KERAS_BACKEND=jax"
    against = reason_against_data(recipe, data)
    if against:
        return against
    generator = str(jax.config.jax_default_prng_impl)  # type: ignore[attr-defined]
    if generator != "threefry2x32":
        return f"JAX draws random numbers by {generator}, which may differ between lanes"
    return ""


def reason_against_arguments(arguments: Mapping[str, Any]) -> str:
    """Why a trial with these training arguments cannot be fused."""
    given = {name for name, value in arguments.items() if value is not None}
    unknown = sorted(given - _UNDERSTOOD)
    if unknown:
        return f"`{unknown[0]}` is an argument that only `model.fit` understands"
    return reason_against_callbacks(arguments.get("callbacks") or ())


def reason_against_model(model: keras.Model) -> str:
    """Why this model cannot be fused."""
    if model.run_eagerly:
        return "the model was compiled with run_eagerly=True"
    if not model.jit_compile:
        return "the model was compiled with jit_compile=False"
    if model.optimizer is None:
        return "the model has no optimizer"
    if model.optimizer.use_ema:
        return "the optimizer averages weights (use_ema), which `fit` puts in place at its end"
    own = [name for name in _LOOPS if getattr(type(model), name) is not getattr(keras.Model, name)]
    if own:
        return f"the model has a `{own[0]}` of its own"
    foreign = [name for name in _STEPS if not _is_stateless(getattr(type(model), name))]
    if foreign:
        return f"the model's `{foreign[0]}` takes a batch alone; on JAX, write it as `{foreign[0]}(self, state, data)`"
    extra = [v for v in vars(model).values() if isinstance(v, keras.optimizers.Optimizer) and v is not model.optimizer]
    return "the model has a second optimizer" if extra else ""


def _is_stateless(step: Callable[..., Any]) -> bool:
    """Whether a step takes the state and the data, as Keras's own does on JAX."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds for p in inspect.signature(step).parameters.values()) == 3


def is_slow_in_loops(program: ClosedJaxpr) -> bool:
    """Whether a traced step convolves or pools in a way that is several times slower inside a compiled loop on a CPU."""
    return jax.default_backend() == "cpu" and bool(_SLOW_IN_LOOPS & _operations(program.jaxpr))


_SLOW_IN_LOOPS = frozenset({"conv_general_dilated", "reduce_window_max", "select_and_scatter_add"})
"""https://github.com/jax-ml/jax/issues/12868"""


def _operations(jaxpr: Any) -> set[str]:
    """The names of all operations of a program, those inside others too."""
    found: set[str] = set()
    for equation in jaxpr.eqns:
        found.add(equation.primitive.name)
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda p: hasattr(p, "eqns") or hasattr(p, "jaxpr")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                found |= _operations(inner)
    return found
