"""Draws equal those of jax.random bit for bit on a CPU."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from dialed.engine.fused import distributions

KEY = (7, 11)
JAX_KEY = np.array(KEY, np.uint32)
SIZE = (40_000,)  # more than two blocks, and far enough into the tails to reach every branch of the polynomials


def stock(name: str, dtype: str) -> np.ndarray:
    draws = {
        "uniform": lambda: jax.random.uniform(JAX_KEY, SIZE, dtype, -0.0811, 0.3),
        "normal": lambda: jax.random.normal(JAX_KEY, SIZE, dtype),
        "truncated_normal": lambda: jax.random.truncated_normal(JAX_KEY, -2.0, 2.0, SIZE, dtype),
    }
    with jax.enable_x64(dtype == "float64"):
        return np.asarray(draws[name]())


@pytest.mark.parametrize("dtype", distributions.FLOATS)
@pytest.mark.parametrize("name", ["uniform", "normal", "truncated_normal"])
def test_draws_equal_those_of_jax(name, dtype):
    bounds = {"low": -0.0811, "high": 0.3} if name == "uniform" else {}
    drawn = getattr(distributions, name)(KEY, SIZE, dtype, **bounds)
    assert drawn.dtype == dtype
    np.testing.assert_array_equal(drawn, stock(name, dtype))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3, 4)])
def test_the_result_has_the_shape_asked_for(shape):
    assert distributions.normal(KEY, shape, "float32").shape == shape


def test_the_numbers_do_not_depend_on_the_shape():
    flat = distributions.normal(KEY, (24,), "float32")
    np.testing.assert_array_equal(distributions.normal(KEY, (2, 3, 4), "float32"), flat.reshape(2, 3, 4))
