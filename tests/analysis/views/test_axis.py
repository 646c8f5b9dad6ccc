"""A hyperparameter is an axis from 0 to 1 whose ticks say what lies where."""

import pytest

from dialed.analysis.views.axis import axis_of, places_of, varying
from dialed.space import Boolean, Choice, Condition, Float, Hyperparameter, Int, Space
from dialed.trial import Trial


def ticks(domain):
    return {tick.text: round(tick.place, 3) for tick in axis_of(Hyperparameter("x", domain)).ticks}


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (Float(1e-4, 1.0, sampling="log"), {"1e-04": 0.0, "0.01": 0.5, "1.0": 1.0}),
        (Float(0.0, 1.0), {"0.0": 0.0, "0.2": 0.2, "1.0": 1.0}),
        (Float(0.9, 0.999, sampling="reverse_log"), {}),
        (Int(1, 3), {"1": 0.167, "2": 0.5, "3": 0.833}),
        (Int(0, 1000), {"0": 0.0, "200": 0.2, "1000": 1.0}),
        (Int(16, 512, step=2, sampling="log"), {"16": 0.083, "512": 0.917}),
        (Int(32, 512, step=32), {"32": 0.031}),
        (Float(3.1, 3.2), {"3.1": 0.0}),
        (Choice(["relu", "tanh"]), {"relu": 0.25, "tanh": 0.75}),
        (Boolean(), {"False": 0.25, "True": 0.75}),
    ],
)
def test_ticks_are_round_values_at_their_places(domain, expected):
    found = ticks(domain)
    assert 2 <= len(found) <= 7
    assert list(found.values()) == sorted(found.values())
    assert all(abs(found[text] - place) < 0.002 for text, place in expected.items()), found


def test_an_inactive_value_has_no_place():
    child = Hyperparameter("nesterov", Float(0.0, 1.0), (Condition("optimizer", ("sgd",)),))
    trials = [Trial(number=0, values={"optimizer": "adam"}), Trial(number=1, values={"nesterov": 0.5})]
    assert places_of(child, trials) == (None, 0.5)
    assert axis_of(child).optional


def test_what_some_trials_lack_is_optional_though_no_condition_is_known():
    found = Hyperparameter("momentum", Float(0.0, 1.0))
    assert not axis_of(found, [Trial(number=0, values={"momentum": 0.5})]).optional
    assert axis_of(found, [Trial(number=0, values={})]).optional


def test_a_value_outside_of_a_changed_range_has_no_place():
    assert places_of(Hyperparameter("x", Int(1, 3)), [Trial(number=0, values={"x": 9})]) == (None,)


def test_true_and_one_are_two_places():
    trials = [Trial(number=0, values={"x": True}), Trial(number=1, values={"x": 1})]
    assert places_of(Hyperparameter("x", Choice([True, False])), trials)[1] is None


def test_what_cannot_vary_is_no_axis():
    space = Space([Hyperparameter("fixed", Choice([1])), Hyperparameter("free", Choice([1, 2]))])
    assert [h.name for h in varying(space)] == ["free"]
