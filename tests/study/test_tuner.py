"""`dialed.Tuner` over a real Keras model: from the first build to the last checkpoint."""

import logging
import os
import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

import dialed
from dialed.errors import CheckpointError, DataError, InvalidInputError, ObjectiveError, SpaceError, StudyError
from dialed.store import open_catalog
from dialed.trial import Cause, State

keras = pytest.importorskip("keras")

ROWS = np.random.default_rng(0).normal(size=(120, 4)).astype("float32")
LABELS = (ROWS[:, 0] + 0.5 * ROWS[:, 1] > 0).astype("int32")


def build(hp):
    model = keras.Sequential([keras.Input((4,))])
    for i in range(hp.Int("layers", 1, 2)):
        model.add(keras.layers.Dense(hp.Choice(f"units_{i}", [4, 8]), activation="relu"))
    model.add(keras.layers.Dense(2, activation="softmax"))
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fixed(hp):
    """A model with one hyperparameter and nothing else that varies: quick to search."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log", default=1e-2)
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture
def tune(tmp_path):
    """Make a tuner with its store in a folder of its own."""

    def make(hypermodel=fixed, objective="val_accuracy", **options):
        settings = {"max_trials": 3, "seed": 0, "confirm": False, "verbose": 0, "strategy": "random"}
        return dialed.Tuner(hypermodel, objective, store=str(tmp_path / "study.db"), **{**settings, **options})

    return make


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """One search that many tests look at: a conditional space, a tuned batch size, a confirmed winner."""
    store = str(tmp_path_factory.mktemp("searched") / "study.db")
    tuner = dialed.Tuner(
        build, "val_accuracy", max_trials=4, seed=1, verbose=0, strategy="random", store=store, name="shared"
    )
    # By chance alone, all rates of so short a search may be too small to learn anything in two epochs.
    tuner.enqueue({"learning_rate": 0.03, "units_0": 8})
    tuner.search(ROWS, LABELS, validation_split=0.25, epochs=2, batch_size=dialed.Choice([16, 32]))
    return tuner


def test_the_search_runs_to_its_budget(searched):
    assert len(searched.study.trials) == 4
    assert all(t.state is State.COMPLETED for t in searched.study.trials)


def test_the_first_trial_is_the_defaults(searched):
    first = searched.study.trials[0]
    assert first.source == "default"
    assert dict(first.values) == {"batch_size": 16, "layers": 1, "units_0": 4, "learning_rate": 1e-3}


def test_only_active_values_are_recorded(searched):
    for trial in searched.study.trials:
        assert ("units_1" in trial.values) == (trial.values["layers"] == 2)


def test_every_epoch_is_recorded_with_all_its_metrics(searched):
    for trial in searched.study.trials:
        reports = [r for r in searched.study.history(trial) if r.key.seed == trial.members[0].key.seed]
        assert [r.epoch for r in reports] == [1, 2]
        assert set(reports[0].metrics) >= {"loss", "accuracy", "val_loss", "val_accuracy"}
        assert all(r.seconds > 0 for r in reports)


def test_the_score_is_the_best_epoch_of_the_objective(searched):
    for trial in searched.study.trials:
        assert trial.score == max(trial.members[0].curve)


def test_the_winner_is_judged_by_fresh_seeds(searched):
    confirmation = searched.study.confirmation
    assert all(f.repeats >= 3 for f in confirmation.finalists)
    assert all(0.0 < searched.study.record.trial(f.trial).latency < 10.0 for f in confirmation.finalists)
    assert confirmation.sentence in " ".join(searched.summary().split())


def test_the_best_model_predicts_what_was_recorded(searched):
    """The weights of the best epoch, put back into a model, give the recorded score again."""
    trial, model = searched.best_trials(1)[0], searched.best_model()
    _, accuracy = model.evaluate(ROWS[90:], LABELS[90:], verbose=0)
    assert accuracy == pytest.approx(max(m.score for m in trial.members if m.purpose == "search"), abs=1e-6)


def test_an_ensemble_averages_the_models_that_it_chose(searched):
    ensemble = searched.ensemble(3)
    selection = ensemble.selection
    models = [searched.results.model(searched.study.record.trial(number)) for number in selection.trials]
    expected = np.mean([model.predict(ROWS[:5], verbose=0) for model in models], axis=0)
    np.testing.assert_allclose(ensemble.predict(ROWS[:5], verbose=0), expected, atol=1e-6)
    best = max(searched.study.trials, key=lambda trial: trial.score)
    assert selection.alone == pytest.approx(best.score, abs=1e-6)
    assert searched.study.record.trial(selection.trials[0]).score == best.score
    accuracies = [np.mean(m.predict(ROWS[90:], verbose=0).argmax(1) == LABELS[90:]) for m in (*models, ensemble)]
    assert accuracies[0] == pytest.approx(selection.alone, abs=1e-6)
    assert accuracies[-1] == pytest.approx(selection.score, abs=1e-6)
    assert selection.score >= selection.alone > 0.5
    assert selection.gain is not None
    assert re.search("On rows that did not choose it gains|No other stored model improves", str(selection))


def test_refit_trains_the_winner_on_all_the_data(searched):
    model = searched.refit(ROWS, LABELS)
    assert model.predict(ROWS[:3], verbose=0).shape == (3, 2)


@pytest.mark.parametrize("ask", ["confirm", "explain"])
def test_one_repeat_is_refused_where_an_interval_is_asked_for(searched, ask):
    with pytest.raises(InvalidInputError, match="`repeats` must be 2 or more.*no interval.*Got 1. Pass 5 or more"):
        getattr(searched, ask)(repeats=1)


@pytest.mark.slow
def test_more_repeats_can_be_asked_for_after_the_search(searched):
    confirmation = searched.confirm(top=1, repeats=4)
    assert {f.repeats for f in confirmation.finalists} <= {3, 4, 5}


@pytest.mark.slow
def test_a_second_run_of_the_script_trains_nothing_more(tune):
    first = tune(name="twice").search(ROWS, LABELS, validation_split=0.25, epochs=1)
    again = tune(name="twice").search(ROWS, LABELS, validation_split=0.25, epochs=1)
    assert [t.score for t in again.trials] == [t.score for t in first.trials]
    assert sum(t.epochs for t in again.trials) == 3


@pytest.mark.slow
def test_the_same_seed_gives_the_same_scores(tune, tmp_path):
    scores = [
        [t.score for t in tune(name=name).search(ROWS, LABELS, validation_split=0.25, epochs=1).trials]
        for name in ("a", "b")
    ]
    assert scores[0] == scores[1]


@pytest.mark.slow
def test_folds_and_repeats_are_members_and_every_value_is_kept(tune):
    study = tune(cv=3, repeats=2, max_trials=1).search(ROWS, LABELS, epochs=1)
    trial = study.trials[0]
    assert len({(m.key.seed, m.key.fold) for m in trial.members}) == 6
    assert trial.score == pytest.approx(np.mean([m.score for m in trial.members]))
    assert trial.spread == pytest.approx(np.std([m.score for m in trial.members], ddof=1))


def test_a_budget_in_epochs_holds_to_the_epoch(tune):
    study = tune(max_trials=None, max_epochs=5).search(ROWS, LABELS, validation_split=0.25, epochs=3)
    assert sum(t.epochs for t in study.trials) == 5


@pytest.mark.slow
def test_a_budget_in_time_stops_inside_a_training(tune):
    tuner = tune(max_trials=None, max_time=4.0)
    study = tuner.search(ROWS, LABELS, validation_split=0.25, epochs=100_000)
    assert study.record.finished_seconds < 4.0 + 1.5
    assert study.trials[-1].state is State.WAITING


@pytest.mark.slow
def test_epochs_can_be_tuned(tune):
    study = tune(max_trials=4).search(ROWS, LABELS, validation_split=0.25, epochs=dialed.Choice([1, 2]))
    assert {t.values["epochs"] for t in study.trials} == {1, 2}
    assert all(t.values["epochs"] == t.epochs for t in study.trials)


@pytest.mark.slow
def test_enqueued_values_are_tried_after_the_defaults_and_once(tune):
    for _ in range(2):
        tuner = tune(name="queue")
        tuner.enqueue({"learning_rate": 0.05})
        study = tuner.search(ROWS, LABELS, validation_split=0.25, epochs=1)
    assert [t.values["learning_rate"] for t in study.trials].count(0.05) == 1
    assert [t.source for t in study.trials][:2] == ["default", "enqueued"]


def test_values_that_diverge_are_a_failed_trial_with_its_cause(tune):
    def exploding(hp):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(hp.Choice("learning_rate", [1e-3, 1e30])), "mse")
        return model

    study = tune(exploding, "val_loss", strategy="grid", max_trials=None).search(
        ROWS, LABELS.astype("float32"), validation_split=0.25, epochs=3
    )
    assert study.trials[1].state is State.FAILED
    assert study.trials[1].cause in (Cause.NAN, Cause.DIVERGED)
    assert study.best_trial.number == 0


@pytest.mark.slow
def test_values_that_cannot_be_built_are_failed_trials(tune):
    def picky(hp):
        units = hp.Choice("units", [4, 8, 16])
        hp.require(units != 8, "eight is never right")
        if units == 16:
            raise ValueError("sixteen is too much")
        return fixed(hp)

    study = tune(picky, strategy="grid", max_trials=20)
    with pytest.raises(InvalidInputError, match="points="):
        study.search(ROWS, LABELS, validation_split=0.25, epochs=1)
    study = tune(picky, strategy=dialed.strategies.Grid(points=1), max_trials=None).search(
        ROWS, LABELS, validation_split=0.25, epochs=1
    )
    causes = {t.values["units"]: (t.cause, t.message) for t in study.trials}
    assert causes[8] == (Cause.INFEASIBLE, "eight is never right")
    assert causes[16][0] is Cause.BUILD
    assert "sixteen is too much" in causes[16][1]


@pytest.mark.slow
def test_too_large_models_are_failed_trials(tune):
    study = tune(build, max_parameters=30, max_trials=6).search(ROWS, LABELS, validation_split=0.25, epochs=1)
    for trial in study.trials:
        assert (trial.cause is Cause.TOO_LARGE) == (trial.parameters is None or trial.parameters > 30)


@pytest.mark.slow
def test_a_lost_checkpoint_is_told_with_what_to_do(tune, tmp_path):
    tuner = tune(name="lost")
    tuner.search(ROWS, LABELS, validation_split=0.25, epochs=1)
    for file in (tmp_path / "study.artifacts").rglob("*.npz"):
        file.unlink()
    with pytest.raises(CheckpointError):
        tuner.best_model()


def test_a_preview_measures_and_stores_nothing(tune, tmp_path):
    plan = tune(build, max_trials=5).preview(ROWS, LABELS, validation_split=0.25, epochs=2)
    assert (plan.trials, plan.epochs) == (5, 10)
    assert plan.seconds > 0
    assert "about 5 (5 members), until max_trials=5" in str(plan)
    assert not list(tmp_path.glob("*.db"))


def test_a_preview_says_which_trials_share_a_program_and_why_not(tune, tmp_path):
    def widths(hp):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
        name = hp.Choice("optimizer", ["SGD", "Adam"])
        rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log", default=1e-2)
        optimizer = getattr(keras.optimizers, name)(rate)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    data = {"validation_split": 0.25, "epochs": 2}
    tuner = tune(widths, engine="fused", max_trials=6, repeats=2, strategy="sobol")
    plan = tuner.preview(ROWS, LABELS, **data)
    assert (plan.sampled, plan.members, plan.programs) == (6, 12, 2)
    assert sum(planned.lanes for planned in plan.planned) == 12
    assert "Programs         about 2 to compile; of the first 6 trials\n" in str(plan)
    assert "Time             at most about" in str(plan)

    trained_in_python = [keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)]
    plan = tuner.preview(ROWS, LABELS, callbacks=trained_in_python, **data)
    assert plan.programs == 12
    assert re.search("6 trials by model.fit: .*callback", str(plan).lower())
    assert not list(tmp_path.iterdir())


def test_the_fused_engine_trains_the_same_trials(tune):
    """Six trials that differ in the learning rate alone are lanes of one program, with the scores of `model.fit`."""
    data = {"validation_split": 0.25, "epochs": 2}
    fit, fused = (
        tune(engine=engine, name=engine, max_trials=6, objective="val_loss", strategy="sobol").search(
            ROWS, LABELS, **data
        )
        for engine in ("fit", "fused")
    )
    assert {t.engine for t in fit.trials} == {"fit"}
    assert all(t.engine.startswith("fused") for t in fused.trials), [t.engine for t in fused.trials]
    assert [dict(t.values) for t in fit.trials] == [dict(t.values) for t in fused.trials]
    assert [t.score for t in fit.trials] == pytest.approx([t.score for t in fused.trials], rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"validation_split": 0.25, "epoch": 3}, InvalidInputError, "Got `epoch`. Did you mean `epochs`"),
        ({"validation_split": 0.25, "epochs": 0}, InvalidInputError, r"The `epochs` must be an int in the range \[1"),
        ({"validation_split": 0.25, "batch_size": 0.5}, InvalidInputError, "The `batch_size` must be an int"),
        ({"validation_split": dialed.Choice([0.1, 0.2])}, InvalidInputError, "`validation_split` must be the same"),
        ({}, ObjectiveError, "validation_split"),
        ({"validation_split": 0.25, "validation_data": (ROWS, LABELS)}, InvalidInputError, "validation_data"),
    ],
)
def test_bad_arguments_of_a_search_are_refused_before_any_training(tune, tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        tune().search(ROWS, LABELS, **arguments)
    assert open_catalog(str(tmp_path / "study.db")).studies() == []


def test_a_misspelt_objective_is_told_with_the_nearest_name(tune):
    with pytest.raises(ObjectiveError, match="val_accuracy"):
        tune(objective="val_acuracy").search(ROWS, LABELS, validation_split=0.25)


def test_bad_data_is_refused_before_any_training(tune):
    bad = ROWS.copy()
    bad[3, 1] = np.nan
    with pytest.raises(DataError, match="NaN"):
        tune().search(bad, LABELS, validation_split=0.25)
    with pytest.raises(DataError, match="120"):
        tune().search(ROWS, LABELS[:-1], validation_split=0.25)
    with pytest.raises(DataError, match="label"):
        tune().search(ROWS, LABELS + 5, validation_split=0.25)


@pytest.mark.slow
def test_a_changed_space_is_said_aloud_and_old_trials_keep_counting(tune, caplog):
    def wider(hp):
        hp.Choice("unused", ["a", "b"])
        return fixed(hp)

    tune(name="grown", max_trials=2).search(ROWS, LABELS, validation_split=0.25, epochs=1)
    with caplog.at_level(logging.WARNING, logger="dialed"):
        study = tune(wider, name="grown", max_trials=4).search(ROWS, LABELS, validation_split=0.25, epochs=1)
    assert "space of the study 'grown' changed" in caplog.text
    assert len(study.trials) == 4
    assert "unused" in study.trials[-1].values


@pytest.mark.slow
def test_changed_data_are_said_aloud(tune, caplog):
    tune(name="data", max_trials=1).search(ROWS, LABELS, validation_split=0.25, epochs=1)
    with caplog.at_level(logging.WARNING, logger="dialed"):
        tune(name="data", max_trials=2).search(ROWS + 1, LABELS, validation_split=0.25, epochs=1)
    assert "data of the study 'data' changed" in caplog.text


@pytest.mark.slow
def test_other_epochs_under_the_same_name_are_refused(tune):
    tune(name="epochs", max_trials=1).search(ROWS, LABELS, validation_split=0.25, epochs=1)
    with pytest.raises(StudyError, match="was begun with epochs=1, so it cannot go on with epochs=2"):
        tune(name="epochs", max_trials=2).search(ROWS, LABELS, validation_split=0.25, epochs=2)


def test_enqueued_names_must_exist(tune):
    tuner = tune()
    tuner.enqueue({"learning_rat": 0.05})
    with pytest.raises(SpaceError, match="Did you mean 'learning_rate'"):
        tuner.search(ROWS, LABELS, validation_split=0.25)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "fast"}, "The `engine` must be 'auto' or 'fit' or 'fused' in this version. Got 'fast'"),
        ({"compile_cache": 3}, "The `compile_cache` must be True, False or the path of a folder. Got 3"),
        ({"workers": -1}, r"The `workers` must be an int in the range \[0, inf\). Got -1"),
        ({"repeats": 0}, r"The `repeats` must be an int in the range \[1, inf\). Got 0"),
        ({"max_time": "soon"}, "The `max_time` must be a positive number"),
    ],
)
def test_bad_options_are_refused_by_the_constructor(tune, options, message):
    with pytest.raises(InvalidInputError, match=message):
        tune(**options)


def test_results_before_a_search_are_told_what_is_missing(tune):
    with pytest.raises(StudyError, match="`results` needs a search"):
        tune().best_model()


def test_the_callers_random_state_is_left_alone(tune):
    import random

    random.seed(5)
    np.random.seed(5)
    expected = (random.random(), np.random.random())
    random.seed(5)
    np.random.seed(5)
    tune(max_trials=1).search(ROWS, LABELS, validation_split=0.25, epochs=1)
    assert (random.random(), np.random.random()) == expected


QUIET_HOME = """
import dialed, keras, numpy as np

def build(hp):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Choice("rate", [0.1, 0.2])), "mse")
    return model

for name in "ab":
    tuner = dialed.Tuner(build, "val_loss", strategy="grid", confirm=False, name=name)
    tuner.search(np.zeros((8, 2)), np.zeros(8), validation_split=0.5)
"""


@pytest.mark.slow
def test_a_fresh_install_searches_with_nothing_configured_and_says_which_backend(tmp_path):
    if find_spec("tensorflow") is not None:
        pytest.skip("TensorFlow is installed, so Keras's own default runs")
    home = {name: value for name, value in os.environ.items() if name not in ("KERAS_BACKEND", "KERAS_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", QUIET_HOME],
        env={**home, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Backend: jax.") == 1
