"""The space of a tuned search: names of parameters, and what each may be."""

from __future__ import annotations

from typing import Any

import pytest

from dialed.errors import InvalidInputError
from dialed.sklearn.space import TunedSpace
from dialed.space import Choice, HyperParameters, Int


def test_arguments_of_fit_are_told_from_parameters_of_the_model() -> None:
    """Whatever their prefix."""
    space = TunedSpace({"keras__units": Int(1, 3), "keras__fit__epochs": [1, 2], "keras__batch_size": [8]}, "keras__")
    assert space.domains == {"units": Int(1, 3)}
    assert space.arguments == {"epochs": Choice([1, 2]), "batch_size": Choice([8])}
    assert space.params({"units": 2, "epochs": 1}) == {"keras__units": 2, "keras__fit__epochs": 1}


def test_any_object_may_be_listed() -> None:
    """A list of tuples is a choice among them."""
    space = TunedSpace({"hidden": [(8,), (16, 8)]}, "")
    assert space.defaults() == {"hidden": (8,)}
    assert space.asked(HyperParameters({"hidden": "1"})) == {"hidden": (16, 8)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scale__with_mean": [True]}, "must hold parameters of the last step, which begin with 'keras__'"),
        ({"keras__units": 3}, r"`space\['keras__units'\]` must be a `dialed.Int`.* Got 3"),
    ],
)
def test_what_cannot_be_searched_is_refused(given: dict[str, Any], message: str) -> None:
    """Before anything is trained."""
    with pytest.raises(InvalidInputError, match=message):
        TunedSpace(given, "keras__")
