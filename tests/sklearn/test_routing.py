"""Each parameter reaches whoever takes it."""

from __future__ import annotations

from typing import Any

import pytest

from dialed.errors import InvalidInputError
from dialed.sklearn.routing import Routed, Signature, check_name


def build(units: int = 8, *, optimizer: str = "sgd") -> None:
    """A build function, as far as its signature goes."""


def build_any(**settings: Any) -> None:
    """One that takes anything."""


def routed(named: dict[str, Any], extra: dict[str, Any], function: Any = build) -> Routed:
    """The parameters sorted for `function`."""
    return Routed.of(named, extra, Signature.of(function))


def test_plain_names_reach_the_build_function() -> None:
    """A parameter that the build function has is passed to it."""
    assert routed({}, {"units": 3}).build == {"units": 3}


def test_the_constructors_own_reach_a_build_function_that_names_them() -> None:
    """`optimizer` is an argument of this function; None says nothing, so its own default stays."""
    assert routed({"optimizer": "adam", "epochs": 2}, {}).build == {"optimizer": "adam"}
    assert routed({"optimizer": None}, {}).build == {}


def test_prefixes_have_the_last_word() -> None:
    """`model__units` is over `units`, `fit__epochs` over `epochs`."""
    made = routed({"epochs": 1}, {"model__units": 4, "units": 3, "fit__epochs": 7})
    assert made.build == {"units": 4}
    assert made.to["fit"]["epochs"] == 7


def test_arguments_of_fit_need_no_prefix() -> None:
    """What only `model.fit` takes goes there."""
    assert routed({}, {"validation_freq": 2}).to["fit"] == {"validation_freq": 2}


def test_a_build_function_may_take_anything() -> None:
    """`**settings` takes any plain name."""
    assert routed({}, {"width": 3}, build_any).build == {"width": 3}


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    """A misspelt parameter is an error that names the right one."""
    with pytest.raises(InvalidInputError, match=r"`unitz` must be a parameter .* Did you mean `units`\?"):
        check_name("unitz", Signature.of(build), ())


def test_an_unknown_name_without_a_near_one_is_refused_with_advice() -> None:
    """Where nothing is near, the error says what to do."""
    with pytest.raises(InvalidInputError, match="takes nothing. Give the build function an argument"):
        check_name("zzz", Signature.of(None), ())
