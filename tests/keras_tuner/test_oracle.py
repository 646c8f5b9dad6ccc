"""Oracles: what they choose, what they keep, and how they come back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dialed.keras_tuner as kt
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.errors import FatalValueError

ORACLES = [
    kt.oracles.RandomSearchOracle,
    kt.oracles.GridSearchOracle,
    kt.oracles.BayesianOptimizationOracle,
    kt.oracles.HyperbandOracle,
]
SCORE = kt.Objective("score", "max")


def space() -> kt.HyperParameters:
    hp = kt.HyperParameters()
    hp.Choice("kind", ["a", "b"])
    hp.Int("depth", 1, 3, parent_name="kind", parent_values=["b"])
    hp.Float("rate", 0.0, 1.0, step=0.5)
    return hp


def made(oracle: type[kt.Oracle], folder: Path, **options: Any) -> Any:
    made = oracle(**{"objective": SCORE, "hyperparameters": space(), "seed": 0, **options})
    made._set_project_dir(folder, "project")
    made.verbose = 0
    return made


def played(oracle: Any, score: Callable[[dict[str, Any]], float], most: int = 1000) -> list[Trial]:
    """The trials until the oracle stops, each told its score."""
    trials: list[Trial] = []
    while len(trials) < most:
        trial = oracle.create_trial("tuner0")
        if trial.status != TrialStatus.RUNNING:
            break
        oracle.update_trial(trial.trial_id, {"score": score(trial.hyperparameters.values)})
        trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)
        trials.append(trial)
    return trials


def quality(values: dict[str, Any]) -> float:
    return values.get("depth", 0) - (values["rate"] - 0.5) ** 2


@pytest.mark.parametrize("oracle", ORACLES)
def test_values_are_those_of_active_hyperparameters(oracle: type[kt.Oracle], tmp_path: Path) -> None:
    """A trial holds a value for each that is active, in its range, and for no other."""
    for trial in played(made(oracle, tmp_path), quality, most=6):
        values = {name: v for name, v in trial.hyperparameters.values.items() if not name.startswith("tuner/")}
        assert set(values) == ({"kind", "depth", "rate"} if values["kind"] == "b" else {"kind", "rate"})
        assert values["rate"] in (0.0, 0.5, 1.0)


@pytest.mark.parametrize("oracle", ORACLES[:3])
def test_a_finite_space_is_tried_once_and_then_it_ends(oracle: type[kt.Oracle], tmp_path: Path) -> None:
    """Twelve configurations; KerasTuner's Bayesian search goes on repeating them."""
    trials = played(made(oracle, tmp_path, max_trials=100), quality)
    tried = [tuple(sorted(t.hyperparameters.values.items())) for t in trials]
    assert len(tried) == len(set(tried)) == 12


@pytest.mark.parametrize("oracle", ORACLES)
def test_the_same_seed_gives_the_same_trials(oracle: type[kt.Oracle], tmp_path: Path) -> None:
    """Seed 0 is a seed too; KerasTuner ignores it."""
    runs = [
        [t.hyperparameters.values for t in played(made(oracle, tmp_path / str(run)), quality, most=8)]
        for run in range(2)
    ]
    assert runs[0] == runs[1]


def test_neighbouring_seeds_have_nothing_in_common(tmp_path: Path) -> None:
    """KerasTuner's seed 1 gives the sequence of seed 0, shifted by one."""
    hp = kt.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    drawn = [
        {t.hyperparameters.values["x"] for t in played(made_with(hp, tmp_path / str(seed), seed), lambda v: v["x"])}
        for seed in (0, 1)
    ]
    assert not drawn[0] & drawn[1]


def made_with(hp: kt.HyperParameters, folder: Path, seed: int) -> Any:
    return made(kt.oracles.RandomSearchOracle, folder, hyperparameters=hp, seed=seed)


@pytest.mark.parametrize("oracle", ORACLES)
def test_a_reloaded_oracle_goes_on_as_if_nothing_had_happened(oracle: type[kt.Oracle], tmp_path: Path) -> None:
    """Also grid search, which KerasTuner kills with a `KeyError`."""
    undisturbed = [t.hyperparameters.values for t in played(made(oracle, tmp_path / "a"), quality, most=8)]
    first = made(oracle, tmp_path / "b")
    played(first, quality, most=4)
    second = made(oracle, tmp_path / "b")
    second.reload()
    assert second.get_best_trials()[0].score == first.get_best_trials()[0].score
    rest = [t.hyperparameters.values for t in played(second, quality, most=4)]
    assert rest == undisturbed[4:8]


@pytest.mark.parametrize("oracle", ORACLES)
def test_what_was_running_is_tried_again(oracle: type[kt.Oracle], tmp_path: Path) -> None:
    """A killed program's trial keeps its name and its values."""
    running = made(oracle, tmp_path).create_trial("tuner0")
    again = made(oracle, tmp_path)
    again.reload()
    trial = again.create_trial("tuner0")
    assert (trial.trial_id, trial.hyperparameters.values) == (running.trial_id, running.hyperparameters.values)


def test_a_cut_off_state_is_made_again_from_the_trials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A truncated oracle.json kills KerasTuner's study; here it is said, and the search goes on."""
    played(made(kt.oracles.GridSearchOracle, tmp_path), quality, most=5)
    (tmp_path / "project" / "oracle.json").write_text('{"ongoing_tri')
    (tmp_path / "project" / "trial_0004" / "trial.json").write_text("")
    again = made(kt.oracles.GridSearchOracle, tmp_path)
    again.reload()
    assert "must hold JSON" in capsys.readouterr().out
    assert len(again.end_order) == 4 and len(played(again, quality)) == 8


def test_the_state_has_kerastuners_keys(tmp_path: Path) -> None:
    """Files can be read by what reads KerasTuner's."""
    oracle = made(kt.oracles.HyperbandOracle, tmp_path, max_epochs=4)
    played(oracle, quality, most=2)
    state = json.loads((tmp_path / "project" / "oracle.json").read_text())
    known = "ongoing_trials hyperparameters start_order end_order run_times retry_queue seed seed_state tried_so_far"
    own = "id_to_hash display hyperband_iterations max_epochs min_epochs factor brackets current_bracket"
    assert {*known.split(), *own.split(), "current_iteration"} <= set(state)
    trial = json.loads((tmp_path / "project" / "trial_0000" / "trial.json").read_text())
    assert list(trial) == "trial_id hyperparameters metrics score best_step status message".split()  # noqa: SIM905


def test_another_objective_is_refused_aloud(tmp_path: Path) -> None:
    """KerasTuner goes on with scores that mean something else."""
    played(made(kt.oracles.RandomSearchOracle, tmp_path), quality, most=1)
    with pytest.raises(FatalValueError, match="`objective` must stay what the project was begun with"):
        made(kt.oracles.RandomSearchOracle, tmp_path, objective=kt.Objective("loss", "min")).reload()


def test_the_state_of_another_kind_of_oracle_is_refused(tmp_path: Path) -> None:
    """With KerasTuner's kind of error."""
    played(made(kt.oracles.RandomSearchOracle, tmp_path), quality, most=1)
    with pytest.raises(RuntimeError, match="Error reloading `Oracle` from existing project"):
        made(kt.oracles.HyperbandOracle, tmp_path).reload()


def test_grid_search_begins_with_the_defaults_and_changes_the_last_first(tmp_path: Path) -> None:
    """As KerasTuner's, value by value."""
    trials = played(made(kt.oracles.GridSearchOracle, tmp_path), quality, most=4)
    assert [t.hyperparameters.values for t in trials] == [
        {"kind": "a", "rate": 0.0},
        {"kind": "a", "rate": 0.5},
        {"kind": "a", "rate": 1.0},
        {"kind": "b", "depth": 1, "rate": 0.0},
    ]


def test_grid_search_takes_in_what_later_trials_ask_for(tmp_path: Path) -> None:
    """And waits for running trials that might."""
    hp = kt.HyperParameters()
    hp.Boolean("deep")
    oracle = made(kt.oracles.GridSearchOracle, tmp_path, hyperparameters=hp)
    first, second = oracle.create_trial("a"), oracle.create_trial("b")
    assert oracle.create_trial("c").status == TrialStatus.IDLE
    second.hyperparameters.Int("layers", 1, 2)
    for trial in (first, second):
        oracle.update_trial(trial.trial_id, {"score": 1.0})
        trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)
    left = [t.hyperparameters.values for t in played(oracle, lambda values: 1.0)]
    assert {"deep": True, "layers": 2} in left


def test_bayesian_search_finds_the_best_of_a_smooth_function(tmp_path: Path) -> None:
    """In 20 trials of one hyperparameter, closer than twenty evenly spread points would come."""
    hp = kt.HyperParameters()
    hp.Float("x", -1.0, 1.0)
    oracle = made(kt.oracles.BayesianOptimizationOracle, tmp_path, hyperparameters=hp, max_trials=20)
    played(oracle, lambda values: -((values["x"] - 0.3) ** 2))
    assert abs(oracle.get_best_trials()[0].hyperparameters["x"] - 0.3) < 0.01


def test_bayesian_search_learns_from_failures_and_from_infinity(tmp_path: Path) -> None:
    """KerasTuner proposes a failing configuration again and again, and takes an infinite loss for 0."""
    hp = kt.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    oracle = made(
        kt.oracles.BayesianOptimizationOracle,
        tmp_path,
        objective=kt.Objective("loss", "min"),
        hyperparameters=hp,
        max_trials=14,
        max_consecutive_failed_trials=14,
    )
    for _ in range(14):
        trial = oracle.create_trial("t")
        x = trial.hyperparameters["x"]
        trial.status = TrialStatus.FAILED if x < 0.3 else TrialStatus.COMPLETED
        oracle.update_trial(trial.trial_id, {"loss": float("inf") if x < 0.5 else 2.0 - x})
        oracle.end_trial(trial)
    done = list(oracle.trials.values())
    assert sum(t.status == TrialStatus.FAILED for t in done[6:]) <= 2
    assert oracle.get_best_trials()[0].score < 1.1


def test_hyperband_sizes_and_epochs_are_kerastuners(tmp_path: Path) -> None:
    """Brackets of max_epochs=8, factor=2."""
    oracle = made(kt.oracles.HyperbandOracle, tmp_path, max_epochs=8, factor=2)
    sizes = {b: [oracle._get_size(b, r) for r in range(b + 1)] for b in range(oracle._get_num_brackets())}
    epochs = {b: [oracle._get_epochs(b, r) for r in range(b + 1)] for b in sizes}
    assert sizes == {0: [4], 1: [4, 2], 2: [6, 3, 2], 3: [8, 4, 2, 1]}
    assert epochs == {0: [8], 1: [4, 8], 2: [2, 4, 8], 3: [1, 2, 4, 8]}
    with pytest.raises(ValueError, match="`factor` needs to be a number larger than 1"):
        made(kt.oracles.HyperbandOracle, tmp_path, factor=1)


def test_hyperband_goes_on_with_the_best(tmp_path: Path) -> None:
    """One sweep: each bracket has its trials, and those that go on are the best of the round before."""
    hp = kt.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    oracle = made(kt.oracles.HyperbandOracle, tmp_path, hyperparameters=hp, max_epochs=8, factor=2)
    trials = played(oracle, lambda values: values["x"])
    assert len(trials) == 4 + (4 + 2) + (6 + 3 + 2) + (8 + 4 + 2 + 1)
    first = [t for t in trials if t.hyperparameters["tuner/bracket"] == 3]
    begun = sorted((t.score for t in first if t.hyperparameters["tuner/round"] == 0), reverse=True)
    assert sorted((t.score for t in first if t.hyperparameters["tuner/round"] == 1), reverse=True) == begun[:4]
    last = first[-1].hyperparameters.values
    assert (last["tuner/epochs"], last["tuner/initial_epoch"], last["tuner/round"]) == (8, 4, 3)
    assert last["x"] == oracle.trials[last["tuner/trial_id"]].hyperparameters["x"]


def test_hyperband_ends_when_the_space_is_small(tmp_path: Path) -> None:
    """Four configurations: all are tried, the best goes on to the end, and nothing waits for ever."""
    hp = kt.HyperParameters()
    hp.Choice("x", [1, 2, 3, 4])
    oracle = made(kt.oracles.HyperbandOracle, tmp_path, hyperparameters=hp, max_epochs=9, factor=3)
    trials = played(oracle, lambda values: values["x"])
    begun = [t for t in trials if "tuner/trial_id" not in t.hyperparameters.values]
    assert sorted(t.hyperparameters["x"] for t in begun) == [1, 2, 3, 4]
    assert max(t.hyperparameters["tuner/epochs"] for t in trials if t.hyperparameters["x"] == 4) == 9


def test_a_trial_that_crashes_is_tried_again_and_then_failed(tmp_path: Path) -> None:
    """`max_retries_per_trial` times, under the same name; NaN is a crash."""
    oracle = made(kt.oracles.RandomSearchOracle, tmp_path, max_retries_per_trial=1)
    for expected in (TrialStatus.INVALID, TrialStatus.FAILED):
        trial = oracle.create_trial("t")
        oracle.update_trial(trial.trial_id, {"score": float("nan")})
        trial.status = TrialStatus.COMPLETED
        oracle.end_trial(trial)
        assert (trial.trial_id, trial.status) == ("00", expected)
    assert oracle.create_trial("t").trial_id == "01"


def test_too_many_failures_in_a_row_end_the_search(tmp_path: Path) -> None:
    """And the last message is shown."""
    oracle = made(kt.oracles.RandomSearchOracle, tmp_path, max_consecutive_failed_trials=2)
    with pytest.raises(RuntimeError, match=r"consecutive failures exceeded the limit of 2[\s\S]*broken 1"):
        for number in range(3):
            trial = oracle.create_trial("t")
            trial.status, trial.message = TrialStatus.INVALID, f"broken {number}"
            oracle.end_trial(trial)


def test_new_entries_are_tuned_refused_or_left_at_their_defaults(tmp_path: Path) -> None:
    """As `tune_new_entries` and `allow_new_entries` say."""
    more = space()
    more.Int("more", 1, 9)
    oracle = made(kt.oracles.RandomSearchOracle, tmp_path, tune_new_entries=False)
    oracle.update_space(more)
    assert "more" not in [hp.name for hp in oracle.get_space().space]
    oracle = made(kt.oracles.RandomSearchOracle, tmp_path, allow_new_entries=False)
    with pytest.raises(RuntimeError, match="`allow_new_entries` is `False`"):
        oracle.update_space(more)
    for name in ("tune_new_entries", "allow_new_entries"):
        with pytest.raises(ValueError, match=f"If you set `{name}=False`"):
            kt.oracles.RandomSearchOracle(**{name: False})


def test_the_objective_must_be_measured(tmp_path: Path) -> None:
    """Metrics without it are refused."""
    oracle = made(kt.oracles.RandomSearchOracle, tmp_path)
    trial = oracle.create_trial("t")
    with pytest.raises(ValueError, match="Objective value missing in metrics"):
        oracle.update_trial(trial.trial_id, {"loss": 1.0})


def test_an_oracle_of_ones_own_chooses_scores_and_ends(tmp_path: Path) -> None:
    """`populate_space`, `score_trial`, `end_trial` and `synchronized` work as in KerasTuner; threads take turns."""
    inside: list[int] = []

    class Counting(kt.Oracle):
        def populate_space(self, trial_id: str) -> dict[str, Any]:
            return {"status": "RUNNING", "values": {"x": int(trial_id) / 10}}

        def score_trial(self, trial: Trial) -> None:
            trial.score = -float(trial.metrics.get_best_value("score") or 0.0)

        @kt.synchronized
        def end_trial(self, trial: Trial) -> None:
            inside.append(len(inside))
            super().end_trial(trial)

    hp = kt.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    oracle = made(Counting, tmp_path, hyperparameters=hp, max_trials=8)

    def work(name: str) -> None:
        while (trial := oracle.create_trial(name)).status == TrialStatus.RUNNING:
            oracle.update_trial(trial.trial_id, {"score": trial.hyperparameters["x"]})
            oracle.end_trial(trial.trial_id, TrialStatus.COMPLETED)

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == list(range(8)) and oracle.remaining_trials() == 0
    assert oracle.get_best_trials()[0].score == 0.0
    assert sorted(t.hyperparameters["x"] for t in oracle.trials.values()) == [n / 10 for n in range(8)]


def test_old_names_still_work_and_say_so(tmp_path: Path) -> None:
    """`_populate_space` and `_score_trial`."""
    oracle = made(kt.oracles.RandomSearchOracle, tmp_path)
    with pytest.warns(DeprecationWarning, match="`_populate_space` is now"):
        assert oracle._populate_space("0")["status"] == TrialStatus.RUNNING
    trial = oracle.create_trial("t")
    oracle.update_trial(trial.trial_id, {"score": 3.0}, step=2)
    with pytest.warns(DeprecationWarning, match="`_score_trial` is now"):
        oracle._score_trial(trial)
    assert (trial.score, trial.best_step) == (3.0, 2)


def test_a_bare_oracle_says_what_is_missing(tmp_path: Path) -> None:
    """`populate_space` must be written."""
    with pytest.raises(NotImplementedError, match="`Oracle.populate_space"):
        made(kt.Oracle, tmp_path).create_trial("t")


def test_the_course_is_printed_as_kerastuner_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Values beside the best so far, the score, the best, and times."""
    oracle = made(kt.oracles.GridSearchOracle, tmp_path)
    oracle.verbose = "auto"
    played(oracle, quality, most=2)
    said = capsys.readouterr().out
    assert "Search: Running Trial #2\n\nValue             |Best Value So Far |Hyperparameter\n" in said
    assert "0.5               |0                 |rate\n" in said
    assert "Trial 2 Complete [00h 00m 00s]\nscore: 0.0\n\nBest score So Far: 0.0\nTotal elapsed time: 00h" in said
