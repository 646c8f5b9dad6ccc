"""Grid search over spaces that grow while it runs: what a trial did not ask for does not matter to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dialed.keras_tuner as kt
from dialed.keras_tuner.engine.base_tuner import BaseTuner
from dialed.keras_tuner.engine.trial import TrialStatus


def branching(hp: Any) -> float:
    """Which of two is asked for depends on a third, without a scope that says so."""
    if hp.Boolean("deep"):
        return float(hp.Choice("layers", [1, 2, 3]))
    return float(hp.Choice("degree", [3, 4, 5]))


class Searched(BaseTuner):
    """Runs a function of `hp`."""

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
        return float(self.hypermodel.build(trial.hyperparameters))

    def save_model(self, trial_id: str, model: Any, step: int = 0) -> None:
        """Nothing: there is no model."""


def searched(folder: Path, build: Any, **settings: Any) -> Any:
    """The oracle after a search."""
    oracle = kt.oracles.GridSearchOracle(objective=kt.Objective("score", "max"), **settings)
    oracle.verbose = 0
    Searched(oracle, build, directory=folder, project_name="p").search()
    return oracle


def end(oracle: Any, trial: Any) -> None:
    """Complete a trial."""
    oracle.update_trial(trial.trial_id, {"score": 1.0})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)


def grid(folder: Path) -> Any:
    """An oracle over one choice, of whose trials some will ask for more."""
    hp = kt.HyperParameters()
    hp.Boolean("deep")
    oracle = kt.oracles.GridSearchOracle(objective=kt.Objective("score", "max"), hyperparameters=hp)
    oracle._set_project_dir(folder, "p")
    oracle.verbose = 0
    return oracle


def test_values_that_a_trial_never_asked_for_are_not_varied(tmp_path: Path) -> None:
    """Three shallow ones, which do not know `layers`; as in KerasTuner, twelve in all."""
    oracle = searched(tmp_path, branching)
    values = [trial.hyperparameters.values for trial in oracle.trials.values()]
    shallow = [held for held in values if not held["deep"]]
    assert [held["degree"] for held in shallow] == [3, 4, 5]
    assert not any("layers" in held for held in shallow[:3])
    assert sorted({held["layers"] for held in values if held["deep"]}) == [1, 2, 3]
    assert len(values) == 12


def test_what_a_running_trial_may_not_ask_for_waits(tmp_path: Path) -> None:
    """Until it has ended, it is not known what matters to it."""
    oracle = grid(tmp_path)
    first, second = oracle.create_trial("a"), oracle.create_trial("b")
    assert oracle.create_trial("c").status == TrialStatus.IDLE
    first.hyperparameters.Boolean("bias")
    end(oracle, first)
    third = oracle.create_trial("c")
    assert third.hyperparameters.values == {"deep": False, "bias": True}
    assert oracle.create_trial("d").status == TrialStatus.IDLE
    second.hyperparameters.Boolean("bias")
    end(oracle, second)
    fourth = oracle.create_trial("d")
    assert fourth.hyperparameters.values == {"deep": True, "bias": True}
    end(oracle, third)
    end(oracle, fourth)
    assert oracle.create_trial("e").status == TrialStatus.STOPPED


def test_a_trial_that_asked_for_less_answers_for_all(tmp_path: Path) -> None:
    """What waited for it is not tried any more."""
    oracle = grid(tmp_path)
    first, second = oracle.create_trial("a"), oracle.create_trial("b")
    first.hyperparameters.Boolean("bias")
    end(oracle, first)
    third = oracle.create_trial("a")
    end(oracle, second)
    end(oracle, third)
    assert oracle.create_trial("a").status == TrialStatus.STOPPED
    assert len(oracle.trials) == 3


def test_a_failed_trial_answers_for_nothing_but_itself(tmp_path: Path) -> None:
    """It may have failed before it asked."""
    oracle = grid(tmp_path)
    first, second = oracle.create_trial("a"), oracle.create_trial("b")
    first.hyperparameters.Boolean("bias")
    end(oracle, first)
    second.status = TrialStatus.FAILED
    oracle.end_trial(second)
    left = [oracle.create_trial(name).hyperparameters.values for name in ("a", "b", "c")]
    assert left == [{"deep": False, "bias": True}, {"deep": True, "bias": False}, {"deep": True, "bias": True}]


def test_what_the_code_asks_for_since_it_was_changed_is_tried(tmp_path: Path) -> None:
    """Also after one more reload: trials of the old code could not ask for it."""

    def old(hp: Any) -> float:
        return float(hp.Choice("units", [1, 2]))

    def new(hp: Any) -> float:
        return float(hp.Choice("units", [1, 2]) + hp.Choice("layers", [1, 2]))

    assert len(searched(tmp_path, old).trials) == 2
    assert len(searched(tmp_path, new, max_trials=3).trials) == 3
    values = [trial.hyperparameters.values for trial in searched(tmp_path, new).trials.values()]
    assert values[:2] == [{"units": 1}, {"units": 2}]
    assert [(held["units"], held["layers"]) for held in values[2:]] == [(1, 1), (1, 2), (2, 1), (2, 2)]
