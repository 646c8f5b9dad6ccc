"""Domains as a family: one union, and one way to read them back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dialed.errors import SpaceError
from dialed.space import Boolean, Choice, Domain, Fixed, Float, Int, domain_from_json

ALL = [
    Choice([1, "a", None, True, 0.5], default="a"),
    Int(1, 64, step=2, sampling="log", default=8),
    Float(0, 1, step=0.1, default=0.5),
    Float(1e-4, 1, sampling="reverse_log"),
    Boolean(default=True),
    Fixed(None),
]


@pytest.mark.parametrize("domain", ALL, ids=repr)
def test_every_domain_is_one(domain: Domain) -> None:
    """`isinstance` tells a hyperparameter from a plain argument."""
    assert isinstance(domain, Domain)
    assert not isinstance(3, Domain)


@pytest.mark.parametrize("domain", ALL, ids=repr)
def test_every_domain_survives_json_text(domain: Domain) -> None:
    """Through strict JSON, not only through a dict."""
    text = json.dumps(domain.to_json(), allow_nan=False)
    assert domain_from_json(json.loads(text)) == domain
    assert hash(domain_from_json(json.loads(text))) == hash(domain)


@pytest.mark.parametrize("domain", ALL, ids=repr)
def test_every_default_is_inside(domain: Domain) -> None:
    """The default is a value like any other, and has a place."""
    assert domain.contains(domain.default)
    assert domain.from_unit(domain.to_unit(domain.default)) == domain.default


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"type": "normal"}, "`type` must be choice, int, float, boolean or fixed. Got 'normal'"),
        ({}, "`type` must be .* Got None"),
        ({"type": "int", "min_value": 1}, "`data` must be the int domain as `to_json` writes it"),
        ({"type": "fixed", "valu": 1}, "`data` must be the fixed domain as `to_json` writes it"),
    ],
)
def test_foreign_data_are_refused(data: dict[str, Any], message: str) -> None:
    """A store may be newer than the code, or damaged."""
    with pytest.raises(SpaceError, match=message):
        domain_from_json(data)
