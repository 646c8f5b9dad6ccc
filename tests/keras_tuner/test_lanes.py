"""Searches of the drop-in that Dialed's engines train, and those that each trial trains by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dialed
import dialed.keras_tuner as kt
from dialed.keras_tuner.engine import lanes
from dialed.keras_tuner.errors import FatalTypeError, FatalValueError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int32")


def build(hp: kt.HyperParameters) -> Any:
    import keras

    units = hp.Int("units", 4, 8, step=4)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(2)])
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def searched(tuner: Any, **arguments: Any) -> Any:
    tuner.oracle.verbose = 0
    tuner.search(X, Y, **{"epochs": 2, "validation_split": 0.25, "verbose": 0, **arguments})
    return tuner


def random_search(folder: Path, hypermodel: Any = build, **options: Any) -> Any:
    options = {"objective": "val_loss", "max_trials": 3, "seed": 0, "directory": folder, "project_name": "p", **options}
    return kt.RandomSearch(hypermodel, **options)


def accuracy(model: Any) -> float:
    return float(model.evaluate(X[72:], Y[72:], verbose=0, return_dict=True)["loss"])


@pytest.mark.slow
def test_trials_are_trained_together_and_kept_as_kerastuner_keeps_them(tmp_path: Path) -> None:
    """Scores, metrics, files and models; the same in this session and in the next, and exactly what was scored."""
    tuner = searched(random_search(tmp_path, executions_per_trial=2))
    study = dialed.load("val_loss-2x2", str(tmp_path / "p" / "dialed.db"))
    assert all(trial.engine.startswith("fused") for trial in study.trials)
    best = tuner.oracle.get_best_trials()[0]
    trained = study.trials[tuner.oracle.members["val_loss-2x2"][best.trial_id]]
    assert best.score == pytest.approx(trained.score) and len(trained.members) == 2
    assert best.metrics.exists("accuracy") and best.status == "COMPLETED"
    files = {str(path.relative_to(tmp_path / "p")) for path in (tmp_path / "p").rglob("*") if path.is_file()}
    assert {"oracle.json", "tuner0.json", "trial_0/trial.json", "trial_2/trial.json"} <= files
    assert f"trial_{best.trial_id}/checkpoint.weights.h5" in files
    scores = [min(m.score for m in study.trials[n].members) for n in _ranked(tuner)]
    models = [accuracy(model) for model in tuner.get_best_models(2)]
    assert models == pytest.approx(scores[:2], rel=1e-4)
    later = random_search(tmp_path, executions_per_trial=2)
    assert [accuracy(model) for model in later.get_best_models(2)] == pytest.approx(models, rel=1e-6)
    values = later.get_best_hyperparameters()[0]
    assert set(values.values) == {"units", "learning_rate"} and later.remaining_trials == 0


def _ranked(tuner: Any) -> list[int]:
    numbers: Mapping[str, int] = next(iter(tuner.oracle.members.values()))
    return [numbers[trial.trial_id] for trial in tuner.oracle.get_best_trials(3)]


@pytest.mark.slow
def test_hyperband_goes_on_exactly_and_costs_what_its_formula_says(tmp_path: Path) -> None:
    """KerasTuner's promoted trials lose their optimizer's state, and its cost is 1.4 to 2.8 times the formula.

    A member that went on from epoch 1 to 4 has the losses of one that was trained for 4 epochs at once.
    """
    tuner = searched(
        kt.Hyperband(build, "val_loss", max_epochs=4, factor=2, seed=0, directory=tmp_path, project_name="h"), epochs=99
    )
    study = tuner._lanes.study
    promoted = [t for t in tuner.oracle.trials.values() if "tuner/trial_id" in t.hyperparameters.values]
    values = [t.hyperparameters.values for t in tuner.oracle.trials.values()]
    assert promoted and study.record.epochs == sum(v["tuner/epochs"] - v["tuner/initial_epoch"] for v in values)
    whole = next(t for t in study.trials if t.epochs == 4)
    direct = dialed.Tuner(
        lambda hp: build(_plain(whole.values)),  # type: ignore[arg-type]
        "val_loss", strategy=dialed.strategies.Manual([{}]), confirm=False, seed=study.record.terms.seed, verbose=0,
        store="sqlite:///:memory:",
    ).search(X, Y, epochs=4, validation_split=0.25)  # fmt: skip
    assert whole.members[0].curve == pytest.approx(direct.trials[0].members[0].curve, rel=1e-4)


def _plain(values: Mapping[str, Any]) -> kt.HyperParameters:
    hp = kt.HyperParameters()
    hp.values = dict(values)
    return hp


@pytest.mark.slow
def test_an_interrupted_search_goes_on_with_what_was_running(tmp_path: Path) -> None:
    """No trial is lost, none is begun twice, and an unfinished project continues."""

    class Stop(Exception):
        pass

    class Stopping(kt.RandomSearch):
        def on_trial_end(self, trial: Any) -> None:
            super().on_trial_end(trial)
            raise Stop

    arguments: dict[str, Any] = {"objective": "val_loss", "max_trials": 4, "seed": 0, "directory": tmp_path}
    with pytest.raises(Stop):
        searched(Stopping(build, **arguments))
    tuner = searched(kt.RandomSearch(build, **arguments))
    assert [t.status for t in tuner.oracle.trials.values()] == ["COMPLETED"] * 4
    assert len(tuner._lanes.study.trials) == 4
    assert sorted(next(iter(tuner.oracle.members.values())).values()) == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_trial_that_trains_by_itself_does_all_that_kerastuner_does(tmp_path: Path) -> None:
    """A `fit` of one's own, hooks, callbacks that are copied, checkpoints and models."""
    import keras

    called: list[str] = []

    class Counting(keras.callbacks.Callback):  # type: ignore[misc]
        seen = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seen += 1
            called.append(f"epoch {self.seen}")

    class Mine(kt.HyperModel):
        def build(self, hp: kt.HyperParameters) -> Any:
            return build(hp)

        def fit(self, hp: kt.HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
            return model.fit(*args, batch_size=hp.Choice("batch_size", [24, 48]), **kwargs)

    class Hooked(kt.RandomSearch):
        def on_epoch_end(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
            called.append(f"hook {epoch}")

        def on_batch_begin(self, trial: Any, model: Any, batch: int, logs: Any) -> None:
            called.append("batch")

    tuner = Hooked(Mine(), "val_loss", max_trials=2, seed=0, directory=tmp_path)
    searched(tuner, callbacks=[Counting()])
    assert [c for c in called if c != "batch"] == ["epoch 1", "hook 0", "epoch 2", "hook 1"] * 2
    assert "batch" in called and "batch_size" in tuner.get_best_hyperparameters()[0].values
    best = tuner.oracle.get_best_trials()[0]
    assert accuracy(tuner.get_best_models()[0]) == pytest.approx(best.score, rel=1e-4)
    with pytest.raises(FatalValueError, match="`callbacks` must be deep-copyable"):
        searched(random_search(tmp_path / "b"), callbacks=[_Uncopied()])


class _Uncopied:
    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("no")


@pytest.mark.slow
def test_hyperband_with_a_fit_of_ones_own_keeps_the_optimizer(tmp_path: Path) -> None:
    """The trial that goes on has the step count of the one before it."""
    steps: list[tuple[int, int]] = []

    class Mine(kt.HyperModel):
        def build(self, hp: kt.HyperParameters) -> Any:
            return build(hp)

        def fit(self, hp: kt.HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
            history = model.fit(*args, **kwargs)
            steps.append((kwargs["epochs"], int(model.optimizer.iterations.value)))
            return history

    searched(kt.Hyperband(Mine(), "val_loss", max_epochs=2, factor=2, seed=0, directory=tmp_path), batch_size=24)
    assert {step for epochs, step in steps if epochs == 2} == {6} and {e for e, _ in steps} == {1, 2}


def test_errors_come_before_any_training(tmp_path: Path) -> None:
    """A misspelt objective surfaces in KerasTuner after three whole trials."""
    with pytest.raises(dialed.errors.ObjectiveError, match="'val_accurac'"):
        searched(random_search(tmp_path / "a", objective=kt.Objective("val_accurac", "max")))
    with pytest.raises(FatalTypeError, match="`objective` is left unspecified"):
        searched(random_search(tmp_path / "b", objective=None))
    with pytest.raises(FatalTypeError, match="to return a Keras model"):
        searched(random_search(tmp_path / "c", hypermodel=lambda hp: hp.Int("x", 1, 2)))


@pytest.mark.slow
def test_an_oversized_model_is_a_failed_trial(tmp_path: Path) -> None:
    """It is not tried again, and the others go on."""
    tuner = searched(kt.GridSearch(_wide, "val_loss", max_model_size=40, directory=tmp_path, max_retries_per_trial=2))
    states = {t.hyperparameters["units"]: t.status for t in tuner.oracle.trials.values()}
    assert states == {4: "COMPLETED", 8: "FAILED"}
    assert "Oversized model: 58 parameters" in next(t.message for t in tuner.oracle.trials.values() if t.message)


def _wide(hp: kt.HyperParameters) -> Any:
    fixed = hp.copy()
    fixed.values["units"] = hp.Choice("units", [4, 8])
    return build(fixed)


def test_what_dialed_cannot_train_alike_is_trained_by_itself(tmp_path: Path) -> None:
    """Each with its reason."""
    import keras

    def reason(tuner: Any, *args: Any, **arguments: Any) -> str:
        return lanes.reason_against(tuner, args or (X, Y), arguments)

    class Own(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            return 1.0

    def ranges(hp: kt.HyperParameters) -> None:
        kind = hp.Choice("kind", ["a", "b"])
        with hp.conditional_scope("kind", ["a"]):
            hp.Int("n", 1, 2) if kind == "a" else None
        with hp.conditional_scope("kind", ["b"]):
            hp.Int("n", 5, 6) if kind == "b" else None

    plain = random_search(tmp_path)
    assert reason(plain) == ""
    assert reason(random_search(tmp_path, engine="fit")) == "engine='fit'"
    assert reason(Own(build, "val_loss", directory=tmp_path)) == "Own has its own `run_trial`"
    assert reason(random_search(tmp_path, ranges, overwrite=True)) == "`n` has different ranges in different scopes"
    assert reason(random_search(tmp_path, overwrite=True, objective=["val_loss", "loss"])) == "several objectives"
    assert reason(plain, steps=3) == "`search` was given steps"
    assert reason(plain, X, Y, 32).startswith("`search` was given positional arguments")
    assert reason(plain, iter([X])) == "a generator, which can be read once"
    board = keras.callbacks.TensorBoard(str(tmp_path))
    assert reason(plain, callbacks=[board]) == "the callback TensorBoard"


@pytest.mark.slow
def test_values_that_the_user_fixed_reach_the_build(tmp_path: Path) -> None:
    """`hyperparameters=` goes before what is asked for; with `tune_new_entries=False` the rest keeps its defaults."""
    hp = kt.HyperParameters()
    hp.Fixed("learning_rate", 0.02)
    hp.Choice("seen", [1, 2])
    seen: list[Any] = []

    def reading(hp: kt.HyperParameters) -> Any:
        seen.append(hp.get("seen"))
        return build(hp)

    tuner = searched(random_search(tmp_path, reading, hyperparameters=hp, tune_new_entries=False, max_trials=2))
    trials = [trial.hyperparameters.values for trial in tuner.oracle.trials.values()]
    assert sorted((v["learning_rate"], v["seen"]) for v in trials) == [(0.02, 1), (0.02, 2)] and {1, 2} <= set(seen)


@pytest.mark.slow
def test_a_confirmation_is_made_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `confirm=True` the winner of the race on fresh seeds is the best trial."""
    tuner = searched(random_search(tmp_path, confirm=True))
    winner = tuner._lanes.study.confirmation.winner
    assert tuner.oracle.members["val_loss-2x1"][tuner.oracle.get_best_trials()[0].trial_id] == winner
    assert "Winner: trial" in capsys.readouterr().out
