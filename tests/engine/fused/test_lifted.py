"""A lifted number answers for all lanes, or for none."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dialed.engine.fused.lifted import CannotLift, Guard, Guards, LanesDisagree, Lifted


def lifted(values, guards=None):
    return Lifted(
        jnp.float32(values[0]), jnp.float32(1 - values[0]), path="here", values=values, guards=guards or Guards()
    )


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (lambda v: bool(v), True),
        (lambda v: v > 0, True),
        (lambda v: v >= 1, False),
        (lambda v: v < 1.0, True),
        (lambda v: v <= 0, False),
        (lambda v: v == 0.0, False),
        (lambda v: v != 0, True),
        (lambda v: v == np.float32(7), False),
        (lambda v: v == "relu", False),
        (lambda v: v is None, False),
        (lambda v: v == None, False),  # Keras compares so, too
        (lambda v: v in (0, 1), False),
    ],
)
def test_lanes_that_agree_answer_python(question, answer):
    assert question(lifted((0.25, 0.5))) is answer


def test_an_answer_is_written_down_as_a_guard():
    guards = Guards()
    assert lifted((0.25, 0.5), guards) > 0
    assert guards.asked == {Guard(path="here", question=">", other=0, answer=True)}
    (guard,) = guards.asked
    assert guard.holds(0.1)
    assert not guard.holds(0.0)


def test_lanes_that_disagree_stop_the_tracing():
    with pytest.raises(LanesDisagree, match="here truth None is true for some lanes only"):
        bool(lifted((0.0, 0.5)))


def test_two_lifted_numbers_are_compared_where_all_pairs_agree():
    guards = Guards()
    assert lifted((1.0, 2.0), guards) < lifted((3.0, 4.0), guards)
    assert all(guard.holds(value) for guard in guards.asked for value in (1.5,) if guard.question == "<")
    with pytest.raises(CannotLift, match="compared with here"):
        assert lifted((1.0, 5.0)) < lifted((3.0, 4.0))


@pytest.mark.parametrize("convert", [float, int, round, math.floor, math.ceil, math.sqrt, np.asarray, np.sqrt, range])
def test_a_plain_number_is_refused(convert):
    with pytest.raises(CannotLift, match="here is used as"):
        convert(lifted((0.25, 0.5)))


def test_arithmetic_gives_what_the_number_would():
    value = lifted((0.25, 0.5))
    x = jnp.float32(3)
    for result, expected in [
        (value + x, 3.25),
        (x + value, 3.25),
        (value - 1, -0.75),
        (2 - value, 1.75),
        (value * x, 0.75),
        (x / value, 12.0),
        (value**2, 0.0625),
        (2**value, 2**0.25),
        (-value, -0.25),
        (abs(value), 0.25),
        (x % value, 0.0),
        (value * value, 0.0625),
        (value - value, 0.0),
    ]:
        assert float(result) == pytest.approx(expected)


def test_one_minus_a_number_is_rounded_once():
    beta = 0.999
    value = Lifted(jnp.float32(beta), jnp.float32(1 - beta), path="beta_2", values=(beta,), guards=Guards())
    assert float(1 - value) == np.float32(1 - beta)
    assert float(jnp.float32(1) - jnp.float32(beta)) != np.float32(1 - beta)  # what a plain tracer would give


def test_it_passes_through_functions_that_are_compiled_themselves():
    slope = lifted((0.25, 0.5))
    assert float(jax.nn.leaky_relu(jnp.float32(-1), slope)) == -0.25
