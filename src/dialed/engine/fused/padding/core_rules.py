"""Rules for Dense, Embedding, shapes and activations."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import layers

from dialed.engine.fused.padding.activations import is_elementwise, keeps_zero, position
from dialed.engine.fused.padding.adapted import chosen_activation, masked
from dialed.engine.fused.padding.axes import Axis, Tensor, Unpaddable, aligned, flattened, is_whole, leading
from dialed.engine.fused.padding.rule import Adaptation, Call, Padded, padding_rule

__all__ = ["activated", "passed_through", "weights"]


def weights(**named: tuple[Any, Tensor]) -> list[tuple[Any, Tensor]]:
    """The variables that a layer has, with their places; those that are `None` left out."""
    return [(variable, tensor) for variable, tensor in named.values() if variable is not None]


def activated(call: Call, output: Tensor, attribute: str = "activation") -> list[Adaptation]:
    """What the activation of a layer needs.

    Raises:
        Unpaddable: It mixes places, or what it makes of zero is not known.
    """
    own, wide = getattr(call.own, attribute, None), getattr(call.wide, attribute, None)
    choice = position(own)
    if choice is None or not is_elementwise(wide):
        if own is not None and not is_whole(output):
            shown = getattr(own, "__name__", type(own).__name__)
            raise Unpaddable(
                f"{call.own.name} has the activation {shown}, which is not known to act on each element alone"
            )
        return []
    return [
        chosen_activation(call.wide, attribute, choice, differs=own is not wide),
        masked(call.wide, output, needed=not keeps_zero(own) and not is_whole(output)),
    ]


def passed_through(call: Call) -> Padded:
    """For layers that act on every element alone and leave zeros alone."""
    return Padded(outputs=(call.input,))


@padding_rule(layers.Dense, sizes=("units",))
def dense(call: Call) -> Padded:
    """Columns of the kernel for the own units, rows for the own inputs."""
    _not_rewritten(call.own)
    units = leading(call.own.units, call.wide.units)
    output = (*call.input[:-1], units)
    return Padded(
        outputs=(output,),
        variables=weights(kernel=(call.wide._kernel, (call.input[-1], units)), bias=(call.wide.bias, (units,))),
        adaptations=activated(call, output),
    )


@padding_rule(layers.EinsumDense, sizes=("partial_output_shape", "full_output_shape"))
def einsum_dense(call: Call) -> Padded:
    """Each letter of the equation is an axis: of the inputs, or one that the kernel makes."""
    _not_rewritten(call.own)
    left, result = call.own.equation.replace(" ", "").split("->")
    given, kernel = left.split(",")
    if "." in left or len(given) != len(call.input):
        raise Unpaddable(f"the equation {call.own.equation!r} of {call.own.name} leaves axes unnamed")
    axes = dict(zip(given, call.input, strict=True))
    made = dict(zip(result, zip(call.own_outputs[0], call.wide_outputs[0], strict=True), strict=True))
    axes |= {letter: leading(*made[letter]) for letter in result if letter not in axes}
    output = tuple(axes[letter] for letter in result)
    bias = _einsum_bias(call, output)
    return Padded(
        outputs=(output,),
        variables=weights(kernel=(call.wide._kernel, tuple(axes[letter] for letter in kernel)), bias=bias),
        adaptations=activated(call, output),
    )


def _einsum_bias(call: Call, output: Tensor) -> tuple[Any, Tensor]:
    """The bias has the output's last axes, 1 where it does not vary."""
    bias = call.wide.bias
    if bias is None:
        return None, ()
    last = output[len(output) - len(bias.shape) :]
    return bias, tuple(Axis(1) if length == 1 else axis for axis, length in zip(last, bias.shape, strict=True))


def _not_rewritten(layer: Any) -> None:
    if getattr(layer, "quantization_mode", None) or getattr(layer, "lora_enabled", False):
        raise Unpaddable(f"{layer.name} is quantized or has LoRA weights")


@padding_rule(layers.Embedding, sizes=("input_dim", "output_dim"))
def embedding(call: Call) -> Padded:
    """The own rows and columns of the table come first."""
    _not_rewritten(call.own)
    table = aligned(call.own._embeddings.shape, call.wide._embeddings.shape)
    return Padded(outputs=((*call.input, table[1]),), variables=[(call.wide._embeddings, table)])


@padding_rule(layers.Flatten)
def flatten(call: Call) -> Padded:
    """Own elements stay where their coordinates put them in the flat axis."""
    _channels_last(call.own)
    inner = call.input[1:]
    return Padded(outputs=((call.input[0], flattened(inner) if inner else Axis(1)),))


@padding_rule(layers.Reshape, sizes=("target_shape",))
def reshape(call: Call) -> Padded:
    """As for Flatten, and then cut anew: that must leave a product of axes."""
    own, wide = ([int(n or 0) for n in shape[0][1:]] for shape in (call.own_outputs, call.wide_outputs))
    places = flattened(call.input[1:]).where
    coordinates = np.unravel_index(places.reshape(own), wide)
    axes = []
    for along, (found, length) in enumerate(zip(coordinates, wide, strict=True)):
        first = np.moveaxis(found, along, 0).reshape(own[along], -1)
        if not np.all(first == first[:, :1]):
            raise Unpaddable(f"{call.own.name} mixes a padded axis with another")
        axes.append(Axis(length, first[:, 0]))
    return Padded(outputs=((call.input[0], *axes),))


@padding_rule(layers.Permute)
def permute(call: Call) -> Padded:
    """The axes in their new order."""
    return Padded(outputs=((call.input[0], *(call.input[i] for i in call.own.dims)),))


@padding_rule(layers.RepeatVector)
def repeat_vector(call: Call) -> Padded:
    """A new axis in the middle."""
    return Padded(outputs=((call.input[0], Axis(call.own.n), call.input[1]),))


@padding_rule(layers.Activation)
def activation(call: Call) -> Padded:
    """The activation of the layer's own argument."""
    return Padded(outputs=(call.input,), adaptations=activated(call, call.input))


@padding_rule(layers.Softmax)
def softmax(call: Call) -> Padded:
    """Zeros would take their share, so the axis that it sums over must be whole."""
    axes = call.own.axis if isinstance(call.own.axis, (list, tuple)) else [call.own.axis]
    if any(call.input[axis].places is not None for axis in axes):
        raise Unpaddable(f"{call.own.name} sums over an axis that differs in width")
    return Padded(outputs=(call.input,), adaptations=[masked(call.wide, call.input, needed=not is_whole(call.input))])


@padding_rule(layers.PReLU)
def prelu(call: Call) -> Padded:
    """A slope for each element, shared along some axes."""
    slopes = call.wide.alpha
    lengths = zip(call.input[1:], slopes.shape, strict=True)
    places = tuple(Axis(1) if length == 1 else axis for axis, length in lengths)
    return Padded(outputs=(call.input,), variables=[(slopes, places)])


@padding_rule(layers.Rescaling)
def rescaling(call: Call) -> Padded:
    """What is added would stand in the padding too."""
    return Padded(outputs=(call.input,), adaptations=[masked(call.wide, call.input, needed=not is_whole(call.input))])


padding_rule(layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Identity, layers.ActivityRegularization)(passed_through)


def _channels_last(layer: Any) -> None:
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        raise Unpaddable(f"{layer.name} has its channels first")
