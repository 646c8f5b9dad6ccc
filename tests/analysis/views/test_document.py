"""Every view, and every frozen answer, is a JSON document."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from dialed.analysis import importance_of
from dialed.analysis.views import as_json, contour_view, history_view, parallel_view, slice_view, tried_view
from dialed.trial import State


def test_views_are_json(searched, space):
    history = searched(40)
    views = [f(history, space) for f in (parallel_view, slice_view, contour_view, tried_view, importance_of)]
    for view in [*views, history_view(history)]:
        assert json.loads(json.dumps(as_json(view), allow_nan=False)) == as_json(view)


def test_a_trial_takes_less_than_a_hundred_bytes_of_history(searched):
    assert len(json.dumps(as_json(history_view(searched(300))))) < 30_000


def test_arrays_and_states_are_plain_values():
    assert as_json({"a": np.array([1.0, np.inf]), "b": State.FAILED, 3: np.float64(2)}) == {
        "a": [1.0, None], "b": "failed", "3": 2.0,
    }  # fmt: skip


@dataclass
class Odd:
    thing: object


def test_what_is_not_data_is_refused():
    with pytest.raises(TypeError, match="plain values. Got a object"):
        as_json(Odd(object()))
