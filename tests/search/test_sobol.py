"""Sobol: evenly spread points."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from dialed.errors import SpaceError
from dialed.search import History, Sobol, Terms, generator
from dialed.space import Choice, Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Objective

TERMS = Terms(objective=Objective(name="loss", direction="min"), seed=7)


def _values(history: History) -> list[tuple[Any, ...]]:
    return [tuple(trial.values.values()) for trial in history.trials]


def test_golden_sequence(small: Space) -> None:
    assert _values(simulate(Sobol(), small, lambda values: 0.0, seed=7)) == [
        ("adam", 1),
        ("sgd", 1.0, 1),
        ("adam", 2, 8),
        ("sgd", 0.5, 2, 8),
        ("sgd", 0.0, 1),
        ("sgd", 0.5, 2, 16),
        ("adam", 2, 16),
        ("sgd", 0.0, 2, 16),
        ("sgd", 0.5, 1),
        ("sgd", 1.0, 2, 16),
        ("sgd", 1.0, 2, 8),
        ("sgd", 0.0, 2, 8),
    ]


def test_golden_sequence_of_an_open_space(mixed: Space) -> None:
    rates = [
        trial.values["rate"] for trial in simulate(Sobol(), mixed, lambda values: 0.0, max_trials=4, seed=7).trials
    ]
    assert rates == pytest.approx([0.001, 0.0089388274658, 0.00024258856329, 0.00066414288500])


def test_without_scrambling_the_points_are_those_of_the_textbook() -> None:
    """Sobol' 1967, first dimension: the van der Corput numbers in Gray code order."""
    space = Space([Hyperparameter("x", Float(0.0, 1.0))])
    history = simulate(Sobol(scramble=False), space, lambda values: 0.0, max_trials=8, seed=3)
    assert [x for (x,) in _values(history)] == [0.0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.625, 0.125]


def test_a_point_depends_on_seed_and_place_not_on_results(mixed: Space) -> None:
    alike = simulate(Sobol(), mixed, lambda values: 0.0, max_trials=20, seed=3)
    wild = simulate(Sobol(), mixed, lambda values: float("nan"), max_trials=20, seed=3, free=4)
    other = simulate(Sobol(), mixed, lambda values: 0.0, max_trials=20, seed=4)
    assert _values(alike) == _values(wild)
    assert _values(alike)[1:] != _values(other)[1:]


def test_an_enqueued_trial_takes_no_point_away(mixed: Space) -> None:
    plain = simulate(Sobol(), mixed, lambda values: 0.0, terms=TERMS, max_trials=12)
    simulation = Simulation(Sobol(), mixed, lambda values: 0.0, terms=TERMS)
    simulation.run(5)
    simulation.enqueue({"rate": 0.05})
    history = simulation.run(13)
    own = [tuple(trial.values.values()) for trial in history.trials if trial.source != "enqueued"]
    assert own == _values(plain)


def test_each_eighth_of_every_dimension_gets_an_eighth_of_the_points() -> None:
    space = Space([Hyperparameter(f"x{i}", Float(0.0, 1.0)) for i in range(5)])
    history = simulate(Sobol(default_first=False), space, lambda values: 0.0, max_trials=64, seed=1)
    cells = np.floor(np.array(_values(history)) * 8).astype(int)
    for column in cells.T:
        assert np.bincount(column, minlength=8).tolist() == [8] * 8


def test_what_the_points_leave_out_is_listed() -> None:
    """256 of the 301 integers of this range lie in the last third of its scale: most points repeat."""
    space = Space([Hyperparameter("units", Int(1, 300, sampling="log")), Hyperparameter("unit", Choice(["a", "b"]))])
    history = simulate(Sobol(), space, lambda values: 0.0, free=3)
    assert len(set(_values(history))) == len(history) == 600


def test_an_ended_sequence_ends_the_search_with_its_reason(small: Space) -> None:
    history = simulate(Sobol(), small, lambda values: 0.0)
    (finish,) = Sobol().decide(small, history, generator(history), 1)
    assert getattr(finish, "reason", "") == "all 12 configurations of the space have been tried"


def test_a_space_without_hyperparameters_is_one_trial() -> None:
    assert len(simulate(Sobol(), Space([]), lambda values: 0.0)) == 1


def test_more_dimensions_than_direction_numbers_are_refused() -> None:
    space = Space([Hyperparameter(f"x{i}", Float(0.0, 1.0)) for i in range(21_202)])
    with pytest.raises(SpaceError, match="at most 21201 hyperparameters. Got 21202"):
        simulate(Sobol(), space, lambda values: 0.0, max_trials=2)


def test_scipy_is_imported_only_when_points_are_needed() -> None:
    code = "import sys, dialed.strategies as s; s.Sobol(); s.Auto(); print('scipy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
