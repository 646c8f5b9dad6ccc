"""Rules for normalisations: their statistics must count the lane's own elements only."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from keras import layers
from keras.src.backend import result_type

from dialed.engine.fused.padding.adapted import masked, normalized, normalized_in_groups
from dialed.engine.fused.padding.axes import Unpaddable, is_whole
from dialed.engine.fused.padding.core_rules import weights
from dialed.engine.fused.padding.rule import Call, Padded, padding_rule

__all__ = ["batch", "group", "layer", "root_mean_square", "unit"]


@padding_rule(layers.BatchNormalization)
def batch(call: Call) -> Padded:
    """Every feature has statistics of its own. Those of padding are zero, and stay so."""
    if getattr(call.own, "renorm", False):
        raise Unpaddable(f"{call.own.name} renormalizes")
    features, wide = (call.input[call.own.axis],), call.wide
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    return Padded(
        outputs=(call.input,), variables=weights(**{name: (getattr(wide, name, None), features) for name in names})
    )


@padding_rule(layers.LayerNormalization)
def layer(call: Call) -> Padded:
    """Mean and variance over the own elements."""
    own = call.own
    if own.rms_scaling:
        raise Unpaddable(f"{own.name} has `rms_scaling`")
    axes = sorted(axis % len(call.input) for axis in own.axis)
    places = tuple(call.input[axis] for axis in axes)
    return Padded(
        outputs=(call.input,),
        variables=weights(gamma=(call.wide.gamma, places), beta=(call.wide.beta, places)),
        adaptations=[normalized(call.wide, call.input, axes, _layer_norm)],
    )


def _layer_norm(layer: Any, inputs: Any, mask: Any, count: Any) -> Any:
    """As `keras.ops.layer_normalization` computes it, operation by operation."""
    kind = result_type(inputs.dtype, "float32")
    x, mask, count, axes = inputs.astype(kind), mask.astype(kind), count.astype(kind), tuple(layer.axis)
    mean = jnp.sum(x * mask, axis=axes, keepdims=True) / count  # masked, or padding would have a gradient
    centred = (x - mean) * mask
    inverse = jax.lax.rsqrt(jnp.sum(centred * centred, axis=axes, keepdims=True) / count + layer.epsilon)
    if layer.gamma is not None:
        inverse = inverse * _broadcast(layer.gamma, layer, x.ndim, kind)
    rest = -mean * inverse
    if layer.beta is not None:
        rest = rest + _broadcast(layer.beta, layer, x.ndim, kind)
    return ((x * inverse + rest) * mask).astype(inputs.dtype).astype(layer.compute_dtype)


@padding_rule(layers.RMSNormalization)
def root_mean_square(call: Call) -> Padded:
    """The mean square over the own elements."""
    axes = call.own.axis if isinstance(call.own.axis, (list, tuple)) else [call.own.axis]
    axes = sorted(axis % len(call.input) for axis in axes)
    places = tuple(call.input[axis] for axis in axes)
    return Padded(
        outputs=(call.input,),
        variables=weights(scale=(call.wide.scale, places)),
        adaptations=[normalized(call.wide, call.input, axes, _rms_norm)],
    )


def _rms_norm(layer: Any, inputs: Any, _: Any, count: Any) -> Any:
    kind = result_type(inputs.dtype, "float32")
    x, axes = inputs.astype(kind), tuple(layer.axis)
    inverse = jax.lax.rsqrt(jnp.sum(x * x, axis=axes, keepdims=True) / count.astype(kind) + layer.epsilon)
    return (x * inverse * _broadcast(layer.scale, layer, x.ndim, kind)).astype(inputs.dtype)


@padding_rule(layers.GroupNormalization, sizes=("groups",))
def group(call: Call) -> Padded:
    """Groups are formed of the own channels."""
    own, features = call.own, call.input[-1]
    if own.axis not in (-1, len(call.input) - 1) or own.groups != call.wide.groups:
        raise Unpaddable(f"{own.name} has its channels first, or another number of groups")
    if not all(axis.places is None for axis in call.input[:-1]):
        raise Unpaddable(f"{own.name} averages over an axis that differs in length")
    return Padded(
        outputs=(call.input,),
        variables=weights(gamma=(call.wide.gamma, (features,)), beta=(call.wide.beta, (features,))),
        adaptations=[normalized_in_groups(call.wide, features, own.groups)],
    )


@padding_rule(layers.UnitNormalization)
def unit(call: Call) -> Padded:
    """Zeros add nothing to a length."""
    return Padded(outputs=(call.input,), adaptations=[masked(call.wide, call.input, needed=not is_whole(call.input))])


def _broadcast(variable: Any, layer: Any, rank: int, kind: Any) -> Any:
    """A weight over the normalised axes, in the shape of the inputs."""
    value = variable.value.astype(kind)
    shape = [1] * rank
    for axis, length in zip(sorted(axis % rank for axis in layer.axis), value.shape, strict=True):
        shape[axis] = length
    return value.reshape(shape)
