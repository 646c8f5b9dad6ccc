"""`hp` of the drop-in, hyperparameter type by type."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import dialed.keras_tuner as kt
from dialed.keras_tuner.engine import conditions
from dialed.keras_tuner.engine.hyperparameters import (
    Boolean,
    Choice,
    Fixed,
    Float,
    HyperParameter,
    HyperParameters,
    Int,
    deserialize,
    serialize,
)

EXAMPLES = [
    Boolean("b", default=True),
    Choice("c", ["adam", "sgd"], default="sgd"),
    Choice("n", [1, 2, 3]),
    Fixed("f", 0.5),
    Float("x", 0.0, 1.0, step=0.1),
    Float("lr", 1e-4, 1e-1, sampling="log", default=1e-3),
    Int("i", 6, 13, step=3),
    Int("w", 1, 100, sampling="log"),
    Int("r", 1, 32, step=2, sampling="reverse_log"),
    Int("child", 0, 4, conditions=[conditions.Parent("c", ["adam"])]),
]


@pytest.mark.parametrize("hp", EXAMPLES, ids=lambda hp: hp.name)
def test_a_hyperparameter_survives_json(hp: HyperParameter) -> None:
    """What `serialize` writes, as JSON, makes the same hyperparameter again, and is not changed by it."""
    config = json.loads(json.dumps(serialize(hp)))
    again = deserialize(config)
    assert (type(again), repr(again), again.conditions) == (type(hp), repr(hp), hp.conditions)
    assert config == serialize(again)


@pytest.mark.parametrize("hp", EXAMPLES, ids=lambda hp: hp.name)
def test_places_and_values_are_two_ways_of_saying_the_same(hp: HyperParameter) -> None:
    """Each of its values has a place in [0, 1), which means that value."""
    for value in hp.values:
        prob = hp.value_to_prob(value)
        assert 0.0 <= prob <= 1.0 and hp.prob_to_value(prob) == pytest.approx(value)


@pytest.mark.parametrize("hp", EXAMPLES, ids=lambda hp: hp.name)
def test_samples_are_in_range_and_repeatable(hp: HyperParameter) -> None:
    """A random value is one that it may have, and the same for the same seed."""
    for seed in range(5):
        assert hp.domain.contains(hp.random_sample(seed)) and hp.random_sample(seed) == hp.random_sample(seed)


@pytest.mark.parametrize(
    ("hp", "values"),
    [
        (Int("i", 6, 12), (6, 7, 8, 9, 10, 11, 12)),
        (Int("i", 6, 13, step=3), (6, 9, 12)),
        (Int("i", 2, 32, step=2, sampling="log"), (2, 4, 8, 16, 32)),
        (Int("i", 3, 3), (3,)),
        (Float("f", 2.0, 8.0, step=2.0), (2.0, 4.0, 6.0, 8.0)),
        (Float("f", 0.1, 100.0, step=10, sampling="log"), (0.1, 1.0, 10.0, 100.0)),
        (Float("f", 0.0, 1.0, step=0.3), (0.0, 0.3, 0.6, 0.9)),
        (Boolean("b"), (True, False)),
        (Fixed("x", "a"), ("a",)),
        (Choice("c", ["b", "a"]), ("b", "a")),
    ],
)
def test_values_are_all_that_it_may_have(hp: HyperParameter, values: tuple[Any, ...]) -> None:
    """Ranges include both ends, as far as the steps reach; integers stay integers under log steps too."""
    assert tuple(hp.values) == values
    assert [type(v) for v in hp.values] == [type(v) for v in values]


def test_a_range_without_steps_is_stood_for_by_ten_values() -> None:
    """As a grid needs them: within the range, and rising."""
    values = list(Float("f", 2.0, 8.0).values)
    assert len(values) == 10 and values == sorted(values) and values[0] >= 2.0 and values[-1] <= 8.0


def test_a_float_step_reaches_the_upper_end() -> None:
    """KerasTuner's `Float(0, 1, step=.1)` never yields 1.0."""
    hp = Float("f", 0.0, 1.0, step=0.1)
    assert list(hp.values)[-1] == 1.0 and hp.prob_to_value(0.999) == 1.0 and 0.3 in hp.values


def test_a_choice_of_bools_stays_one() -> None:
    """KerasTuner's `Choice([True, False])` hands out 1 and 0."""
    assert HyperParameters().Choice("c", [True, False]) is True


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Choice("c", []), ValueError, "`values` must be provided"),
        (lambda: Choice("c", [1, "a"]), TypeError, "can contain only one type"),
        (lambda: Choice("c", [{"a": 1}]), TypeError, "can contain only `int`, `float`, `str`"),
        (lambda: Choice("c", [1, 2], default=3), ValueError, "default value should be one of the choices"),
        (lambda: Choice("c", ["a"], ordered=True), ValueError, "`ordered` must be `False`"),
        (lambda: Boolean("b", default="yes"), ValueError, "must be a Python boolean"),  # type: ignore[arg-type]
        (lambda: Fixed("f", None), ValueError, "`Fixed` value must be an `int`"),
        (lambda: Int("i", 0.5, 2), ValueError, "`min_value` must be an int"),  # type: ignore[arg-type]
        (lambda: Int("i", 0, 2, step=0.5), ValueError, "`step` must be an int"),  # type: ignore[arg-type]
        (lambda: Int("i", 3, 2), ValueError, "min_value 3 is greater than the max_value 2"),
        (lambda: Float("f", 0.0, 1.0, sampling="log"), ValueError, "does not support negative values"),
        (
            lambda: Float("f", 0.0, 1.0, sampling="cubic"),
            ValueError,
            "sampling must be one of linear, log, reverse_log. Got 'cubic'",
        ),
        (lambda: Int("i", 1, 8, step=1, sampling="log"), ValueError, "expected step > 1"),
        (lambda: Float("f", 0.0, 1.0, step=-0.1), ValueError, "`step` must be above 0"),
        (lambda: conditions.Parent("p", [[1]]), TypeError, "`values` of a condition: Can contain only"),
        (lambda: conditions.deserialize({"class_name": "X", "config": {}}), ValueError, "must be 'Parent'"),
        (lambda: deserialize({"class_name": "X", "config": {}}), ValueError, "`class_name` of a hyperparameter"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, error: type[Exception], message: str) -> None:
    """With KerasTuner's kinds of errors."""
    with pytest.raises(error, match=message):
        make()


def test_the_base_classes_leave_values_to_their_subclasses() -> None:
    """What a subclass must write is said."""
    for call in (lambda: HyperParameter("x").values, lambda: HyperParameter("x").domain):
        with pytest.raises(NotImplementedError, match="must be written by the subclass"):
            call()
    with pytest.raises(NotImplementedError, match=r"Condition.is_active"):
        conditions.Condition().is_active({})
    with pytest.raises(NotImplementedError, match=r"Condition.get_config"):
        conditions.Condition().get_config()


def test_defaults_are_handed_out_and_values_kept() -> None:
    """What is asked for has its default, or the value that stands there; asking twice changes nothing."""
    hp = HyperParameters()
    assert hp.Int("units", 8, 64, default=16) == 16 == hp.Int("units", 8, 64, default=16)
    hp.values["lr"] = 0.5
    assert hp.Float("lr", 0.1, 1.0) == 0.5
    assert (hp.get("units"), hp["lr"], "units" in hp, "nothing" in hp) == (16, 0.5, True, False)
    assert [h.name for h in hp.space] == ["units", "lr"]


def test_an_inactive_scope_gives_none_and_no_values() -> None:
    """What is asked for inside is known, but has no value until the parent has one of those."""
    hp = HyperParameters()
    hp.Choice("model", ["linear", "deep"])
    with hp.conditional_scope("model", ["deep"]):
        assert hp.Int("layers", 1, 3) is None
    assert hp.Float("rate", 0.0, 1.0, parent_name="model", parent_values="linear") == 0.0
    assert "layers" not in hp.values and not hp.is_active("layers") and hp.is_active("rate")
    assert [[c.values for c in scope] for scope in hp.inactive_scopes] == [[["deep"]]]
    with pytest.raises(ValueError, match="currently inactive"):
        hp.get("layers")
    with pytest.raises(KeyError, match="does not exist"):
        hp.get("nothing")
    hp.values["model"] = "deep"
    hp.ensure_active_values()
    assert "rate" not in hp.values and 1 <= hp.get("layers") <= 3


def test_a_scope_needs_a_parent_that_is_another() -> None:
    """A parent that nobody asked for, and one that depends on itself, are refused."""
    hp = HyperParameters()
    with pytest.raises(ValueError, match="'a', which is not defined"), hp.conditional_scope("a", [1]):
        pass
    hp.Choice("a", [1, 2])
    with pytest.raises(ValueError, match="cannot have the same name as its parent"), hp.conditional_scope("a", [1]):
        hp.Int("a", 0, 1)


def test_names_in_scopes_begin_with_the_scope() -> None:
    """Also those of parents, and of what is got."""
    hp = HyperParameters()
    with hp.name_scope("block"), hp.name_scope("inner"):
        hp.Choice("kind", ["a", "b"])
        with hp.conditional_scope("kind", ["a"]):
            hp.Int("units", 1, 2)
        assert hp.get("units") == 1
    assert list(hp.values) == ["block/inner/kind", "block/inner/units"]


def test_one_name_may_have_another_range_in_another_scope() -> None:
    """A hyperparameter is known by its name and its conditions."""
    hp = HyperParameters()
    hp.Choice("kind", ["a", "b"])
    assert hp.Int("n", 1, 2, parent_name="kind", parent_values=["a"]) == 1
    assert hp.Int("n", 5, 6, parent_name="kind", parent_values=["b"]) is None
    assert len(hp.space) == 3


def test_spaces_are_copied_and_merged() -> None:
    """A copy is its own; a merge without overwriting takes in only what is new."""
    hp = HyperParameters()
    hp.Int("a", 1, 3)
    hp.values["a"] = 2
    other = hp.copy()
    other.Boolean("b")
    hp.merge(other, overwrite=False)
    assert (hp.values, [h.name for h in hp.space]) == ({"a": 2, "b": False}, ["a", "b"])
    assert HyperParameters.from_config(json.loads(json.dumps(hp.get_config()))).get_config() == hp.get_config()


def test_numpy_scalars_become_pythons() -> None:
    """They would not survive JSON."""
    hp = HyperParameters()
    assert type(hp.Choice("a", np.array([1, 2]))) is int
    assert type(hp.Fixed("b", np.float32(0.5))) is float


def test_a_hypermodel_that_is_not_tunable_adds_nothing() -> None:
    """Its hyperparameters have the values that the space gives them, or their defaults."""

    class Small(kt.HyperModel):
        def build(self, hp: HyperParameters) -> Any:
            return hp.Int("units", 1, 8)

    hp = HyperParameters()
    assert Small(tunable=False).build(hp) == 1 and not hp.space
    assert Small(name="s").build(hp) == 1 and [h.name for h in hp.space] == ["units"]
    with pytest.raises(NotImplementedError, match="must return a model"):
        kt.HyperModel().build(hp)
