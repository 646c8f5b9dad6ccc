"""Grid: every combination, lazily."""

from __future__ import annotations

from typing import Any

import pytest

from dialed.errors import InvalidInputError, SpaceError
from dialed.search import Grid, History, Terms, generator
from dialed.space import Choice, Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Objective

TERMS = Terms(objective=Objective(name="loss", direction="min"))


def _values(history: History) -> list[tuple[Any, ...]]:
    return [tuple(trial.values.values()) for trial in history.trials]


def test_golden_sequence(mixed: Space) -> None:
    history = simulate(Grid(points=3), mixed, lambda values: 0.0, max_trials=7)
    assert _values(history) == [
        (0.001, 0.0, "adam"),
        (0.0001, 0.0, "adam"),
        (0.0001, 0.0, "sgd", 0.0),
        (0.0001, 0.0, "sgd", 0.45),
        (0.0001, 0.0, "sgd", 0.9),
        (0.0001, 0.25, "adam"),
        (0.0001, 0.25, "sgd", 0.0),
    ]


def test_a_grid_is_the_product_of_its_values_without_inactive_differences(small: Space) -> None:
    history = simulate(Grid(), small, lambda values: 0.0)
    assert len(history) == small.size() == 12
    assert ("adam", 1) in _values(history)
    assert ("sgd", 0.5, 2, 16) in _values(history)


def test_points_hold_both_ends_and_lie_evenly_on_the_scale() -> None:
    space = Space([Hyperparameter("rate", Float(1e-4, 1e-2, sampling="log"))])
    assert _values(simulate(Grid(points=5), space, lambda values: 0.0)) == [
        (pytest.approx(rate),) for rate in (1e-4, 10**-3.5, 1e-3, 10**-2.5, 1e-2)
    ]


def test_points_by_name_thin_out_integers_too() -> None:
    space = Space([Hyperparameter("units", Int(0, 100)), Hyperparameter("rate", Float(0.0, 1.0))])
    history = simulate(Grid(points={"units": 3, "rate": 2}), space, lambda values: 0.0)
    assert _values(history) == [(u, r) for u in (0, 50, 100) for r in (0.0, 1.0)]


def test_without_the_default_only_the_grid_is_tried() -> None:
    space = Space([Hyperparameter("rate", Float(0.0, 1.0, default=0.3))])
    assert _values(simulate(Grid(points=2), space, lambda values: 0.0)) == [(0.3,), (0.0,), (1.0,)]
    assert _values(simulate(Grid(points=2, default_first=False), space, lambda values: 0.0)) == [(0.0,), (1.0,)]


def test_an_open_float_is_refused_before_any_trial_with_an_offer_of_points(mixed: Space) -> None:
    with pytest.raises(SpaceError, match=r"`rate` must have a finite number of values.*points="):
        simulate(Grid(), mixed, lambda values: 0.0)


def test_points_for_an_unknown_name_are_refused(mixed: Space) -> None:
    with pytest.raises(SpaceError, match="`points` must name hyperparameters of the space"):
        simulate(Grid(points={"rat": 3, "rate": 3, "dropout": 3, "momentum": 3}), mixed, lambda values: 0.0)


def test_a_hyperparameter_with_millions_of_values_is_refused_unless_it_is_thinned() -> None:
    space = Space([Hyperparameter("units", Int(0, 10**9))])
    with pytest.raises(SpaceError, match=r"at most 100000 values .* Got `units` with 1000000001"):
        simulate(Grid(), space, lambda values: 0.0)
    assert len(simulate(Grid(points={"units": 3}), space, lambda values: 0.0)) == 3


@pytest.mark.parametrize("points", [0, -1, 2.5, True, "5", {"rate": 0}, {"rate": None}])
def test_points_must_be_counts(points: Any) -> None:
    with pytest.raises(InvalidInputError, match="`points` of a Grid must be an int in the range"):
        Grid(points=points)


def test_a_grid_of_a_thousand_million_is_read_only_as_far_as_it_is_tried(huge: Space) -> None:
    history = simulate(Grid(), huge, lambda values: 0.0, max_trials=300)
    assert [int("".join(map(str, values))) for values in _values(history)] == list(range(300))


def test_a_trial_costs_the_same_however_many_came_before(huge: Space) -> None:
    """Counted, not timed: each decision reads a bounded number of new combinations."""
    reads = _Counting(huge)
    simulation = Simulation(Grid(), reads, lambda values: 0.0, terms=TERMS)
    simulation.run(400)
    assert reads.count <= 402


class _Counting(Space):
    """A space that counts what is read of its enumeration."""

    __slots__ = ("count",)

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        self.count = 0

    def enumerate(self, points: Any = None) -> Any:
        for values in super().enumerate(points):
            self.count += 1
            yield values


def test_a_grid_made_anew_in_the_middle_goes_on_where_it_was(huge: Space) -> None:
    simulation = Simulation(Grid(), huge, lambda values: 0.0, terms=TERMS)
    history = simulation.run(200)
    replayed = History(TERMS, simulation.events)
    live = Grid().decide(huge, history, generator(history), 3)
    assert Grid().decide(huge, replayed, generator(replayed), 3) == live


def test_a_value_that_a_resumed_study_lost_does_not_disturb_the_grid() -> None:
    wide = Space([Hyperparameter("unit", Choice(["relu", "tanh", "elu"]))])
    narrow = Space([Hyperparameter("unit", Choice(["tanh", "gelu", "relu"]))])
    simulation = Simulation(Grid(), wide, lambda values: 0.0, terms=TERMS)
    simulation.run()
    simulation.space = narrow
    assert _values(simulation.run()) == [("relu",), ("tanh",), ("elu",), ("gelu",)]
