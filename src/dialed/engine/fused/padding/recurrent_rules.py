"""Rules for recurrent layers and what wraps them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from keras import layers

from dialed.engine.fused.padding.activations import is_elementwise, keeps_zero, position
from dialed.engine.fused.padding.adapted import chosen_activation, drawing
from dialed.engine.fused.padding.axes import Axis, Tensor, Unpaddable, flattened, joined, leading, same
from dialed.engine.fused.padding.core_rules import weights
from dialed.engine.fused.padding.rule import Adaptation, Call, Padded, padding_rule, rule_for, sizes

__all__ = ["bidirectional", "recurrent", "time_distributed"]

_GATES: dict[type, int] = {layers.LSTM: 4, layers.GRU: 3, layers.SimpleRNN: 1}
_CELL_SIZES = ("units", "state_size", "output_size")

for _cell in (layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell):
    sizes(_cell, *_CELL_SIZES)


@padding_rule(layers.LSTM, layers.GRU, layers.SimpleRNN, sizes=("state_size",))
def recurrent(call: Call) -> Padded:
    """Each gate has its own columns. A unit that does not exist has no input, and its state stays zero."""
    own, wide, gates = call.own.cell, call.wide.cell, _GATES[type(call.own)]
    if _is_given_states(call) or call.own.stateful:
        raise Unpaddable(f"{call.own.name} is stateful, or is given its first state")
    units = leading(own.units, wide.units)
    columns = flattened([Axis(gates), units])
    bias = (Axis(2), columns) if wide.bias is not None and len(wide.bias.shape) == 2 else (columns,)
    return Padded(
        outputs=_outputs(call, units),
        variables=weights(
            kernel=(wide.kernel, (call.input[-1], columns)),
            recurrent=(wide.recurrent_kernel, (units, columns)),
            bias=(wide.bias, bias),
        ),
        adaptations=[*_activations(own, wide, units), *_masks(call, units)],
    )


def _is_given_states(call: Call) -> bool:
    """Whether it is called with more than a sequence and its mask, of which nothing is padding."""
    return len(call.inputs) - 1 > ("mask" in call.keywords)


def _outputs(call: Call, units: Axis) -> tuple[Tensor, ...]:
    """The sequence or its end, and the states where they are returned."""
    return tuple(
        (call.input[0], *call.input[1:-1], units) if len(s) == 3 else (call.input[0], units) for s in call.own_outputs
    )


def _activations(own: Any, wide: Any, units: Axis) -> list[Adaptation]:
    if units.places is not None and not keeps_zero(own.activation):
        raise Unpaddable(f"the activation {getattr(own.activation, '__name__', own.activation)!r} is not zero at zero")
    found = []
    for name in ("activation", "recurrent_activation"):
        mine, theirs = getattr(own, name, None), getattr(wide, name, None)
        if mine is theirs and not is_elementwise(mine):
            continue
        choice = position(mine)
        if choice is None or not is_elementwise(theirs):
            raise Unpaddable(f"{own.name} has an activation that is not one of Keras's elementwise ones")
        found.append(chosen_activation(wide, name, choice, differs=mine is not theirs))
    return found


def _masks(call: Call, units: Axis) -> list[Adaptation]:
    """The masks of dropout are drawn for one step: of the inputs, and of the states."""
    cell, batch = call.wide.cell, call.input[0]
    step = (batch, *call.input[2:])
    return [
        drawing(cell, "get_dropout_mask", step),
        drawing(cell, "get_recurrent_dropout_mask", (batch, units)),
    ]


@padding_rule(layers.Bidirectional)
def bidirectional(call: Call) -> Padded:
    """Two layers over the same sequence, their outputs merged."""
    own = call.own
    if own.return_state or _is_given_states(call):
        raise Unpaddable(f"{own.name} returns its states, or is given its first ones")
    sides = [_side(call, name) for name in ("forward_layer", "backward_layer")]
    one, other = (side.outputs[0] for side in sides)
    return Padded(
        outputs=_merged(own, one, other),
        variables=[pair for side in sides for pair in side.variables],
        adaptations=[adaptation for side in sides for adaptation in side.adaptations],
    )


def _side(call: Call, name: str) -> Padded:
    own, wide = getattr(call.own, name), getattr(call.wide, name)
    outputs = []
    for layer, shapes, axes in ((own, call.own_outputs, "own"), (wide, call.wide_outputs, "wide")):
        shape = tuple(getattr(axis, axes) for axis in call.input)
        outputs.append((tuple(layer.compute_output_shape((shapes[0][0], *shape[1:]))),))
    inner = replace(call, own=own, wide=wide, own_outputs=outputs[0], wide_outputs=outputs[1])
    return rule_for(own)(inner)


def _merged(layer: Any, one: Tensor, other: Tensor) -> tuple[Tensor, ...]:
    if layer.merge_mode is None:
        return one, other
    if layer.merge_mode == "concat":
        return ((*one[:-1], joined([one[-1], other[-1]])),)
    if not same(one, other):
        raise Unpaddable(f"the two directions of {layer.name} differ in width")
    return (one,)


@padding_rule(layers.TimeDistributed)
def time_distributed(call: Call) -> Padded:
    """The inner layer, at each step of the second axis."""
    time = call.input[1]
    if time.places is not None:
        raise Unpaddable(f"{call.own.name} steps along an axis that differs in length")
    inner = Call(
        own=call.own.layer,
        wide=call.wide.layer,
        inputs=((call.input[0], *call.input[2:]),),
        own_outputs=tuple((shape[0], *shape[2:]) for shape in call.own_outputs),
        wide_outputs=tuple((shape[0], *shape[2:]) for shape in call.wide_outputs),
    )
    found = rule_for(call.own.layer)(inner)
    outputs = tuple((tensor[0], time, *tensor[1:]) for tensor in found.outputs)
    return Padded(outputs=outputs, variables=found.variables, adaptations=found.adaptations)
