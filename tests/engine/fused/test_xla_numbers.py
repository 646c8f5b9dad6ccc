"""Elementary functions round as XLA's CPU compiler rounds."""

from __future__ import annotations

import math
from fractions import Fraction

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialed.engine.fused.xla_numbers import erf_inv, multiply_add

ORDINARY = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)


@settings(deadline=None)
@given(a=ORDINARY, b=ORDINARY, c=ORDINARY)
def test_multiply_add_rounds_once(a, b, c):
    exact = float(Fraction(a) * Fraction(b) + Fraction(c))
    result = float(multiply_add(np.array([a]), np.array([b]), np.array([c]))[0])
    # The correction is itself rounded: in a rare tie of the last bit it may fall to the other side.
    assert abs(result - exact) <= math.ulp(exact)
    assert result == exact or abs(Fraction(result) - (Fraction(a) * Fraction(b) + Fraction(c))) <= Fraction(
        math.ulp(exact)
    ) * Fraction(1000001, 2000000)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_inverse_error_function_equals_xla_s_in_every_branch(dtype):
    near_one = 1 - np.geomspace(np.finfo(dtype).eps, 1, 5000)
    x = np.concatenate([np.linspace(-0.999, 0.999, 5001), near_one, -near_one]).astype(dtype)
    with jax.enable_x64(dtype == "float64"):
        expected = np.asarray(jax.jit(jax.lax.erf_inv)(x))
    np.testing.assert_array_equal(erf_inv(x), expected)
