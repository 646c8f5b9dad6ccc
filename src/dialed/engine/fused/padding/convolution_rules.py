"""Rules for convolutions, pooling and what only moves pixels, with channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import layers

from dialed.engine.fused.padding.adapted import kept_small
from dialed.engine.fused.padding.axes import Axis, Tensor, Unpaddable, flattened, leading
from dialed.engine.fused.padding.core_rules import activated, weights
from dialed.engine.fused.padding.rule import Call, Padded, padding_rule

__all__ = ["convolution", "depthwise", "moved", "pooled", "separable", "transposed"]


def _kernel_axes(call: Call) -> tuple[Axis, ...]:
    """A smaller kernel in a larger one, so that both look at the same pixels.

    Raises:
        Unpaddable: Kernels of different sizes would make outputs of different sizes, or begin at other pixels.
    """
    own, wide = call.own, call.wide
    if own.data_format != "channels_last":
        raise Unpaddable(f"{own.name} has its channels first")
    if getattr(own, "lora_enabled", False) or getattr(own, "quantization_mode", None):
        raise Unpaddable(f"{own.name} is quantized or has LoRA weights")
    pairs = zip(own.kernel_size, wide.kernel_size, own.strides, own.dilation_rate, strict=True)
    return tuple(_kernel_axis(own, *pair) for pair in pairs)


def _kernel_axis(layer: Any, own: int, wide: int, stride: int, dilation: int) -> Axis:
    if own == wide:
        return Axis(wide)
    if own > wide or layer.padding not in ("same", "causal") or stride != 1 or dilation != 1:
        raise Unpaddable(f"{layer.name} differs in kernel size, with padding {layer.padding!r} or strides")
    before = (wide - 1) // 2 - (own - 1) // 2 if layer.padding == "same" else wide - own
    return Axis(wide, before + np.arange(own))


def _output(call: Call, channels: Axis) -> Tensor:
    """The own pixels are all pixels."""
    pixels = [Axis(length) for length in call.wide_outputs[0][1:-1]]
    if call.own_outputs[0][1:-1] != call.wide_outputs[0][1:-1] or any(a.places is not None for a in call.input[:-1]):
        raise Unpaddable(f"{call.own.name} makes images of different sizes")
    return (call.input[0], *pixels, channels)


@padding_rule(layers.Conv1D, layers.Conv2D, layers.Conv3D, sizes=("filters", "kernel_size"))
def convolution(call: Call) -> Padded:
    """Kernels for the own filters, of the own channels."""
    if call.own.groups != 1:
        raise Unpaddable(f"{call.own.name} convolves in groups")
    filters = leading(call.own.filters, call.wide.filters)
    output = _output(call, filters)
    kernel = (*_kernel_axes(call), call.input[-1], filters)
    return Padded(
        outputs=(output,),
        variables=weights(kernel=(call.wide._kernel, kernel), bias=(call.wide.bias, (filters,))),
        adaptations=[*activated(call, output), kept_small(call.wide, kernel[: call.wide.rank])],
    )


@padding_rule(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose, sizes=("filters",))
def transposed(call: Call) -> Padded:
    """As a convolution, with the kernel's last axes the other way round."""
    if call.own.kernel_size != call.wide.kernel_size:
        raise Unpaddable(f"{call.own.name} differs in kernel size")
    filters = leading(call.own.filters, call.wide.filters)
    output = _output(call, filters)
    kernel = (*_kernel_axes(call), filters, call.input[-1])
    return Padded(
        outputs=(output,),
        variables=weights(kernel=(call.wide.kernel, kernel), bias=(call.wide.bias, (filters,))),
        adaptations=activated(call, output),
    )


@padding_rule(layers.DepthwiseConv1D, layers.DepthwiseConv2D, sizes=("depth_multiplier",))
def depthwise(call: Call) -> Padded:
    """Each channel makes as many as the multiplier says, side by side."""
    several = leading(call.own.depth_multiplier, call.wide.depth_multiplier)
    channels = flattened([call.input[-1], several])
    output = _output(call, channels)
    kernel = (*_kernel_axes(call), call.input[-1], several)
    return Padded(
        outputs=(output,),
        variables=weights(kernel=(call.wide.kernel, kernel), bias=(call.wide.bias, (channels,))),
        adaptations=activated(call, output),
    )


@padding_rule(layers.SeparableConv1D, layers.SeparableConv2D, sizes=("filters", "depth_multiplier"))
def separable(call: Call) -> Padded:
    """A depthwise convolution, and one of single pixels behind it."""
    wide = call.wide
    several = leading(call.own.depth_multiplier, wide.depth_multiplier)
    between = flattened([call.input[-1], several])
    filters = leading(call.own.filters, wide.filters)
    output = _output(call, filters)
    kernel = _kernel_axes(call)
    points = tuple(Axis(1) for _ in kernel)
    return Padded(
        outputs=(output,),
        variables=weights(
            depthwise=(wide.depthwise_kernel, (*kernel, call.input[-1], several)),
            pointwise=(wide.pointwise_kernel, (*points, between, filters)),
            bias=(wide.bias, (filters,)),
        ),
        adaptations=activated(call, output),
    )


@padding_rule(
    *(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
    *(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
    *(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D),
    *(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D),
    *(layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D),
)
def moved(call: Call) -> Padded:
    """Every channel for itself."""
    _check_last(call.own)
    return Padded(outputs=(_output(call, call.input[-1]),))


@padding_rule(
    *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D),
    *(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
)
def pooled(call: Call) -> Padded:
    """One number for each channel."""
    _check_last(call.own)
    if any(axis.places is not None for axis in call.input[:-1]):
        raise Unpaddable(f"{call.own.name} pools over an axis that differs in length")
    ones: Sequence[Axis] = [Axis(1)] * (len(call.input) - 2) if call.own.keepdims else []
    return Padded(outputs=((call.input[0], *ones, call.input[-1]),))


def _check_last(layer: Any) -> None:
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise Unpaddable(f"{layer.name} has its channels first")
