"""What a worker has in the place of the oracle, and how the chief reads what came of a trial."""

from pathlib import Path
from typing import Any

import pytest

import dialed.keras_tuner as kt
from dialed.keras_tuner.distribute.client import OracleClient
from dialed.keras_tuner.distribute.running import Ran, Running, RunningMaker
from dialed.keras_tuner.engine.base_tuner import BaseTuner
from dialed.keras_tuner.engine.trial import Trial
from dialed.keras_tuner.errors import FatalValueError
from dialed.trial import Cause, Member, MemberKey, Report, State


def worker(folder: Path, monkeypatch: pytest.MonkeyPatch, run: Any) -> BaseTuner:
    """A tuner as it is in a worker, with one trial that a chief has made."""
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "tuner0")
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")

    class Mine(BaseTuner):
        def run_trial(self, trial: Trial) -> Any:
            return run(trial)

    tuner = Mine(kt.Oracle(objective=kt.Objective("loss", "min")), directory=folder, project_name="p")
    Trial(kt.HyperParameters(), "7").save(folder / "p" / "trial_7" / "trial.json")
    return tuner


def outcome_of(tuner: BaseTuner, reports: list[Any]) -> Any:
    maker = RunningMaker(tuner=tuner, args=(), kwargs={}, name_of=lambda number: "7")
    member = Member(key=MemberKey(0, 0, 0), values={})

    def note(report: Any) -> bool:
        reports.append(report)
        return False

    return next(Running(maker).train([member], 1, note))


def test_a_worker_writes_what_it_measured_and_leaves_the_oracle_to_the_chief(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the trial's own file is new, and the tuner's."""
    tuner = worker(tmp_path, monkeypatch, lambda trial: {"loss": 0.25 + trial.hyperparameters.Int("n", 1, 3)})
    reports: list[Any] = []
    assert outcome_of(tuner, reports).state is State.COMPLETED
    assert [r.metrics for r in reports if isinstance(r, Report)] == [{"loss": 1.25}]
    ran = Ran.read(tuner.project_dir, "7")
    assert ran is not None and not ran.fatal
    assert [(dict(metrics), step) for metrics, step in ran.told] == [({"loss": 1.25}, 0)]
    assert ran.hyperparameters.values == {"n": 1}
    assert not (tmp_path / "p" / "oracle.json").exists()
    Ran.forget(tuner.project_dir, "7")
    assert Ran.read(tuner.project_dir, "7") is None


@pytest.mark.parametrize(("result", "cause"), [(float("nan"), Cause.NAN), (RuntimeError("no"), Cause.ERROR)])
def test_what_goes_wrong_in_a_worker_is_the_trials_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: Any, cause: Cause
) -> None:
    """The search goes on."""

    def run(trial: Trial) -> Any:
        if isinstance(result, Exception):
            raise result
        return {"loss": result}

    outcome = outcome_of(worker(tmp_path, monkeypatch, run), [])
    assert (outcome.state, outcome.cause) == (State.FAILED, cause)


def test_a_fatal_error_is_written_down_and_ends_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the chief can end the search too."""
    tuner = worker(tmp_path, monkeypatch, lambda trial: {"other": 1.0})
    maker = RunningMaker(tuner=tuner, args=(), kwargs={}, name_of=lambda number: "7")
    outcomes = Running(maker).train([Member(key=MemberKey(0, 0, 0), values={})], 1, lambda report: False)
    assert next(outcomes).state is State.FAILED
    ran = Ran.read(tuner.project_dir, "7")
    assert ran is not None and ran.fatal
    with pytest.raises(FatalValueError, match="`objective`"):
        next(outcomes)


def test_only_the_chief_makes_trials(tmp_path: Path) -> None:
    """A worker's code that asks for one itself is told so."""
    client = OracleClient(kt.Oracle(objective=kt.Objective("loss", "min")))
    with pytest.raises(RuntimeError, match="`create_trial` must be called by the chief alone"):
        client.create_trial("tuner0")
    assert client.objective.name == "loss"
