"""Which engine trains a search, and in what groups: as many as pay, and no more than the strategy and the budget allow."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

import dialed
from dialed.engine.data import Data
from dialed.engine.recipe import Recipe
from dialed.events import Report, TrialStarted
from dialed.search import Auto, Bayesian, Grid, OneAtATime, Random, Sobol
from dialed.study.engines import LANES, LANES_OF_LEARNERS, TRIALS_WORTH_A_PROCESS, lanes_of, start_early

ROWS = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
LABELS = (ROWS[:, 0] > 0).astype("int32")


def build(hp: Any) -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1)), "sparse_categorical_crossentropy")
    return model


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """A dataset that makes its own batches."""

    num_batches = 2

    def __getitem__(self, index: int) -> Any:
        return ROWS[:8], LABELS[:8]


def prepared(data: Data, max_trials: int | None = None) -> Any:
    return SimpleNamespace(recipe=Recipe(build, {}), data=data, terms=SimpleNamespace(max_trials=max_trials))


@pytest.mark.parametrize(
    ("strategy", "lanes"),
    [
        (Random(), LANES),
        (Grid(), LANES),
        (Sobol(), LANES),
        (Auto(), LANES_OF_LEARNERS),
        (Bayesian(), LANES_OF_LEARNERS),
        (OneAtATime(), LANES_OF_LEARNERS),
    ],
)
def test_strategies_that_learn_decide_in_smaller_groups(strategy: Any, lanes: int) -> None:
    search = prepared(Data.of(ROWS, LABELS))
    assert lanes_of("auto", search, strategy) == lanes_of("fused", search, strategy) == lanes
    assert lanes_of("fit", search, strategy) == 1


def test_what_cannot_share_a_program_is_decided_one_by_one() -> None:
    assert lanes_of("fused", prepared(Data.of(Batches())), Random()) == 1


@pytest.mark.parametrize(("trials", "lanes"), [(None, LANES), (TRIALS_WORTH_A_PROCESS, LANES), (7, 1)])
def test_on_another_backend_few_trials_are_not_worth_a_process(
    monkeypatch: pytest.MonkeyPatch, trials: int | None, lanes: int
) -> None:
    facts = SimpleNamespace(name="torch")
    monkeypatch.setattr("dialed.study.engines.backend_facts", lambda: facts)
    search = prepared(Data.of(ROWS, LABELS), trials)
    assert lanes_of("auto", search, Random()) == lanes
    assert lanes_of("fused", search, Random()) == LANES


def test_no_process_is_started_where_it_could_not_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start_early("auto", ROWS, own_fit=False, max_trials=None) is None  # Keras is on JAX here
    facts = SimpleNamespace(name="torch")
    monkeypatch.setattr("dialed.study.engines.backend_facts", lambda: facts)
    assert start_early("fit", ROWS, own_fit=False, max_trials=None) is None
    assert start_early("auto", ROWS, own_fit=False, max_trials=7) is None
    assert start_early("fused", ROWS, own_fit=True, max_trials=7) is None
    assert start_early("fused", Batches(), own_fit=False, max_trials=7) is None


class Watching:
    """Remembers how many trials were begun before each report."""

    def __init__(self) -> None:
        self.begun = 0
        self.before: list[int] = []

    def on_event(self, event: Any) -> None:
        self.begun += isinstance(event, TrialStarted)
        if isinstance(event, Report):
            self.before.append(self.begun)


def search(folder: Path, watching: Watching, *enqueued: float, **options: Any) -> dialed.Study:
    tuner = dialed.Tuner(
        build,
        "val_loss",
        strategy="random",
        seed=0,
        engine="fused",
        confirm=False,
        verbose=0,
        compile_cache=False,
        store=str(folder / "study.db"),
        observers=[watching],
        **options,
    )
    for rate in enqueued:
        tuner.enqueue({"rate": rate})
    return tuner.search(ROWS, LABELS, validation_split=0.25, epochs=3)


def test_a_budget_in_epochs_holds_to_the_epoch_in_groups_too(tmp_path: Path) -> None:
    watching = Watching()
    study = search(tmp_path, watching, max_epochs=8)
    assert sum(trial.epochs for trial in study.trials) == 8
    assert watching.before == [2] * 6 + [3] * 2  # two whole trainings together, and the rest alone


def test_under_a_budget_in_time_groups_grow_with_what_was_trained(tmp_path: Path) -> None:
    watching = Watching()
    study = search(tmp_path, watching, max_trials=13, max_time="5m")
    assert sorted(set(watching.before)) == [4, 8, 13]
    assert len(study.trials) == 13


def test_what_is_enqueued_goes_between_the_defaults_and_the_first_group(tmp_path: Path) -> None:
    watching = Watching()
    study = search(tmp_path, watching, 0.02, 0.03, max_trials=5)
    assert [trial.source for trial in study.trials] == ["default", "enqueued", "enqueued", "strategy", "strategy"]
    assert [trial.values["rate"] for trial in study.trials][1:3] == [0.02, 0.03]
    assert sorted(set(watching.before)) == [1, 3, 5]
    assert study.settings["backend"] == keras.backend.backend()
