"""A population over a real Keras model: states are copied, new values hold, and both engines say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dialed
from dialed.strategies import PopulationBased
from dialed.trial import Cause, State

pytestmark = pytest.mark.slow  # each test compiles programs

keras = pytest.importorskip("keras")

ROWS = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
LABELS = (ROWS[:, 0] + 0.5 * ROWS[:, 1] > 0).astype("int32")


def build(hp: Any) -> Any:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 4, 8, step=4), "relu")])
    model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5, default=0.2)))
    model.add(keras.layers.Dense(2, activation="softmax"))
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log", default=1e-2)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


def search(path: Path, **options: Any) -> dialed.Tuner:
    """Search with a population; return the tuner."""
    settings: dict[str, Any] = {"max_trials": 5, "confirm": False, "engine": "fused", **options}
    settings.setdefault("strategy", PopulationBased(interval=2))
    tuner = dialed.Tuner(build, "val_loss", **settings, seed=0, verbose=0, store=str(path / "study.db"))
    tuner.search(ROWS, LABELS, validation_split=0.25, epochs=6, batch_size=24)
    return tuner


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dialed.Tuner:
    """A search that nothing disturbed, with its confirmation."""
    return search(tmp_path_factory.mktemp("whole"), name="whole", confirm=True)


def facts(tuner: dialed.Tuner) -> list[Any]:
    return [(t.values, t.origin, t.state, t.epochs) for t in tuner.study.trials]


@pytest.mark.slow
def test_both_engines_agree_on_who_is_copied_and_on_every_epoch(whole: dialed.Tuner, tmp_path: Path) -> None:
    fit = search(tmp_path, name="fit", engine="fit")
    assert facts(whole) == facts(fit)
    assert all(trial.engine.startswith("fused") for trial in whole.study.trials)
    for one, other in zip(whole.study.trials, fit.study.trials, strict=True):
        assert one.members[0].curve == pytest.approx(other.members[0].curve, rel=1e-4)


def test_copies_cost_no_more_trials_and_no_more_epochs(whole: dialed.Tuner) -> None:
    study = whole.study
    assert study._store.terms.changeable == ("dropout", "learning_rate")
    assert (study.record.begun, study.record.copies, len(study.trials)) == (5, 2, 7)
    assert sum(trial.epochs for trial in study.trials) == 5 * 6
    assert "5 of 5 trials and 2 copies" in study.summary()


def test_a_copy_is_told_as_a_schedule(whole: dialed.Tuner) -> None:
    study = whole.study
    last = next(trial for trial in reversed(study.trials) if trial.origin)
    schedule = study.schedule(last)
    assert len(schedule.per_epoch("learning_rate")) == 6
    assert set(schedule.changing) == {"dropout", "learning_rate"}
    assert study.schedule(last.number) == schedule
    with pytest.raises(dialed.errors.InvalidInputError, match="which has trials 0 to 6. Got 99"):
        study.schedule(99)


def test_a_confirmation_trains_a_copy_from_nothing_through_the_values_of_its_ancestors(whole: dialed.Tuner) -> None:
    judged = [member for trial in whole.study.trials for member in trial.confirmations]
    assert {member.epoch for member in judged} == {6}
    copies = [trial for trial in whole.study.trials if trial.origin and trial.confirmations]
    assert copies
    for trial in copies:
        assert trial.origin is not None
        for member in trial.confirmations:
            assert (len(member.curve), member.since) == (6, trial.origin.epoch)
            assert member.score == min(member.curve[member.since :])


@pytest.mark.slow
def test_a_refit_repeats_the_training_of_the_search_across_its_copies(whole: dialed.Tuner) -> None:
    from dialed.engine.refit import refit

    tuner = whole
    trial = next(t for t in reversed(tuner.study.trials) if t.origin)
    assert trial.origin is not None
    model = refit(
        tuner.results._prepared.recipe,
        trial.values,
        trial.members[0].key.seed,
        ROWS[:72],
        LABELS[:72],
        {"epochs": 6, "batch_size": 24, "validation_data": (ROWS[72:], LABELS[72:])},
        trial.origin.ancestors,
    )
    curve = trial.members[0].curve[trial.origin.epoch :]
    assert model.history.history["val_loss"] == pytest.approx(curve, rel=1e-4)


@pytest.mark.slow
def test_a_search_that_is_cut_off_and_resumed_ends_as_the_undisturbed_one(tmp_path: Path) -> None:
    options: dict[str, Any] = {"strategy": PopulationBased(population=5, interval=2)}
    undisturbed = search(tmp_path, name="undisturbed", **options)
    for epochs in (13, 22):
        search(tmp_path, name="cut", max_epochs=epochs, **options)
    assert facts(search(tmp_path, name="cut", **options)) == facts(undisturbed)


def test_a_hyperparameter_that_changes_shapes_fails_its_copy_once_with_the_reason(tmp_path: Path) -> None:
    tuner = search(tmp_path, name="a", strategy=PopulationBased(interval=2, tunable=["units"]))
    [copy] = [trial for trial in tuner.study.trials if trial.origin]
    assert (copy.state, copy.cause) == (State.FAILED, Cause.MISFIT)
    assert "`units` went from" in copy.message


@pytest.mark.slow
def test_a_preview_says_what_changes_and_what_it_costs(tmp_path: Path) -> None:
    tuner = dialed.Tuner(
        build, "val_loss", max_trials=5, strategy="population", store=str(tmp_path / "s.db"), verbose=0
    )
    plan = tuner.preview(ROWS, LABELS, validation_split=0.25, epochs=20)
    assert plan.strategy == (
        "5 trials side by side; every 2 epochs the worst 1 go on as copies of the best 1, with other values of "
        "dropout, learning_rate: 100 epochs."
    )


def test_a_plain_function_has_no_state_to_copy() -> None:
    with pytest.raises(dialed.errors.InvalidInputError, match="a function has none that could be copied"):
        dialed.optimize(
            lambda hp: 0.0, direction="min", epochs=5, strategy="population", max_trials=3, store="sqlite:///:memory:"
        )
