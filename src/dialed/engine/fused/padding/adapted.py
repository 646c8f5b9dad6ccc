"""What stands in for a piece of a wide layer's code where a lane's own sizes matter.

Each `make` has the form that `rule.Adaptation` asks for: what stood there, the lane's arrays, the choices of all lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from keras.src.backend import result_type

from dialed.engine.fused.padding.activations import ELEMENTWISE
from dialed.engine.fused.padding.axes import Axis, Tensor, is_whole
from dialed.engine.fused.padding.draws import drawn_for
from dialed.engine.fused.padding.rule import Adaptation

__all__ = [
    "chosen_activation",
    "coordinates",
    "drawing",
    "kept_small",
    "masked",
    "normalized",
    "normalized_in_groups",
    "regularized",
    "zero_where_padded",
]


def coordinates(tensor: Tensor) -> dict[str, np.ndarray]:
    """What an adaptation must be given to know the places of a tensor: one array for each axis but the batch's."""
    return {str(i): axis.coordinates for i, axis in enumerate(tensor) if axis.wide is not None}


def zero_where_padded(value: Any, given: Mapping[str, Any]) -> Any:
    """`value` with zeros at all places that are not the lane's own."""
    for name, own in given.items():
        along = [1] * value.ndim
        along[int(name)] = -1
        value = jnp.where((own >= 0).reshape(along), value, jnp.zeros((), value.dtype))
    return value


def masked(layer: Any, tensor: Tensor, *, needed: bool) -> Adaptation:
    """Make the output of `layer` zero where it is padded."""
    return Adaptation(holder=layer, attribute="call", make=_masked, given=coordinates(tensor), needed=needed)


def _masked(call: Any, given: Mapping[str, Any], _: tuple[int, ...]) -> Any:
    def adapted(*args: Any, **kwargs: Any) -> Any:
        return zero_where_padded(call(*args, **kwargs), given)

    return adapted


def kept_small(layer: Any, sizes: Sequence[Axis]) -> Adaptation:
    """Let a convolution see its kernel only where the lane's own smaller one is.

    There are pixels under the rest of the kernel, so it would have gradients.
    """
    given = {str(i): axis.coordinates for i, axis in enumerate(sizes)}
    needed = any(axis.places is not None for axis in sizes)
    return Adaptation(holder=layer, attribute="_kernel", make=_kept_small, given=given, needed=needed)


def _kept_small(kernel: Any, given: Mapping[str, Any], _: tuple[int, ...]) -> Any:
    return _SmallKernel(kernel, given)


class _SmallKernel:
    """Stands for a variable: what it holds is looked up when Keras asks for its array, inside the step."""

    def __init__(self, variable: Any, given: Mapping[str, Any]) -> None:
        self._variable = variable
        self._given = given

    def __jax_array__(self) -> Any:
        return zero_where_padded(jnp.asarray(self._variable.value), self._given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._variable, name)


def regularized(holder: Any, attribute: str, tensor: Tensor) -> Adaptation:
    """Let a regulariser see the lane's own elements only: JAX's gradient of |x| is 1 at zero, so L1 would wake padding.

    Args:
        holder: The variable, or the layer for one of its outputs.
        attribute: Where the regulariser is kept.
        tensor: The places of what it is given; the axis of a batch is left out.
    """
    return Adaptation(
        holder=holder, attribute=attribute, make=_regularized, given=coordinates(tensor), needed=not is_whole(tensor)
    )


def _regularized(regularizer: Any, given: Mapping[str, Any], _: tuple[int, ...]) -> Any:
    return lambda value: regularizer(zero_where_padded(jnp.asarray(value), given))


def drawing(layer: Any, attribute: str, tensor: Tensor, *, masks: bool = False) -> Adaptation:
    """Let `layer.<attribute>` draw random numbers for the lane's own shape.

    Args:
        layer, attribute: What draws.
        tensor: The places of what is drawn for.
        masks: Whether what comes out must be made zero where it is padded. Defaults to False.
    """
    make = _drawing_and_masked if masks else _drawing
    return Adaptation(
        holder=layer, attribute=attribute, make=make, given=coordinates(tensor), needed=not is_whole(tensor)
    )


def _drawing(call: Any, given: Mapping[str, Any], _: tuple[int, ...]) -> Any:
    def adapted(*args: Any, **kwargs: Any) -> Any:
        rank = 1 + max(map(int, given), default=0)
        with drawn_for([given.get(str(i)) for i in range(rank)]):
            return call(*args, **kwargs)

    return adapted


def _drawing_and_masked(call: Any, given: Mapping[str, Any], choices: tuple[int, ...]) -> Any:
    drawn = _drawing(call, given, choices)
    return _masked(drawn, given, choices)


def normalized(layer: Any, tensor: Tensor, normed: Sequence[int], call: Callable[..., Any]) -> Adaptation:
    """Let a normalisation over the axes `normed` of `tensor` count the lane's own elements only.

    Args:
        call: Computes the layer: (layer, inputs, mask, count), with a mask of ones and zeros that broadcasts over the
            inputs, and the number of own elements.
    """
    padded = any(tensor[i].places is not None for i in normed)
    given = {str(i): tensor[i].coordinates for i in normed}

    def make(_: Any, given: Mapping[str, Any], __: tuple[int, ...]) -> Any:
        def adapted(inputs: Any, **kwargs: Any) -> Any:
            mask, count = jnp.ones((1,) * inputs.ndim, inputs.dtype), jnp.ones((), inputs.dtype)
            for name, own in given.items():
                along = [1] * inputs.ndim
                along[int(name)] = -1
                mask = mask * (own >= 0).astype(inputs.dtype).reshape(along)
                count = count * jnp.sum(own >= 0).astype(inputs.dtype)
            return call(layer, inputs, mask, count)

        return adapted

    return Adaptation(holder=layer, attribute="call", make=make, given=given, needed=padded)


def normalized_in_groups(layer: Any, axis: Axis, groups: int) -> Adaptation:
    """Let a GroupNormalization over the last axis form its groups of the lane's own channels."""
    own = axis.coordinates
    size = (axis.own or groups) // groups
    belongs = (own[:, None] // size == np.arange(groups)[None, :]) & (own[:, None] >= 0)
    given = {"belongs": belongs.astype(np.float64), "size": np.array(float(size))}
    return Adaptation(holder=layer, attribute="call", make=_grouped(layer), given=given, needed=axis.places is not None)


def _grouped(layer: Any) -> Callable[[Any, Mapping[str, Any], tuple[int, ...]], Any]:
    def make(_: Any, given: Mapping[str, Any], __: tuple[int, ...]) -> Any:
        def adapted(inputs: Any) -> Any:
            kind = result_type(inputs.dtype, "float32")
            x, belongs = inputs.astype(kind), given["belongs"].astype(kind)
            between = tuple(range(1, x.ndim - 1))
            count = given["size"].astype(kind) * np.prod([x.shape[i] for i in between], dtype=int)
            mean = jnp.sum(x, axis=between, keepdims=True) @ belongs / count @ belongs.T
            centred = (x - mean) * jnp.sum(belongs, axis=1)
            variance = jnp.sum(centred * centred, axis=between, keepdims=True) @ belongs / count @ belongs.T
            result = centred * jax.lax.rsqrt(variance + layer.epsilon)
            result = result * layer.gamma.value.astype(kind) if layer.scale else result
            result = result + layer.beta.value.astype(kind) if layer.center else result
            return result.astype(layer.compute_dtype)

        return adapted

    return make


def chosen_activation(holder: Any, attribute: str, choice: int, *, differs: bool) -> Adaptation:
    """Let each lane have its own one of Keras's elementwise activations."""
    return Adaptation(
        holder=holder,
        attribute=attribute,
        make=_chosen,
        given={"choice": np.array(choice, np.int32)},
        needed=differs,
        choice=choice,
    )


def _chosen(_: Any, given: Mapping[str, Any], choices: tuple[int, ...]) -> Any:
    """All branches are computed; those not taken see zeros, so that what they cannot bear harms no gradient."""

    def activation(x: Any) -> Any:
        result = jnp.zeros_like(x)
        for choice in choices:
            mine = given["choice"] == choice
            result = jnp.where(mine, ELEMENTWISE[choice](jnp.where(mine, x, jnp.zeros_like(x))), result)
        return result

    return activation
