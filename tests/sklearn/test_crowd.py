"""Candidates times folds as members: who shares a training, and who must be trained alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from dialed.sklearn import KerasClassifier
from dialed.sklearn.crowd import Place, _courses, joined, reason_alone


class Own(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback of the user's."""


class AtTheEnd(keras.callbacks.Callback):  # type: ignore[misc]
    """One that may change the model."""

    def on_train_end(self, logs: Any = None) -> None:
        self.model.set_weights([])


def build() -> keras.Model:
    """Never called here."""
    raise AssertionError("nothing is built")


def place(candidate: int, seed: int = 0, **parameters: Any) -> Place:
    """A candidate in some fold."""
    cell: Any = SimpleNamespace()
    return Place(candidate, 0, KerasClassifier(build, **parameters), cell, seed, {})


def stops(places: list[Place], epochs: list[int], **values: list[Any]) -> list[dict[int, list[int]]]:
    """For each training the candidates that end after so many epochs."""
    given = [
        {"epochs": count, **{name: column[row] for name, column in values.items()}} for row, count in enumerate(epochs)
    ]
    courses = _courses(places, values.get("fold", [0] * len(places)), given, epochs)
    return [{end: [p.candidate for p in served] for end, served in course.stops.items()} for course in courses]


def test_what_differs_in_epochs_alone_is_one_training() -> None:
    """The one with the most epochs; equal candidates are trained once too."""
    assert stops([place(i) for i in range(4)], [10, 20, 5, 10]) == [{5: [2], 10: [0, 3], 20: [1]}]


@pytest.mark.parametrize("different", [{"fold": [0, 1]}, {"model/units": [8, 16]}, {"batch_size": [32, 64]}])
def test_what_differs_otherwise_is_not(different: dict[str, list[Any]]) -> None:
    """Folds, the model, arguments of `fit`."""
    assert stops([place(0), place(1)], [10, 20], **different) == [{10: [0]}, {20: [1]}]


def test_other_seeds_are_other_trainings() -> None:
    """So it is with `random_state=None`, where each training draws one."""
    assert stops([place(0, seed=1), place(1, seed=2)], [10, 20]) == [{10: [0]}, {20: [1]}]


@pytest.mark.parametrize(
    ("callback", "shared"),
    [
        (keras.callbacks.EarlyStopping(), True),
        (keras.callbacks.ReduceLROnPlateau(), True),
        (keras.callbacks.CSVLogger("log.csv"), False),
        (Own(), False),
    ],
)
def test_callbacks_that_may_know_the_end_keep_trainings_apart(callback: Any, shared: bool) -> None:
    """They are told how many epochs are to come, or write files."""
    both = [place(i, callbacks=[callback]) for i in (0, 1)]
    assert len(stops(both, [10, 20])) == (1 if shared else 2)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({}, ""),
        ({"epochs": 3, "shuffle": False, "validation_split": 0.1, "callbacks": keras.callbacks.EarlyStopping()}, ""),
        ({"steps_per_epoch": 3}, "`steps_per_epoch` is only for `model.fit`"),
        ({"callbacks": [AtTheEnd()]}, "AtTheEnd may change the model at the end of its training"),
    ],
)
def test_what_an_engine_would_not_do_as_fit_does_is_trained_alone(parameters: dict[str, Any], reason: str) -> None:
    """With its reason."""
    assert reason_alone(KerasClassifier(build, **parameters)) == reason


def test_arrays_that_cells_share_lie_there_once() -> None:
    """Rows of each fold point into what was put behind each other."""
    whole, other = (SimpleNamespace(x=np.full((rows, 2), rows), codes=np.arange(rows), weight=None) for rows in (3, 4))
    cells: list[Any] = [
        SimpleNamespace(
            estimator=SimpleNamespace(target_=SimpleNamespace(for_model=lambda codes, form: codes)),
            prepared=prepared,
            train=np.array([0, 2]),
            held_out=np.array([1]),
        )
        for prepared in (whole, whole, other)
    ]
    data = joined(cells, "plain")
    assert len(data.training.x) == 7
    assert [fold.train.tolist() for fold in data.cross_validation] == [[0, 2], [0, 2], [3, 5]]
    assert [fold.test.tolist() for fold in data.cross_validation] == [[1], [1], [4]]
