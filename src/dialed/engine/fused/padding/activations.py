"""Keras's elementwise activations, and which of them leave zeros alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import activations

__all__ = ["ELEMENTWISE", "is_elementwise", "keeps_zero", "position"]

_KEEP_ZERO: tuple[Callable[[Any], Any], ...] = (
    activations.celu,
    activations.elu,
    activations.gelu,
    activations.hard_shrink,
    activations.hard_silu,
    activations.hard_tanh,
    activations.leaky_relu,
    activations.linear,
    activations.mish,
    activations.relu,
    activations.relu6,
    activations.selu,
    activations.silu,
    activations.soft_shrink,
    activations.softsign,
    activations.tanh,
    activations.tanh_shrink,
)
_OTHERS: tuple[Callable[[Any], Any], ...] = (
    activations.exponential,
    activations.hard_sigmoid,
    activations.log_sigmoid,
    activations.sigmoid,
    activations.softplus,
    activations.sparse_plus,
    activations.sparse_sigmoid,
    activations.squareplus,
)
"""Not zero at zero: what they make of padding must be masked."""

ELEMENTWISE = (*_KEEP_ZERO, *_OTHERS)
"""A position in this list stands for an activation."""


def position(activation: Any) -> int | None:
    """The position of one of Keras's elementwise activations; `None` for any other function."""
    return next((i for i, known in enumerate(ELEMENTWISE) if activation is known), None)


def is_elementwise(activation: Any) -> bool:
    """Whether it is one of Keras's elementwise activations."""
    return position(activation) is not None


def keeps_zero(activation: Any) -> bool:
    """Whether it makes zero of zero; for functions that are not known, False."""
    return any(activation is known for known in _KEEP_ZERO)
