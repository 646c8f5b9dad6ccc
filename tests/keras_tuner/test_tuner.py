"""Tuners that train in their own way: what they may return, the hooks, the errors, the files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import dialed.keras_tuner as kt
from dialed.keras_tuner.engine.base_tuner import BaseTuner
from dialed.keras_tuner.errors import (
    FailedTrialError,
    FatalError,
    FatalRuntimeError,
    FatalTypeError,
    FatalValueError,
)


def history(**metrics: list[float]) -> Any:
    """What `model.fit` returns."""
    return SimpleNamespace(history=metrics, epoch=list(range(len(next(iter(metrics.values()))))))


def tuner_returning(result: Any, folder: Path, *, objective: Any = "val_loss", **options: Any) -> Any:
    """A tuner whose trials give `result`, or what `result(hp)` gives."""

    class Mine(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            hp = trial.hyperparameters
            hp.Float("x", 0.0, 1.0)
            return result(hp) if callable(result) else result

    tuner = Mine(objective=objective, **{"max_trials": 2, "directory": folder, "seed": 1, **options})
    tuner.oracle.verbose = 0
    return tuner


@pytest.mark.parametrize(
    ("result", "score", "step"),
    [
        (0.5, 0.5, 0),
        (2, 2.0, 0),
        ({"val_loss": 0.25, "other": 1.0}, 0.25, 0),
        (history(val_loss=[3.0, 1.0, 2.0], loss=[9.0, 8.0, 7.0]), 1.0, 1),
        (history(val_loss=[float("nan"), 1.0, 2.0]), 1.0, 1),
        ([0.5, 1.5], 1.0, 0),
        ([history(val_loss=[1.0, 2.0]), history(val_loss=[4.0, 3.0, 2.0])], 1.5, 1),
    ],
)
def test_a_trial_may_return_numbers_dicts_histories_and_lists(
    result: Any, score: float, step: int, tmp_path: Path
) -> None:
    """A history counts by its best epoch, a list by its mean."""
    tuner = tuner_returning(result, tmp_path)
    tuner.search()
    trial = tuner.oracle.get_best_trials()[0]
    assert (trial.score, trial.best_step, trial.status) == (score, step, "COMPLETED")


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        (None, FatalTypeError, "The return value is None"),
        ("good", FatalTypeError, "to be one of: a float, a dict"),
        ({"loss": 1.0}, FatalValueError, "metrics that hold the `objective`, val_loss"),
        (history(loss=[1.0]), FatalValueError, "metrics that hold the `objective`, val_loss"),
        ([0.5, None], FatalTypeError, "The return value is None"),
    ],
)
def test_other_results_end_the_search_at_once(
    result: Any, error: type[Exception], message: str, tmp_path: Path
) -> None:
    """With KerasTuner's kinds of errors; no second trial makes the same mistake."""
    with pytest.raises(error, match=message):
        tuner_returning(result, tmp_path).search()


def test_without_an_objective_the_number_is_minimised(tmp_path: Path) -> None:
    """As in KerasTuner; a history then says too little."""
    tuner = tuner_returning(lambda hp: hp.get("x"), tmp_path, objective=None, max_trials=5)
    tuner.search()
    scores = [trial.score for trial in tuner.oracle.trials.values()]
    assert tuner.oracle.get_best_trials()[0].score == min(scores)
    with pytest.raises(FatalTypeError, match="when `objective` is left unspecified"):
        tuner_returning(history(loss=[1.0]), tmp_path / "b", objective=None).search()


def test_several_objectives_are_summed(tmp_path: Path) -> None:
    """Those to maximise are subtracted."""
    tuner = tuner_returning(
        lambda hp: history(val_loss=[3.0, 2.0], val_accuracy=[0.5, 0.75]),
        tmp_path,
        objective=["val_loss", "val_accuracy"],
    )
    tuner.search()
    assert tuner.oracle.get_best_trials()[0].score == 1.25
    assert str(tuner.oracle.objective).startswith(
        'MultiObjective(name="multi_objective", direction="min"): [Objective('
    )


def test_errors_fail_the_trial_and_fatal_ones_the_search(tmp_path: Path) -> None:
    """`FailedTrialError` is not tried again, others are, and fatal ones are not caught."""
    runs: list[str] = []

    def failing(error: Exception) -> Any:
        def run(hp: Any) -> float:
            runs.append("run")
            if len(runs) == 1 or not isinstance(error, FailedTrialError):
                raise error
            return 1.0

        return run

    tuner = tuner_returning(failing(FailedTrialError("too slow")), tmp_path / "a", max_retries_per_trial=3)
    tuner.search()
    failed = tuner.oracle.trials["0"]
    assert failed.status == "FAILED" and "too slow" in failed.message and len(runs) == 2
    with pytest.raises(FatalError, match="stop"):
        tuner_returning(failing(FatalError("stop")), tmp_path / "b").search()
    with pytest.raises(RuntimeError, match="consecutive failures exceeded the limit of 1"):
        tuner_returning(failing(ValueError("odd")), tmp_path / "c", max_consecutive_failed_trials=1).search()


def test_hooks_are_called_in_order(tmp_path: Path) -> None:
    """`on_search_*`, `pre_create_trial` and `on_trial_*`."""
    called: list[str] = []

    class Mine(BaseTuner):
        def on_search_begin(self) -> None:
            called.append("search begins")

        def pre_create_trial(self) -> None:
            called.append("create")

        def on_trial_begin(self, trial: Any) -> None:
            called.append("begins")

        def run_trial(self, trial: Any, factor: float) -> float:
            return trial.hyperparameters.Float("x", 0.0, 1.0) * factor  # type: ignore[no-any-return]

        def on_trial_end(self, trial: Any) -> None:
            called.append("ends")
            super().on_trial_end(trial)

        def on_search_end(self) -> None:
            called.append("search ends")

    tuner = Mine(kt.oracles.RandomSearchOracle(max_trials=1), directory=tmp_path, project_name="p")
    tuner.search(2.0)
    assert called == ["search begins", "create", "begins", "ends", "create", "search ends"]
    assert tuner.remaining_trials == 0
    for missing in ("run_trial", "load_model"):
        with pytest.raises(NotImplementedError, match=f"`BaseTuner.{missing}"):
            getattr(BaseTuner, missing)(BaseTuner(kt.oracles.RandomSearchOracle(), directory=tmp_path), None)


def test_metrics_told_by_hand_still_count(tmp_path: Path) -> None:
    """The old way, with a warning."""
    tuner = tuner_returning(None, tmp_path, max_trials=1)
    tuner.run_trial = lambda trial: tuner.oracle.update_trial(trial.trial_id, {"val_loss": 0.5})
    with pytest.warns(DeprecationWarning, match="Please remove the call"):
        tuner.search()
    assert tuner.oracle.get_best_trials()[0].score == 0.5


def test_a_project_is_gone_on_with_or_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also under another `tuner_id`, which in KerasTuner silently begins anew."""
    tuner_returning(lambda hp: hp.get("x"), tmp_path, max_trials=3).search()
    again = tuner_returning(lambda hp: hp.get("x"), tmp_path, max_trials=5, tuner_id="other")
    assert "Reloading Tuner from" in capsys.readouterr().out and again.remaining_trials == 2
    again.search()
    assert len(again.oracle.trials) == 5
    assert not tuner_returning(0.5, tmp_path, overwrite=True).oracle.trials
    files = {path.name for path in (tmp_path / "untitled_project").glob("*")}
    assert files <= {"oracle.json", "tuner0.json"}


def test_changed_ranges_count_and_are_said_aloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """KerasTuner silently keeps the old ones."""

    def tuner(high: float) -> Any:
        return tuner_returning(lambda hp: hp.get("x"), tmp_path, hypermodel=lambda hp: hp.Float("x", 0.0, high))

    tuner(1.0).search()
    again = tuner(2.0)
    assert "The search space changed: x was Float(name: 'x'" in capsys.readouterr().out
    assert [hp.max_value for hp in again.oracle.get_space().space] == [2.0]


def test_the_space_is_found_with_few_builds(tmp_path: Path) -> None:
    """One build for each scope that others do not enter on the way; KerasTuner's constructor builds K^2/2 times."""
    builds: list[Any] = []

    def build(hp: Any) -> None:
        builds.append(dict(hp.values))
        kind = hp.Choice("kind", list("abcdef"))
        for letter in "abcdef":
            with hp.conditional_scope("kind", [letter]):
                if kind == letter:
                    hp.Int(f"units_{letter}", 1, 8)
        hp.Boolean("bias")
        with hp.conditional_scope("bias", [True]):
            hp.Float("decay", 0.0, 1.0)

    tuner = tuner_returning(0.5, tmp_path, hypermodel=build)
    assert [hp.name for hp in tuner.oracle.get_space().space][:2] == ["kind", "units_a"]
    assert len(tuner.oracle.get_space().space) == 9 and len(builds) == 6


def test_the_space_and_the_results_are_printed_as_kerastuner_prints_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line."""
    tuner = tuner_returning({"val_loss": 0.5}, tmp_path, max_trials=1, hypermodel=lambda hp: hp.Choice("units", [1, 2]))
    tuner.search_space_summary()
    assert capsys.readouterr().out == (
        "Search space summary\nDefault search space size: 1\nunits (Choice)\n"
        "{'default': 1, 'conditions': [], 'values': [1, 2], 'ordered': True}\n"
    )
    tuner.search()
    tuner.results_summary()
    units = tuner.get_best_hyperparameters()[0].get("units")
    assert capsys.readouterr().out == (
        f"Results summary\nResults in {tmp_path}/untitled_project\nShowing 10 best trials\n"
        'Objective(name="val_loss", direction="min")\n\nTrial 0 summary\nHyperparameters:\n'
        f"units: {units}\nx: 0.0\nScore: 0.5\n"
    )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: kt.RandomSearch(objective="val_loss"), ValueError, "Received `hypermodel=None`"),
        (lambda: kt.RandomSearch(3, objective="val_loss"), FatalValueError, "`hypermodel` argument should be either"),
        (lambda: kt.Tuner("random", lambda hp: None), ValueError, "Expected `oracle` argument"),
        (lambda: kt.RandomSearch(lambda hp: None, "val_loss", color=1), ValueError, "Unrecognized arguments"),
        (lambda: kt.RandomSearch(lambda hp: None, "val_loss", engine="x"), ValueError, "`engine` must be"),
        (lambda: kt.RandomSearch(lambda hp: None, "joy"), ValueError, "Could not infer optimization direction"),
        (lambda: kt.RandomSearch(lambda hp: None, 3), TypeError, "`objective` not understood"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    make: Any, error: type[Exception], message: str, working_folder: Path
) -> None:
    """With KerasTuner's kinds of errors, when the tuner is made."""
    with pytest.raises(error, match=message):
        make()


def test_an_oracle_that_waits_for_nothing_is_refused(tmp_path: Path) -> None:
    """KerasTuner would ask it for ever."""

    class Waiting(kt.Oracle):
        def populate_space(self, trial_id: str) -> dict[str, Any]:
            return {"status": "IDLE"}

    class Mine(BaseTuner):
        def run_trial(self, trial: Any) -> float:
            return 1.0

    with pytest.raises(FatalRuntimeError, match=r"`Waiting.populate_space` must not answer 'IDLE'"):
        Mine(Waiting(), directory=tmp_path).search()


def test_the_workers_name_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`KERASTUNER_TUNER_ID`."""
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "worker3")
    tuner_returning(0.5, tmp_path).search()
    assert (tmp_path / "untitled_project" / "worker3.json").exists()


def test_sklearn_models_are_tuned_by_cross_validation(tmp_path: Path) -> None:
    """With weights, metrics and a scoring; a model of another session is not unpickled unasked."""
    import numpy as np
    from sklearn.linear_model import Ridge
    from sklearn.metrics import mean_absolute_error
    from sklearn.model_selection import KFold

    def build(hp: kt.HyperParameters) -> Any:
        return Ridge(alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log"))

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = x @ [1.0, 2.0, 3.0]

    def tuner() -> Any:
        oracle = kt.oracles.GridSearchOracle(objective=kt.Objective("score", "max"), max_trials=4)
        return kt.SklearnTuner(
            oracle, build, metrics=mean_absolute_error, cv=KFold(3), directory=tmp_path, project_name="s"
        )

    first = tuner()
    first.oracle.verbose = 0
    first.search(x, y, sample_weight=np.ones(60))
    assert first.get_best_hyperparameters()[0].get("alpha") == 1e-3
    assert first.get_best_models()[0].coef_ == pytest.approx([1.0, 2.0, 3.0], abs=1e-3)
    assert first.oracle.get_best_trials()[0].metrics.get_best_value("mean_absolute_error") < 0.01
    assert (tmp_path / "s" / "trial_0" / "model.pickle").exists()
    with pytest.raises(FatalRuntimeError, match="was trained in another session"):
        tuner().get_best_models()
    with pytest.raises(TypeError, match=r"Expected the data to be numpy.ndarray or pandas.DataFrame"):
        first.run_trial(first.oracle.get_best_trials()[0], [[1.0]] * 6, [1.0] * 6)
