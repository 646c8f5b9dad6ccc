"""What a step needs is reckoned from its program: what is alive at once, not all that is made."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from dialed.engine.fused.footprint import live_bytes

BYTES = 4 * 100


def needed(function):
    return live_bytes(jax.make_jaxpr(function)(jnp.ones(100)).jaxpr)


def test_a_chain_keeps_two_values():
    assert needed(lambda x: jnp.sin(jnp.cos(jnp.sin(jnp.cos(x))))) == 2 * BYTES


def test_what_is_used_later_stays():
    def kept(x):
        first = jnp.sin(x)
        return first * jnp.cos(jnp.cos(jnp.cos(x)))

    assert needed(kept) == 3 * BYTES


def test_inner_programs_count():
    inner = jax.jit(lambda x: jnp.sum(jnp.sin(x)[:, None] * jnp.cos(x)))
    assert needed(inner) >= 100 * BYTES


def test_random_keys_count():
    assert needed(lambda x: x + jax.random.uniform(jax.random.key(1), (100,))) >= BYTES
