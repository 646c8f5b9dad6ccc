"""The generators of a lane are put in place for whoever draws, and go on from where it left them."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest

from dialed.engine.fused.generators import Generators
from dialed.engine.fused.order import BatchOrder, Split
from dialed.engine.packing import unpack
from dialed.engine.seeding import capture_random, numpy_state, seeded


def drawn():
    return random.random(), np.random.random(), float(keras.random.uniform(()))


@pytest.fixture
def generators():
    with seeded(7):
        arrays = {}
        order = BatchOrder(Split(8, 4), shuffle=True, state=numpy_state())
        return Generators(seed=7, order=order, state=capture_random(arrays), arrays=arrays)


def test_what_is_drawn_is_what_the_member_would_draw_alone(generators):
    with seeded(7):
        alone = [drawn(), drawn()]
    inside = []
    for _ in range(2):
        random.seed(0)
        np.random.seed(0)
        before = random.getstate(), np.random.get_state()[1].copy()
        with generators.in_place():
            inside.append(drawn())
        assert random.getstate() == before[0]
        assert np.array_equal(np.random.get_state()[1], before[1])
    assert inside == alone


def test_the_order_goes_on_from_what_was_drawn(generators):
    with seeded(7):
        np.random.random()
        expected = np.random.permutation(8)
    generators.order.draw()  # for an epoch that has not begun: it is taken back
    with generators.in_place():
        np.random.random()
    assert not generators.order.is_drawn
    assert np.array_equal(generators.order.draw(), expected)


def test_an_epoch_that_has_begun_keeps_its_order(generators):
    with seeded(7):
        np.random.permutation(8)
        expected = np.random.random()
    generators.order.draw()
    with generators.in_place(in_epoch=True):
        assert np.random.random() == expected
    assert generators.order.is_drawn
    generators.order.undo()
    with seeded(7):
        assert np.array_equal(generators.order.draw(), np.random.permutation(8))


def test_a_checkpoint_has_numpys_state_of_the_order(generators):
    generators.order.draw()
    arrays = {}
    packed = generators.to_json(arrays)
    assert np.array_equal(unpack(packed["numpy"], arrays)["state"]["key"], generators.order.state["state"]["key"])
    assert unpack(packed["numpy"], arrays)["state"]["pos"] == generators.order.state["state"]["pos"]
