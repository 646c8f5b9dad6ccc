"""The bits are those of JAX's default generator."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialed.engine.fused.threefry import random_bits

WORDS = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=30)
@given(first=WORDS, second=WORDS)
def test_bits_equal_those_of_jax(first, second):
    key = np.array([first, second], np.uint32)
    np.testing.assert_array_equal(random_bits((first, second), 0, 37, width=32), jax.random.bits(key, (37,), "uint32"))


def test_64_bit_words_equal_those_of_jax():
    with jax.enable_x64(True):
        expected = np.asarray(jax.random.bits(np.array([3, 9], np.uint32), (41,), "uint64"))
    np.testing.assert_array_equal(random_bits((3, 9), 0, 41, width=64), expected)


@pytest.mark.parametrize("start", [0, 5, 2**32 - 3])
def test_a_draw_may_be_computed_in_blocks_from_any_position(start):
    whole = random_bits((1, 2), start, start + 9, width=32)
    parts = [random_bits((1, 2), start + i, start + i + 3, width=32) for i in (0, 3, 6)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
