"""Seeds reach every generator that Keras draws from, and leave no trace with the caller."""

from __future__ import annotations

import json
import random
from typing import Any

import keras
import numpy as np
import pytest

from dialed.engine.packing import Arrays
from dialed.engine.seeding import capture_random, preserved, reseed, restore_random, seeded, taken_up


def draws() -> list[Any]:
    """One draw of each kind."""
    unseeded = keras.ops.convert_to_numpy(keras.random.uniform((2,))).tolist()
    return [random.random(), random.gauss(0, 1), np.random.random(), np.random.normal(), unseeded]


def test_the_same_seed_gives_the_same_draws_and_names() -> None:
    def inside(seed: int) -> list[Any]:
        with seeded(seed):
            return [*draws(), keras.layers.Dense(1).name, keras.metrics.AUC().name]

    assert inside(5) == inside(5) != inside(6)
    assert inside(5)[-2:] == ["dense", "auc"]


def test_it_is_what_keras_does() -> None:
    with seeded(0):
        keras.utils.set_random_seed(11)
        expected = draws()
        reseed(11)
        assert draws() == expected
        assert keras.src.utils.rng_utils.get_random_seed() == 11


def test_the_caller_sees_nothing_of_it() -> None:
    keras.random.uniform((1,))
    random.seed(1)
    np.random.seed(1)
    expected_python, expected_numpy = random.Random(1).random(), np.random.RandomState(1).random()
    name = keras.Variable(0.0).name  # names, too, and without a draw
    with seeded(3):
        draws()
        keras.Variable(0.0)
    assert (random.random(), np.random.random()) == (expected_python, expected_numpy)
    assert keras.Variable(0.0).name == _next(name)


def test_the_caller_gets_their_generators_back_from_an_error_too() -> None:
    random.seed(1)
    with pytest.raises(LookupError), seeded(3):
        raise LookupError
    assert random.random() == random.Random(1).random()


def test_captured_generators_go_on_where_they_were() -> None:
    with seeded(2):
        draws()
        arrays: Arrays = {}
        state = json.loads(json.dumps(capture_random(arrays)))
        expected = draws()
        reseed(9)
        restore_random(state, arrays)
        assert draws() == expected


def test_captured_generators_are_taken_up_inside_only() -> None:
    with seeded(2):
        draws()
        arrays: Arrays = {}
        state = capture_random(arrays)
        expected = draws()
    random.seed(1)
    with taken_up(2, state, arrays):
        assert draws() == expected
    assert random.random() == random.Random(1).random()


def test_keras_generator_is_made_where_there_was_none() -> None:
    with seeded(2):
        keras.random.uniform((1,))
        arrays: Arrays = {}
        state = capture_random(arrays)
        expected = draws()
    with seeded(8):
        restore_random(state, arrays)
        assert draws() == expected


def test_preserved_gives_back_what_is_drawn_inside() -> None:
    with seeded(4):
        with preserved():
            first = random.random(), np.random.random()
        assert (random.random(), np.random.random()) == first


def _next(name: str) -> str:
    stem, _, number = name.rpartition("_")
    return f"{stem}_{int(number) + 1}" if number.isdigit() and stem else f"{name}_1"
