"""A hyperparameter is a name, a domain and conditions."""

from __future__ import annotations

from typing import Any

import pytest

from dialed.errors import SpaceError
from dialed.space import Choice, Condition, Hyperparameter, Int, Value


def test_a_condition_holds_while_its_parent_is_active() -> None:
    """With one of the values; a parent that is not there is inactive."""
    condition = Condition("kind", ("cnn", "rnn"))
    assert condition.holds({"kind": "rnn"})
    assert not condition.holds({"kind": "mlp"})
    assert not condition.holds({})


def test_a_condition_tells_true_from_one() -> None:
    """Choice([1, True]) has two branches."""
    assert not Condition("x", (1,)).allows(True)
    assert Condition("x", (1,)).allows(1.0)
    assert len({Condition("x", (1,)), Condition("x", (True,)), Condition("x", (1.0,))}) == 2
    assert Condition("x", (1,)) != ("x", (1,))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((2,), "x = 2"),
        ((2, 3), "x in 2, 3"),
        ((2, 3, 4), "x in 2 to 4"),
        ((32, 64, 96), "x in 32 to 96"),
        ((1, 2, 4), "x in 1, 2, 4"),
        (("a", "b", "c"), "x in a, b, c"),
        ((True,), "x = True"),
    ],
)
def test_a_condition_can_be_read(values: tuple[Value, ...], words: str) -> None:
    """Rows of integers are shortened."""
    assert str(Condition("x", values)) == words


def test_a_hyperparameter_survives_json() -> None:
    """With its conditions."""
    hyperparameter = Hyperparameter("units", Int(1, 5, default=2), (Condition("kind", ("mlp", None, True)),))
    assert Hyperparameter.from_json(hyperparameter.to_json()) == hyperparameter
    assert hyperparameter.default == 2


@pytest.mark.parametrize("data", [{}, {"name": "x", "domain": Choice([1]).to_json(), "conditions": [{}]}])
def test_foreign_data_are_refused(data: dict[str, Any]) -> None:
    """A store may be damaged."""
    with pytest.raises(SpaceError, match="`data` must be a hyperparameter as `to_json` writes it"):
        Hyperparameter.from_json(data)
