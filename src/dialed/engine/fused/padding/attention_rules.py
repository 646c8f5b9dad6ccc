"""Rules for attention."""

from __future__ import annotations

from typing import Any

from keras import layers

from dialed.engine.fused.padding.adapted import drawing
from dialed.engine.fused.padding.axes import Tensor, Unpaddable, leading
from dialed.engine.fused.padding.core_rules import weights
from dialed.engine.fused.padding.rule import Call, Padded, padding_rule

__all__ = ["multi_head"]

_MASKS = frozenset({"attention_mask", "key_mask", "query_mask", "value_mask"})
_SIZES = ("_num_heads", "_key_dim", "_value_dim", "_output_shape")


@padding_rule(layers.MultiHeadAttention, sizes=_SIZES)
def multi_head(call: Call) -> Padded:
    """Heads and their dimensions are axes of their own. Scores are scaled by each lane's own `key_dim`: that number is
    an input of the program like others."""
    own, wide = call.own, call.wide
    query, value, key = _queried(call)
    if len(query) != 3 or getattr(own, "_use_gate", False) or len(call.own_outputs) > 1:
        raise Unpaddable(f"{own.name} has more than three axes, a gate, or returns its scores")
    heads = leading(own._num_heads, wide._num_heads)
    keys, values = leading(own._key_dim, wide._key_dim), leading(own._value_dim, wide._value_dim)
    width = leading(call.own_outputs[0][-1], call.wide_outputs[0][-1]) if own._output_shape else query[-1]
    projections: tuple[tuple[Any, Tensor, Tensor], ...] = (
        (wide._query_dense, (query[-1], heads, keys), (heads, keys)),
        (wide._key_dense, (key[-1], heads, keys), (heads, keys)),
        (wide._value_dense, (value[-1], heads, values), (heads, values)),
        (wide._output_dense, (heads, values, width), (width,)),
    )
    scores = (query[0], heads, query[1], value[1])
    return Padded(
        outputs=((*query[:-1], width),),
        variables=[pair for dense, kernel, bias in projections for pair in _projection(dense, kernel, bias)],
        adaptations=[drawing(wide._dropout_layer, "call", scores)],
    )


def _queried(call: Call) -> tuple[Tensor, Tensor, Tensor]:
    """Query, value and key. Masks, which may come behind them, are never padded."""
    masks = call.keywords & _MASKS
    given = call.inputs[: len(call.inputs) - len(masks)]
    if call.keywords - masks - {"use_causal_mask"} and (masks or call.keywords - {"value", "key", "use_causal_mask"}):
        raise Unpaddable(f"{call.own.name} is called with {', '.join(sorted(call.keywords))}")
    query, value, *rest = (*given, *given[-1:]) if len(given) == 1 else given
    return query, value, rest[0] if rest else value


def _projection(dense: Any, kernel: Tensor, bias: Tensor) -> list[tuple[Any, Tensor]]:
    return weights(kernel=(dense._kernel, kernel), bias=(dense.bias, bias))
