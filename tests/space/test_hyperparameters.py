"""`hp` means what it means in KerasTuner, and says aloud where that would hide a mistake."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dialed.errors import DialedError, SpaceError
from dialed.space import (
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Hyperparameter,
    HyperParameters,
    Infeasible,
    Int,
    Space,
    Values,
)


def test_what_has_no_value_gets_its_default() -> None:
    """The first choice, the smallest number, False, or what the call says."""
    hp = HyperParameters()
    assert hp.Choice("a", ["x", "y"]) == "x"
    assert hp.Int("b", 3, 9) == 3
    assert hp.Float("c", 0.5, 1) == 0.5
    assert hp.Boolean("d") is False
    assert hp.Fixed("e", 7) == 7
    assert hp.Int("f", 1, 9, default=4) == 4
    assert hp.asked == hp.values == {"a": "x", "b": 3, "c": 0.5, "d": False, "e": 7, "f": 4}


def test_given_values_are_handed_out() -> None:
    """In the Python type of what is asked for, from NumPy's scalars too."""
    hp = HyperParameters({"n": np.int64(5), "r": 1, "b": np.bool_(True)})  # type: ignore[dict-item]
    assert (hp.Int("n", 1, 9), hp.Float("r", 0, 2), hp.Boolean("b")) == (5, 1.0, True)
    assert [type(value) for value in hp.asked.values()] == [int, float, bool]


def test_settings_may_be_given_by_position() -> None:
    """As KerasTuner's users do."""
    hp = HyperParameters()
    hp.Int("n", 2, 32, 2, "log", 8)
    hp.Float("r", 0, 1, 0.5, "linear", 0.5)
    hp.Choice("c", [1, 2], False, 2)
    hp.Boolean("b", True)
    assert [h.domain for h in hp.found] == [
        Int(2, 32, step=2, sampling="log", default=8),
        Float(0, 1, step=0.5, default=0.5),
        Choice([1, 2], ordered=False, default=2),
        Boolean(default=True),
    ]


def test_only_what_was_asked_for_is_recorded() -> None:
    """Values that the build did not ask for are no part of the trial."""
    hp = HyperParameters({"layers": 1, "units_1": 9})
    for i in range(hp.Int("layers", 1, 3)):
        hp.Int(f"units_{i}", 1, 10)
    assert hp.asked == {"layers": 1, "units_0": 1}
    assert hp.found.names == ("layers", "units_0")
    assert hp.values == {"layers": 1, "units_1": 9, "units_0": 1}


def test_the_same_name_gives_the_same_value() -> None:
    """One hyperparameter may be used in many places; the first default counts."""
    hp = HyperParameters()
    assert [hp.Choice("activation", ["relu", "tanh"]) for _ in range(3)] == ["relu"] * 3
    assert hp.Choice("activation", ["relu", "tanh"], default="tanh") == "relu"
    assert len(hp.found) == 1


def test_values_may_be_set_before_a_build() -> None:
    """As KerasTuner's users do: `hp.values[...] = ...`."""
    hp = HyperParameters()
    hp.values["units"] = 7
    assert hp.Int("units", 1, 9) == 7


def build_with_scopes(hp: HyperParameters) -> tuple[object, object]:
    """Two branches in scopes."""
    hp.Choice("kind", ["mlp", "cnn"])
    with hp.conditional_scope("kind", ["mlp"]):
        units = hp.Int("units", 1, 9)
    with hp.conditional_scope("kind", "cnn"):
        filters = hp.Int("filters", 1, 9)
    return units, filters


@pytest.mark.parametrize(
    ("values", "got", "asked"),
    [({}, (1, None), ["kind", "units"]), ({"kind": "cnn", "filters": 4, "units": 3}, (None, 4), ["kind", "filters"])],
)
def test_an_inactive_scope_hands_out_none(values: Values, got: object, asked: list[str]) -> None:
    """Its code runs, its hyperparameters are found with their condition, their values cannot be relied on."""
    hp = HyperParameters(values)
    assert build_with_scopes(hp) == got
    assert list(hp.asked) == asked
    assert hp.found["units"].conditions == (Condition("kind", ("mlp",)),)
    assert hp.found["filters"].conditions == (Condition("kind", ("cnn",)),)


def test_scopes_inside_scopes_need_all_conditions() -> None:
    """A grandchild is inactive when its parent is."""
    hp = HyperParameters({"a": False, "b": True})
    hp.Boolean("a")
    with hp.conditional_scope("a", [True]):
        hp.Boolean("b")
        with hp.conditional_scope("b", [True]):
            assert hp.Int("c", 1, 3) is None
    assert hp.found["c"].conditions == (Condition("a", (True,)), Condition("b", (True,)))


def test_a_parent_can_be_named_in_the_call() -> None:
    """`parent_name` and `parent_values` are a scope around one call."""
    hp = HyperParameters()
    hp.Choice("kind", ["mlp", "cnn"])
    got = [
        hp.Int("n", 1, 3, parent_name="kind", parent_values=["cnn"]),
        hp.Float("r", 0, 1, parent_name="kind", parent_values=["cnn"]),
        hp.Choice("c", [1, 2], parent_name="kind", parent_values=["cnn"]),
        hp.Boolean("b", parent_name="kind", parent_values=["cnn"]),
        hp.Fixed("f", 1, parent_name="kind", parent_values=["mlp"]),
    ]
    assert got == [None, None, None, None, 1]


def test_a_name_in_two_scopes_is_active_in_both() -> None:
    """Their conditions are joined."""
    hp = HyperParameters({"kind": "cnn"})
    hp.Choice("kind", ["mlp", "cnn", "rnn"])
    for kind in ("mlp", "cnn"):
        with hp.conditional_scope("kind", kind):
            hp.Int("units", 1, 3)
    assert hp.found["units"].conditions == (Condition("kind", ("mlp", "cnn")),)
    assert hp.asked == {"kind": "cnn", "units": 1}


def test_name_scopes_are_joined_by_slashes() -> None:
    """For parents as well, as in KerasTuner."""
    hp = HyperParameters({"encoder/1/on": True})
    with hp.name_scope("encoder"), hp.name_scope(1):  # type: ignore[arg-type]
        hp.Boolean("on")
        with hp.conditional_scope("on", True):
            assert hp.Int("n", 1, 3) == 1
        assert hp.get("n") == 1
    assert list(hp.asked) == ["encoder/1/on", "encoder/1/n"]
    assert "encoder/1/n" in hp


def test_get_gives_values_by_name() -> None:
    """Given ones, defaults handed out, and by index."""
    hp = HyperParameters({"given": 3})
    hp.Int("asked", 1, 5)
    assert (hp.get("given"), hp.get("asked"), hp["asked"]) == (3, 1, 1)
    assert "given" in hp
    assert "missing" not in hp


def test_get_refuses_what_is_inactive() -> None:
    """A ValueError, as in KerasTuner, for what a scope or the known space says."""
    hp = HyperParameters({"filters": 3})
    build_with_scopes(hp)
    assert "filters" not in hp
    with pytest.raises(SpaceError, match="`filters` must be active to have a value. It is inactive in this trial"):
        hp.get("filters")


def test_get_refuses_what_does_not_exist() -> None:
    """A KeyError, as in KerasTuner, with the nearest names."""
    hp = HyperParameters({"learning_rate": 1})
    with pytest.raises(
        KeyError, match="`learning_rat` must be a hyperparameter of this trial. Did you mean learning_rate"
    ):
        hp.get("learning_rat")
    with pytest.raises(KeyError, match="Known so far: learning_rate"):
        hp.get("units")


def test_activity_follows_from_conditions() -> None:
    """Whether or not a build asked for it; by name or as a value; unknown names are inactive."""
    space = Space(
        [Hyperparameter("kind", Choice(["mlp", "cnn"])), Hyperparameter("f", Int(1, 3), (Condition("kind", ("cnn",)),))]
    )
    hp = HyperParameters({"kind": "cnn"}, space)
    assert hp.is_active("f")
    assert hp.is_active(space["f"])
    assert not HyperParameters({}, space).is_active("f")
    assert not hp.is_active("g")


def test_the_space_is_what_is_known_and_what_was_found() -> None:
    """It grows while a build asks for more."""
    hp = HyperParameters(space=Space([Hyperparameter("a", Boolean())]))
    hp.Boolean("b")
    assert hp.space.names == ("a", "b")
    assert hp.found.names == ("b",)


def test_a_copy_has_the_values_and_a_clean_record() -> None:
    """Changing it does not change the original."""
    hp = HyperParameters({"a": 3})
    hp.Int("a", 1, 5)
    copy = hp.copy()
    copy.values["a"] = 4
    assert (hp.get("a"), copy.Int("a", 1, 5)) == (3, 4)
    assert hp.copy().asked == {}
    assert hp.copy().space == hp.space


def test_it_survives_json() -> None:
    """Values and space."""
    hp = HyperParameters()
    build_with_scopes(hp)
    back = HyperParameters.from_json(hp.to_json())
    assert (back.values, back.space) == (hp.values, hp.space)
    assert repr(back) == "HyperParameters({'kind': 'mlp', 'units': 1})"


def test_a_domain_can_be_asked_for() -> None:
    """Search arguments are hyperparameters like any other."""
    hp = HyperParameters({"batch_size": 64})
    assert hp.ask("batch_size", Choice([32, 64])) == 64
    assert hp.ask("epochs", Fixed(3)) == 3


def test_requirements_end_a_build() -> None:
    """As data for the study, not as an error of Dialed."""
    hp = HyperParameters()
    hp.require([1], "anything true will do")
    with pytest.raises(Infeasible, match="too deep"):
        hp.require([], "too deep")
    assert not issubclass(Infeasible, DialedError)


def depends_on_itself(hp: HyperParameters) -> None:
    """Ask for a parent inside its own scope."""
    hp.Boolean("a")
    with hp.conditional_scope("a", True):
        hp.Boolean("a")


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda hp: hp.Int("n", 5, 1), "Hyperparameter `n`: `min_value` must be below `max_value`"),
        (lambda hp: hp.Float("n", 0, 1, sampling="log"), "Hyperparameter `n`: `min_value` must be above 0"),
        (lambda hp: hp.Choice("n", []), "Hyperparameter `n`: `values` must hold at least one choice"),
        (lambda hp: hp.Boolean("n", default=3), "Hyperparameter `n`: `default` of a Boolean"),
        (lambda hp: hp.Fixed("n", []), "Hyperparameter `n`: `value` must be a bool, an int"),
        (lambda hp: hp.Int("given", 1, 5), r"Hyperparameter `given`: A value must be in Int\(1, 5\). Got 9"),
        (
            lambda hp: (hp.Int("n", 1, 5), hp.Int("n", 1, 6)),
            r"`n` must have one range in a build. Got Int\(1, 5\), and ",
        ),
        (lambda hp: hp.conditional_scope("kin", 1).__enter__(), "`parent_name` must be .* asked for before. Got 'kin'"),
        (lambda hp: hp.Int("n", 1, 2, parent_name="p", parent_values=1), "Known so far: none"),
        (
            lambda hp: (hp.Boolean("b"), hp.Int("n", 1, 2, parent_name="b", parent_values=["yes"])),
            r"`parent_values` must hold values of 'b', Boolean\(\). Got \['yes'\]",
        ),
        (depends_on_itself, "`a` must not depend on itself"),
    ],
)
def test_a_wrong_call_is_refused(use: Callable[[HyperParameters], object], message: str) -> None:
    """The message names the hyperparameter."""
    with pytest.raises(SpaceError, match=message):
        use(HyperParameters({"given": 9}))


def test_given_values_must_be_plain() -> None:
    """They are recorded as JSON."""
    with pytest.raises(SpaceError, match="`units` must be a bool, an int, a finite float, a str or None"):
        HyperParameters({"units": object()})  # type: ignore[dict-item]
