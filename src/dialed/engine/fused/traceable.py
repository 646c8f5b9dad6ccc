"""The one layer of Keras that wants its number as a Python float for no good reason, made to take a tracer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
from keras.src.layers.regularization import gaussian_dropout

__all__ = ["traceable"]


@contextmanager
def traceable() -> Iterator[None]:
    """Inside, GaussianDropout takes the square root of its rate by JAX where that is a tracer.

    keras/src/layers/regularization/gaussian_dropout.py calls `math.sqrt(self.rate / (1.0 - self.rate))`.
    """

    def root(value: Any) -> Any:
        return jnp.sqrt(value) if isinstance(value, jax.Array) else math.sqrt(value)

    with mock.patch.object(gaussian_dropout, "math", SimpleNamespace(sqrt=root)):
        yield
