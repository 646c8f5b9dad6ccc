"""Trials of other studies, as configurations of this one's space."""

from __future__ import annotations

from dialed.search.earlier import fitting
from dialed.space import Choice, Condition, Float, Hyperparameter, Space
from dialed.trial import EarlierTrial

SPACE = Space(
    [
        Hyperparameter("kind", Choice(["a", "b"])),
        Hyperparameter("x", Float(0.0, 1.0, default=0.5)),
        Hyperparameter("y", Float(0.0, 1.0, default=0.25), conditions=(Condition("kind", ("b",)),)),
    ]
)


def test_what_the_other_study_did_not_vary_has_its_default() -> None:
    assert fitting(EarlierTrial({"kind": "b", "z": 3}, 0.0), SPACE) == {"kind": "b", "x": 0.5, "y": 0.25}


def test_what_is_not_active_here_is_left_out() -> None:
    assert fitting(EarlierTrial({"kind": "a", "x": 0.1, "y": 0.9}, 0.0), SPACE) == {"kind": "a", "x": 0.1}


def test_values_outside_the_range_and_strangers_do_not_fit() -> None:
    assert fitting(EarlierTrial({"x": 1.5}, 0.0), SPACE) is None
    assert fitting(EarlierTrial({"z": 0.5}, 0.0), SPACE) is None
