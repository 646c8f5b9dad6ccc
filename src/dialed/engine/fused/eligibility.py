"""What the fused engine leaves to `model.fit`, and why, in words that name what to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import keras

from dialed.engine.arrays import is_sparse
from dialed.engine.data import Data
from dialed.engine.recipe import Recipe
from dialed.engine.samples import Samples

if TYPE_CHECKING:
    from jax.extend.core import ClosedJaxpr

__all__ = ["reason_against_arguments", "reason_against_model", "reason_against_program", "reason_against_search"]

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
_STEPS = ("train_step", "test_step", "compute_metrics", "get_metrics_result", "reset_metrics")


def reason_against_search(recipe: Recipe, data: Data) -> str:
    """Why no trial of a search can be fused; empty where some can."""
    backend = keras.backend.backend()
    if backend != "jax":
        return f"Keras runs on {backend}; the fused engine needs KERAS_BACKEND=jax"
    if recipe.own_fit:
        return "the hypermodel trains in its own `fit`"
    if not isinstance(data.training, Samples) or not isinstance(data.validation, (Samples, type(None))):
        return f"the data are a {data.kind}, not arrays"
    if any(is_sparse(a) for s in (data.training, data.validation) if isinstance(s, Samples) for _, a in s.arrays()):
        return "the data hold sparse matrices"
    if keras.distribution.distribution() is not None:
        return "a `keras.distribution` is set"
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
    callbacks = arguments.get("callbacks") or ()
    if callbacks:
        return f"the callback {type(callbacks[0]).__name__} runs Python code during training"
    return ""


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
    own = [name for name in _STEPS if getattr(type(model), name) is not getattr(keras.Model, name)]
    if own:
        return f"the model has a `{own[0]}` of its own"
    extra = [v for v in vars(model).values() if isinstance(v, keras.optimizers.Optimizer) and v is not model.optimizer]
    return "the model has a second optimizer" if extra else ""


def reason_against_program(program: ClosedJaxpr) -> str:
    """Why a traced step would be slower in a fused loop than in `fit`."""
    slow = _SLOW_IN_LOOPS & _operations(program.jaxpr)
    if slow and jax.default_backend() == "cpu":
        return "it convolves or pools, which is several times slower inside a compiled loop on a CPU"
    return ""


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
