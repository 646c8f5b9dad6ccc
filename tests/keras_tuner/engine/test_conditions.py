"""When a hyperparameter means anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dialed.keras_tuner.engine.conditions import Parent, deserialize, serialize


@pytest.mark.parametrize("values", [["a", "b"], [1, 2], [0.5], [True], "a", 3, [1, 0.5]])
def test_a_condition_survives_json(values: Any) -> None:
    """Strings, ints, floats and bools, one or more."""
    parent = Parent("p", values)
    again = deserialize(json.loads(json.dumps(serialize(parent))))
    assert again == parent and hash(again) == hash(parent)
    assert deserialize(parent) is parent
    assert repr(parent) == f"Parent(name='p', values={parent.values!r})"


def test_it_holds_while_its_parent_is_active_and_has_one_of_the_values() -> None:
    """A parent without a value is inactive."""
    parent = Parent("p", [1, 2])
    assert parent.is_active({"p": 2})
    assert not parent.is_active({"p": 3}) and not parent.is_active({"q": 1})


def test_another_name_or_other_values_are_another_condition() -> None:
    """So that one name may have several ranges."""
    assert Parent("p", [1]) not in (Parent("q", [1]), Parent("p", [2]), "p")


@pytest.mark.parametrize("values", [None, [None], [], [[1]], [{"a": 1}], ["a", 1]])
def test_values_of_other_kinds_are_refused(values: Any) -> None:
    """With KerasTuner's kind of error."""
    with pytest.raises(TypeError, match="`values` of a condition: Can contain only"):
        Parent("p", values)
