"""Strategies that train in rungs, over a real Keras model: paused trials go on from their checkpoints."""

import numpy as np
import pytest

import dialed
from dialed.study import arguments
from dialed.trial import State

pytestmark = pytest.mark.slow  # each test compiles programs

keras = pytest.importorskip("keras")

ROWS = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
LABELS = (ROWS[:, 0] + 0.5 * ROWS[:, 1] > 0).astype("int32")


def build(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log", default=1e-2)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


@pytest.fixture
def searched(tmp_path):
    """Search with a strategy; return the tuner."""

    def search(strategy, engine, *, name, build=build, **options):
        tuner = dialed.Tuner(
            build,
            "val_loss",
            **{"max_trials": 9, **options},
            seed=0,
            confirm=False,
            verbose=0,
            engine=engine,
            strategy=strategy,
            store=str(tmp_path / "study.db"),
            name=name,
        )
        tuner.search(ROWS, LABELS, validation_split=0.25, epochs=3, batch_size=24)
        return tuner

    return search


@pytest.mark.parametrize("engine", [pytest.param("fit", marks=pytest.mark.slow), "fused"])
@pytest.mark.parametrize("strategy", ["successive_halving", "hyperband", "asha"])
def test_what_is_trained_in_rungs_learns_as_if_trained_at_once(searched, strategy, engine):
    rungs = searched(strategy, engine, name="rungs").study
    once = searched(dialed.strategies.Manual([t.values for t in rungs.trials]), engine, name="once").study
    assert len(rungs.trials) == 9
    assert {trial.epochs for trial in rungs.trials} == {1, 3}
    full = {repr(trial.values): trial.members[0].curve for trial in once.trials}
    for trial in rungs.trials:
        assert trial.members[0].curve == pytest.approx(full[repr(trial.values)][: trial.epochs], rel=1e-5)


def build_scheduled(hp):
    """Decays to nothing over the full training: 3 epochs of 3 steps."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    rate = hp.Float("learning_rate", 1e-2, 1.0, sampling="log", default=1e-1)
    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(rate, 9)), "sparse_categorical_crossentropy"
    )
    return model


@pytest.mark.parametrize("engine", [pytest.param("fit", marks=pytest.mark.slow), "fused"])
def test_a_schedule_follows_the_full_training_and_not_the_rung(searched, engine):
    rungs = searched("hyperband", engine, name="rungs", build=build_scheduled, max_trials=5).study
    values = [trial.values for trial in rungs.trials]
    once = searched(dialed.strategies.Manual(values), engine, name="once", build=build_scheduled, max_trials=5).study
    assert {trial.epochs for trial in rungs.trials} == {1, 3}
    full = {repr(trial.values): trial.members[0].curve for trial in once.trials}
    for trial in rungs.trials:
        curve = full[repr(trial.values)]
        assert trial.members[0].curve == pytest.approx(curve[: trial.epochs], rel=1e-5)
        assert abs(curve[2] - curve[1]) < 0.5 * abs(curve[1] - curve[0])  # it came to rest at the end, not on each rung


@pytest.mark.slow
def test_a_resumed_search_ends_as_the_undisturbed_one(searched):
    whole = searched("asha", "fit", name="whole").study
    searched("asha", "fit", name="cut", max_epochs=7)
    resumed = searched("asha", "fit", name="cut").study
    assert [(t.values, t.epochs) for t in resumed.trials] == [(t.values, t.epochs) for t in whole.trials]
    assert any(trial.state is State.PAUSED for trial in whole.trials)


def test_a_preview_shows_what_a_round_costs(tmp_path):
    tuner = dialed.Tuner(build, "val_loss", max_trials=9, strategy="hyperband", store=str(tmp_path / "s.db"), verbose=0)
    plan = tuner.preview(ROWS, LABELS, validation_split=0.25, epochs=9)
    assert plan.strategy.startswith(
        "9, 3, 1 trials to 1, 3, 9 epochs; 5, 1 trials to 3, 9 epochs; 3 trials to 9 epochs"
    )
    assert f"Strategy         {plan.strategy}" in str(plan)
    assert plan.epochs == 37  # 9 of 17 trials, which take 69 epochs


@pytest.mark.parametrize(
    ("budget", "epochs", "trials", "start"),
    [
        ({"max_trials": 6}, 6 * 9, 6, "A trial pauses after 1, 3, 9 epochs"),
        (
            {"max_epochs": 90},
            90,
            39,
            "Many trials begin, and the third with the best prospects goes on at 1, 3, 9 epochs",
        ),
    ],
)
def test_a_preview_of_what_is_chosen_says_why_and_counts_its_epochs(
    monkeypatch, tmp_path, budget, epochs, trials, start
):
    monkeypatch.setattr(arguments, "BEGINNING_SECONDS", 0.0)  # or it would not pay to pause so small a training
    tuner = dialed.Tuner(build, "val_loss", **budget, store=str(tmp_path / "s.db"), verbose=0)
    plan = tuner.preview(ROWS, LABELS, validation_split=0.25, epochs=9)
    assert (plan.epochs, plan.trials) == (epochs, trials)
    assert plan.strategy.startswith(start)
