"""Numbers on a scale: shares of [0, 1), ends, steps, and spaces as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from dialed.keras_tuner.engine.hyperparameters import Float, HyperParameters, Int, deserialize, serialize


@pytest.mark.parametrize(
    ("hp", "prob", "value"),
    [
        (Float("f", 1.0, 10.0), 0.0, 1.0),
        (Float("f", 1.0, 10.0), 0.5, 5.5),
        (Float("f", 0.1, 100.0, sampling="log"), 1 / 3, 1.0),
        (Float("f", 0.1, 100.0, sampling="reverse_log"), 2 / 3, 99.1),
        (Float("f", 0.1, 100.0, step=10.0, sampling="log"), 0.1, 0.1),
        (Float("f", 0.1, 100.0, step=10.0, sampling="log"), 0.9, 100.0),
        (Float("f", 0.01, 100.0, step=10.0, sampling="reverse_log"), 0.3, 99.91),
        (Float("f", 0.01, 100.0, step=10.0, sampling="reverse_log"), 0.1, 100.0),
        (Float("f", 0.01, 100.0, step=10.0, sampling="reverse_log"), 0.9, 0.01),
        (Int("i", 2, 32, step=2, sampling="log"), 0.5, 8),
        (Int("i", 5, 10), 0.99, 10),
        (Int("i", 0, 10, step=5), 0.5, 5),
    ],
)
def test_each_value_has_its_share(hp: Any, prob: float, value: float) -> None:
    """As KerasTuner shares [0, 1) out; with reversed steps the largest comes first."""
    assert hp.prob_to_value(prob) == pytest.approx(value)


@pytest.mark.parametrize(
    "hp",
    [
        Float("f", 0.01, 100.0, step=10.0, sampling="reverse_log"),
        Float("f", 0.01, 100.0, step=10.0, sampling="log"),
        Float("f", 0.0, 1.0, step=0.25),
        Int("i", 1, 64, step=4, sampling="reverse_log"),
        Int("i", 3, 9, step=2),
    ],
)
def test_a_step_goes_there_and_back(hp: Any) -> None:
    """The middle of a value's share gives the value."""
    for value in hp.values:
        assert hp.prob_to_value(hp.value_to_prob(value)) == pytest.approx(value)


@pytest.mark.parametrize("hp", [Float("f", 2, 2), Int("i", 2, 2), Float("f", 2, 2, sampling="log")])
def test_one_value_alone_is_drawn_always(hp: Any) -> None:
    """Its share is the whole, and its place the middle."""
    assert (hp.random_sample(), hp.value_to_prob(2)) == (2, 0.5)


def test_draws_stay_in_the_range() -> None:
    """Both ends may be drawn where steps reach them."""
    hp = Float("f", 0.1, 100.0, step=10.0, sampling="log")
    drawn = {hp.random_sample(seed) for seed in range(60)}
    assert sorted(drawn) == pytest.approx([0.1, 1.0, 10.0, 100.0])


def test_a_default_that_is_not_given_is_the_smallest() -> None:
    """And a zero is given."""
    assert (Int("i", 2, 5).default, Int("i", 0, 5, default=0).default, Float("f", 0.5, 1.0).default) == (2, 0, 0.5)


def test_sampling_none_is_linear_and_case_does_not_matter() -> None:
    """As in older scripts."""
    assert Int("i", 1, 5, sampling=None).sampling == "linear"
    assert Float("f", 1.0, 5.0, sampling="LOG").sampling == "log"


def test_it_is_printed_as_kerastuner_prints_it() -> None:
    """In the summary of the space and in errors."""
    assert repr(Int("i", 1, 5, default=2)) == (
        "Int(name: 'i', min_value: 1, max_value: 5, step: 1, sampling: linear, default: 2)"
    )
    assert repr(Float("f", 0.5, 1.5)) == (
        "Float(name: 'f', min_value: '0.5', max_value: '1.5', step: 'None', sampling: 'linear', default: '0.5')"
    )


def test_a_whole_space_is_serialized_with_its_values() -> None:
    """By the same two functions."""
    hp = HyperParameters()
    hp.Int("units", 1, 4)
    hp.Choice("kind", ["a", "b"])
    hp.values["units"] = 3
    again = deserialize(serialize(hp))
    assert isinstance(again, HyperParameters)
    assert again.get_config() == hp.get_config()
