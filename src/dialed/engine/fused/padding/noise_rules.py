"""Rules for layers that draw random numbers: each lane draws for its own shape."""

from __future__ import annotations

from keras import layers

from dialed.engine.fused.padding.adapted import drawing
from dialed.engine.fused.padding.rule import Call, Padded, padding_rule

__all__ = ["adding", "multiplying"]


@padding_rule(
    layers.Dropout, layers.GaussianDropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D
)
def multiplying(call: Call) -> Padded:
    """What is drawn is multiplied: zeros stay zeros."""
    return Padded(outputs=(call.input,), adaptations=[drawing(call.wide, "call", call.input)])


@padding_rule(layers.GaussianNoise, layers.AlphaDropout)
def adding(call: Call) -> Padded:
    """What is drawn is added: it must not be added to padding."""
    return Padded(outputs=(call.input,), adaptations=[drawing(call.wide, "call", call.input, masks=True)])
