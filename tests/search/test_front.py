"""Fronts against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from dialed.objectives import Constraint
from dialed.search import Terms
from dialed.search.front import crowding, front_of, hypervolume, knee_of, losses_of, non_dominated, ranks
from dialed.trial import Objective, State, Trial

TERMS = Terms(
    objective=Objective("accuracy", "max"),
    others=(Objective("parameters", "min"),),
    constraints=(Constraint("recall", min=0.5),),
)
POINTS = arrays.arrays(float, some.tuples(some.integers(1, 12), some.integers(2, 4)), elements=some.integers(0, 5))


def _naive(losses: np.ndarray) -> list[bool]:
    return [not any((b <= a).all() and (b < a).any() for b in losses) for a in losses]


@given(POINTS)
def test_the_front_is_what_no_point_dominates(losses: np.ndarray) -> None:
    assert non_dominated(losses).tolist() == _naive(losses)


@given(POINTS)
def test_each_rank_is_the_front_of_what_is_left(losses: np.ndarray) -> None:
    found = ranks(losses)
    for rank in range(found.max() + 1):
        left = np.flatnonzero(found >= rank)
        assert set(left[_naive(losses[left])]) == set(np.flatnonzero(found == rank))


@given(POINTS)
def test_the_hypervolume_counts_the_unit_cells_that_are_dominated(losses: np.ndarray) -> None:
    """With whole numbers, the volume is a count of cells."""
    size = losses.shape[1]
    corners = np.stack(np.meshgrid(*[np.arange(6)] * size), axis=-1).reshape(-1, size)
    dominated = (losses[:, None, :] <= corners).all(axis=2).any(axis=0)
    assert hypervolume(losses, [6.0] * size) == pytest.approx(dominated.sum())


def test_points_beyond_the_reference_add_nothing() -> None:
    assert hypervolume(np.array([[1.0, 5.0], [0.0, 0.0]]), (1.0, 1.0)) == 1.0
    assert hypervolume(np.zeros((0, 2)), (1.0, 1.0)) == 0.0


def test_crowding_is_the_room_between_neighbours() -> None:
    points = np.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0]])
    assert crowding(points).tolist() == [np.inf, 2.0, np.inf]


def _trial(number: int, score: float | None, parameters: int | None, recall: float = 1.0, **rest: object) -> Trial:
    known = {"score": score, "parameters": parameters, "metrics": {"recall": recall}, "state": State.COMPLETED, **rest}
    return Trial(number=number, values={}, **known)  # type: ignore[arg-type]


def test_the_front_of_trials_knows_directions_failures_and_constraints() -> None:
    trials = [
        _trial(0, 0.8, 100),
        _trial(1, 0.9, 200),
        _trial(2, 0.7, 150),  # worse than 0 in both
        _trial(3, 0.99, 10, recall=0.1),  # breaks the constraint
        _trial(4, 0.99, 10, state=State.FAILED),
        _trial(5, 0.99, None),  # nobody knows its size
        _trial(6, None, 1),
    ]
    assert [trial.number for trial in front_of(trials, TERMS)] == [1, 0]
    assert losses_of(trials[:1], TERMS).tolist() == [[-0.8, 100.0]]


def test_the_front_of_nothing_is_empty() -> None:
    assert front_of([], TERMS) == []


def test_the_knee_is_where_a_front_bends():
    bent = np.array([[0.0, 1.0], [0.1, 0.15], [0.5, 0.1], [1.0, 0.0]])
    assert knee_of(bent) == 1


def test_a_straight_front_and_a_front_of_two_have_no_knee():
    assert knee_of(np.array([[0.0, 1.0], [1.0, 0.0]])) is None
    assert knee_of(np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])) is None


def test_sizes_are_weighed_by_their_logarithms():
    """By the sizes themselves, the three smallest models would look alike."""
    front = np.array([[0.30, 1e2], [0.10, 1e3], [0.09, 1e4], [0.08, 1e6]])
    assert knee_of(front, ["val_loss", "parameters"]) == 1
