"""Warm start: what earlier studies found is part of a new study's record."""

from __future__ import annotations

from pathlib import Path

import pytest

import dialed
from dialed.errors import InvalidInputError, StudyError
from dialed.study.study import Study

SPACE = {"x": dialed.Float(0.0, 1.0, default=0.9), "y": dialed.Float(0.0, 1.0, default=0.9)}


def _loss(hp: dialed.HyperParameters) -> float:
    return float((hp.values["x"] - 0.3) ** 2 + (hp.values["y"] - 0.3) ** 2)


def _search(store: str, name: str, **changed: object) -> Study:
    arguments: dict[str, object] = {"space": SPACE, "max_trials": 6, "seed": 0, "verbose": 0, **changed}
    return dialed.optimize(_loss, name=name, store=store, **arguments)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'dialed.db'}"


def test_the_best_of_an_earlier_study_follow_the_defaults(store: str) -> None:
    old = _search(store, "old", max_trials=15)
    new = _search(store, "new", warm_start="old")
    assert [trial.source for trial in new.trials[:2]] == ["default", "enqueued"]
    assert old.best_trial is not None and new.trials[1].values == old.best_trial.values


@pytest.mark.parametrize("strategy", ["random", "sobol", "bayesian"])
def test_every_strategy_tries_them(store: str, strategy: str) -> None:
    old = _search(store, "old", max_trials=8, strategy="random")
    new = _search(store, "new", warm_start=[old], strategy=strategy)
    assert "enqueued" in [trial.source for trial in new.trials]


def test_what_was_taken_over_survives_the_earlier_study_and_a_resume(store: str, tmp_path: Path) -> None:
    old = _search(store, "old", max_trials=10, strategy="random")
    bayesian = dialed.strategies.Bayesian(start=2)
    whole = _search(store, "whole", warm_start=old, strategy=bayesian, max_trials=9)
    _search(store, "parts", warm_start=old, strategy=bayesian, max_trials=5)
    parts = _search(store, "parts", strategy=bayesian, max_trials=9)
    assert [t.values for t in parts.trials] == [t.values for t in whole.trials]
    again = dialed.load("parts", store).record.earlier
    assert [event.source for event in again] == ["old (objective)"] and len(again[0].trials) == 10


def test_a_study_is_taken_in_once(store: str) -> None:
    _search(store, "old", strategy="random")
    for trials in (3, 6):
        new = _search(store, "new", warm_start="old", max_trials=trials)
    assert len(new.record.earlier) == 1


def test_a_study_that_is_not_there_is_named_with_its_neighbours(store: str) -> None:
    _search(store, "mnist", strategy="random", max_trials=2)
    with pytest.raises(StudyError, match="Did you mean 'mnist'"):
        _search(store, "new", warm_start="mnits")


def test_what_is_no_study_is_refused(store: str) -> None:
    with pytest.raises(InvalidInputError, match="`warm_start` must be a study, its name in the same store"):
        _search(store, "new", warm_start=3)
    with pytest.raises(InvalidInputError, match="`warm_start` must be another study"):
        _search(store, "new", warm_start="new")


def test_a_study_without_a_score_is_refused(store: str) -> None:
    dialed.create_study(SPACE, name="empty", store=store)
    with pytest.raises(InvalidInputError, match="`warm_start` must be a study with a score"):
        _search(store, "new", warm_start="empty")


def test_a_study_that_took_the_other_direction_for_better_is_refused(store: str) -> None:
    _search(store, "old", direction="max", strategy="random", max_trials=2)
    with pytest.raises(InvalidInputError, match="must improve 'objective' the same way"):
        _search(store, "new", warm_start="old")


def test_a_study_of_another_space_is_refused(store: str) -> None:
    dialed.optimize(
        lambda hp: hp.Float("z", 0.0, 1.0), max_trials=2, strategy="random", name="old", store=store, verbose=0
    )
    with pytest.raises(InvalidInputError, match="must have trials inside the space"):
        _search(store, "new", warm_start="old")
