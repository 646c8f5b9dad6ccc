"""Preparation inside the fold, from `search` to the loaded model: nothing leaks, and both engines train the same."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import dialed
from dialed.errors import InvalidInputError

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(3.0, 2.0, size=(60, 4)).astype("float32")
Y = (X[:, 0] + X[:, 1] > 6).astype("int32")


def build(hp):
    columns = hp.get("columns") if "columns" in hp.values else 4
    model = keras.Sequential([keras.Input((columns,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(hp.Float("rate", 0.01, 1.0, sampling="log", default=0.1)), "binary_crossentropy")
    return model


def normalising(hp):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Normalization(), keras.layers.Dense(1, activation="sigmoid")]
    )
    model.compile(keras.optimizers.SGD(hp.Float("rate", 0.01, 1.0, sampling="log", default=0.1)), "binary_crossentropy")
    return model


def scaled(hp, x_train, x_valid):
    mean, deviation = x_train.mean(0), x_train.std(0)
    return tuple(None if x is None else (x - mean) / deviation for x in (x_train, x_valid))


def cut(hp, x_train, x_valid):
    columns = hp.Int("columns", 2, 4, default=3)
    return tuple(None if x is None else x[:, :columns] for x in (x_train, x_valid))


def tuner(build, engine, **options):
    options = {"max_trials": 2, "strategy": "random", "confirm": False, **options}
    return dialed.Tuner(build, engine=engine, seed=1, store="sqlite:///:memory:", verbose=0, **options)


@pytest.mark.parametrize(("model", "prepare"), [(build, scaled), (normalising, None)])
def test_folds_are_lanes_that_train_as_fit_does(model, prepare, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = [
        tuner(model, engine, cv=2, max_trials=1).search(X, Y, epochs=2, batch_size=16, prepare=prepare)
        for engine in ("fit", "fused")
    ]
    for alone, lane in zip(*(study.trials for study in found), strict=True):
        assert lane.engine.startswith("fused-")
        assert [m.curve for m in lane.members] == [pytest.approx(m.curve, rel=1e-4) for m in alone.members]


def test_a_loaded_model_normalises_by_what_its_fold_trained_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = tuner(normalising, "auto", cv=2, max_trials=1)
    made.search(X, Y, epochs=2, batch_size=16)
    model, member = made.best_model(), min(made.study.best_trial.members, key=lambda m: m.score)
    assert np.asarray(model.layers[0](X)).mean(0) != pytest.approx(0.0, abs=1e-3)  # not of all the data
    fold = made.results.prepared.data.fold(member.key.fold)
    assert np.asarray(model.layers[0](fold.x)).mean(0) == pytest.approx(0.0, abs=1e-4)
    model.compile(loss="binary_crossentropy")
    assert model.evaluate(*fold.validation, verbose=0) == pytest.approx(member.score, rel=1e-4)
    whole = made.refit(X, Y)
    assert np.asarray(whole.layers[0](X)).mean(0) == pytest.approx(0.0, abs=1e-4)


def test_what_prepare_asks_is_tuned_and_such_trials_are_trained_by_fit_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = tuner(build, "auto", max_trials=3)
    study = made.search(X, Y, validation_split=0.25, epochs=1, prepare=cut)
    assert "columns" in study.space
    assert study.trials[0].values["columns"] == 3
    assert all("`prepare` asks `hp` for values" in trial.engine for trial in study.trials)
    assert [t.parameters for t in study.trials] == [t.values["columns"] + 1 for t in study.trials]
    assert made.best_model().input_shape == (None, study.best_values["columns"])
    assert made.refit(X, Y).input_shape == (None, study.best_values["columns"])


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda hp, x, v: x, r"`prepare\(hp, x_train, x_valid\)` must return both parts"),
        (dialed.Int(1, 2), "`prepare` must be the same for all trials"),
    ],
)
def test_a_broken_preparation_is_refused_before_anything_is_trained(prepare, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError, match=message):
        tuner(build, "auto").search(X, Y, validation_split=0.25, epochs=1, prepare=prepare)
