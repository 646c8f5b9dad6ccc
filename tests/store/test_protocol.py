"""The stores that come with Dialed hold to the public conformance suite."""

from __future__ import annotations

import pytest

from dialed.testing.stores import STORE_CHECKS, MakeStore


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_store_conforms(check, make_store: MakeStore) -> None:
    check(make_store)
