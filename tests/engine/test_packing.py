"""What is packed comes back as it was, through JSON."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialed.engine.packing import Arrays, Unpackable, pack, unpack

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
keys = st.integers() | st.text(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
        | st.sets(st.integers(0, 5), max_size=3)  # small ones are shown in order
        | st.lists(inner, max_size=3).map(lambda items: deque(items, 5))
    ),
    max_leaves=8,
)


def there_and_back(value: object) -> Any:
    arrays: Arrays = {}
    return unpack(json.loads(json.dumps(pack(value, "name", arrays))), arrays)


@given(values)
def test_plain_values_come_back_with_their_types(value: object) -> None:
    assert repr(there_and_back(value)) == repr(value)


def test_arrays_come_back_where_they_were() -> None:
    packed = there_and_back({"a": [np.arange(3), np.float32(2.5)], 1: (np.zeros((2, 0)),), "1": np.ones(1)})
    assert packed["a"][0].tolist() == [0, 1, 2] and packed[1][0].shape == (2, 0) and packed["1"].tolist() == [1.0]
    assert isinstance(packed["a"][1], np.float32) and packed["a"][1] == 2.5


def test_packed_arrays_are_copies() -> None:
    array, arrays = np.zeros(2), Arrays()
    pack(array, "name", arrays)
    array[:] = 1
    assert arrays["name"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [object(), len, OrderedDict(), np.array([None]), [object()], {"a": open}])
def test_other_objects_are_refused(value: object) -> None:
    with pytest.raises(Unpackable):
        pack(value, "name", {})
