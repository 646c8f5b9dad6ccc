"""Rules for layers and operations that take several tensors."""

from __future__ import annotations

from collections.abc import Sequence

from keras import layers
from keras.src.ops import numpy as operations

from dialed.engine.fused.padding.axes import Axis, Tensor, Unpaddable, is_whole, joined
from dialed.engine.fused.padding.rule import Call, Padded, padding_rule

__all__ = ["arithmetic", "concatenate", "dot", "merged"]


def _together(call: Call, tensors: Sequence[Tensor]) -> Tensor:
    """The places of what tensors give element by element, with broadcasting.

    Raises:
        Unpaddable: Their own elements stand at different places.
    """
    rank = max(map(len, tensors))
    columns = zip(*(((Axis(1),) * (rank - len(tensor)) + tensor) for tensor in tensors), strict=True)
    return tuple(_one_of(call, column) for column in columns)


def _one_of(call: Call, axes: Sequence[Axis]) -> Axis:
    longest = [axis for axis in axes if axis.wide != 1] or list(axes)
    if not all(axis.matches(longest[0]) for axis in longest[1:]):
        raise Unpaddable(f"{call.own.name} joins tensors whose own elements stand at different places")
    return longest[0]


@padding_rule(
    *(layers.Add, layers.Average, layers.Maximum, layers.Minimum, layers.Multiply, layers.Subtract),
    *(operations.Maximum, operations.Minimum),
)
def merged(call: Call) -> Padded:
    """Zeros give zeros."""
    return Padded(outputs=(_together(call, call.inputs),))


@padding_rule(operations.Add, operations.Subtract, operations.Multiply)
def arithmetic(call: Call) -> Padded:
    """As layers, but the other operand may be a number, or an array as long as the axis."""
    output = _together(call, call.inputs)
    numbers = len(call.inputs) < 2
    if numbers and not is_whole(output) and not _is_scaled(call):
        raise Unpaddable(f"{call.own.name} adds a constant to a tensor that differs in width")
    return Padded(outputs=(output,))


def _is_scaled(call: Call) -> bool:
    return isinstance(call.own, operations.Multiply)


@padding_rule(layers.Concatenate)
def concatenate(call: Call) -> Padded:
    """One axis joined, the others alike."""
    rank = len(call.input)
    along = call.own.axis % rank
    others = [tuple(Axis(1) if i == along else axis for i, axis in enumerate(tensor)) for tensor in call.inputs]
    output = list(_together(call, others))
    output[along] = joined([tensor[along] for tensor in call.inputs])
    return Padded(outputs=(tuple(output),))


@padding_rule(layers.Dot)
def dot(call: Call) -> Padded:
    """Sums over one axis of both, whose own elements must stand at the same places."""
    axes = call.own.axes
    pair = [axes, axes] if isinstance(axes, int) else list(axes)
    if call.own.normalize:
        raise Unpaddable(f"{call.own.name} normalizes")
    left, right = (list(tensor) for tensor in call.inputs)
    one, other = left.pop(pair[0] % len(left)), right.pop(pair[1] % len(right))
    if not one.matches(other):
        raise Unpaddable(f"{call.own.name} sums over axes whose own elements stand at different places")
    output = (*left, *right[1:])
    return Padded(outputs=(output if len(output) > 1 else (*output, Axis(1)),))
