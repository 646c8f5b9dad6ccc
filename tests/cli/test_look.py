"""Looking at what a store holds."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

import dialed as dialed_package
from dialed.cli.look import toml_line
from dialed.events import Built, TrialStarted
from dialed.search import Terms
from dialed.space import Float
from dialed.store import open_catalog
from dialed.study import create_study
from dialed.trial import Objective


def test_studies_are_listed_with_their_state_and_best_score(dialed, square: str) -> None:
    said = dialed("studies")
    head, row = said.stdout.splitlines()
    assert said.exit_code == 0
    assert head.split() == ["study", "last", "change", "state", "trials", "best", "objective"]
    assert row.split()[0] == "square" and row.split()[3:5] == ["finished", "12"] and row.endswith("objective")


def test_a_folder_without_a_store_has_no_studies_and_gets_none(dialed, working_folder: Path) -> None:
    """Looking makes nothing."""
    said = dialed("studies")
    assert said.exit_code == 0 and "No studies in dialed.db yet. `dialed demo` makes one." in said.stdout
    assert json.loads(dialed("studies", "--json").stdout) == []
    assert not list(working_folder.iterdir())


@pytest.mark.parametrize("command", [["show", "x"], ["best", "x"], ["resume", "x"], ["export", "x", "--csv", "-"]])
def test_reading_a_study_needs_a_store(dialed, working_folder: Path, command: list[str]) -> None:
    said = dialed(*command)
    assert said.exit_code == 1 and "There must be a store to look at. Got 'dialed.db'" in said.stderr
    assert not list(working_folder.iterdir())


def test_an_unknown_study_is_told_the_nearest(dialed, square: str) -> None:
    said = dialed("show", "sqare")
    assert said.exit_code == 1 and "Did you mean 'square'?" in said.stderr


@pytest.mark.parametrize("place", ["other.db", "sqlite:///other.db"])
def test_another_store_can_be_named(dialed, working_folder: Path, place: str) -> None:
    create_study({"x": Float(0.0, 1.0)}, name="elsewhere", store="other.db").close()
    said = dialed("show", "elsewhere", "--store", place)
    assert said.exit_code == 0 and not Path("dialed.db").exists()


def test_show_says_how_trials_were_trained_and_why(dialed, working_folder: Path) -> None:
    store = open_catalog(None).create("mixed", Terms(objective=Objective(name="loss", direction="min")), {})
    for number, engine in enumerate(["fused-1", "fused-1", "fit: the model has a `train_step` of its own"]):
        started = TrialStarted(
            trial=number, values={"x": number}, until=1, epochs=1, seeds=(0, 1), folds=(0,), source="strategy"
        )
        store.append([started, Built(trial=number, values={"x": number}, parameters=7, engine=engine)])
    said = dialed("show", "mixed").stdout
    assert "Trained: 2 trials as 4 lanes of 1 program,\n  1 trial by model.fit: the model has a `train_step`" in said
    assert json.loads(dialed("show", "mixed", "--json").stdout)["trained"] == {
        "programs": 1,
        "trials": 2,
        "lanes": 4,
        "alone": {},
        "fallbacks": [{"engine": "fit", "reason": "the model has a `train_step` of its own", "trials": 1}],
    }


def test_show_says_which_hyperparameters_mattered(dialed, square: str) -> None:
    said = dialed("show", square, "--importance", "ped-anova")
    assert said.exit_code == 0 and said.stdout == f"{dialed_package.load(square).importance()}\n"
    document = json.loads(dialed("show", square, "--importance", "ped-anova", "--json").stdout)
    assert document["method"] == "ped-anova" and document["influences"][0]["name"] == "x"


def test_show_says_what_is_the_matter_with_the_trainings(dialed, square: str) -> None:
    said = dialed("show", square, "--diagnosis")
    assert said.exit_code == 0 and said.stdout == f"{dialed_package.load(square).diagnose()}\n"
    assert len(json.loads(dialed("show", square, "--diagnosis", "--json").stdout)["trials"]) >= 11


def test_without_an_explanation_show_says_how_to_make_one(dialed, square: str) -> None:
    said = dialed("show", square, "--explanation")
    assert (
        said.exit_code == 1 and "The study 'square' has no explanation yet: `tuner.explain()` makes one" in said.stderr
    )


def test_show_gives_the_summary_and_the_trials(dialed, square: str) -> None:
    said = dialed("show", square)
    study = dialed_package.load(square)
    assert said.exit_code == 0 and study.summary() in said.stdout
    rows = said.stdout.split("\nTrials:\n")[1].splitlines()[1:]
    assert [int(row.split()[0]) for row in rows] == list(range(12))
    assert max(map(len, said.stdout.splitlines())) <= 80


def test_show_sorts_by_score_with_failures_last(dialed, square: str) -> None:
    rows = dialed("show", square, "--sort", "score").stdout.split("\nTrials:\n")[1].splitlines()[1:]
    study = dialed_package.load(square)
    assert int(rows[0].split()[0]) == study.best_trial.number
    assert "failed" in rows[-1] and "ValueError: too far" in rows[-1]


def test_show_says_how_many_trials_it_left_out(dialed, square: str) -> None:
    said = dialed("show", square, "--limit", 5).stdout
    assert said.endswith("  7 more: --limit 0 lists all.\n")
    assert "more: --limit" not in dialed("show", square, "--limit", 0).stdout


def test_show_as_json_has_the_winner_and_the_trials(dialed, square: str) -> None:
    found = json.loads(dialed("show", square, "--json").stdout)
    study = dialed_package.load(square)
    assert found["winner"]["number"] == study.best_trial.number
    assert found["baseline"]["number"] == 0
    assert [t["score"] for t in found["trials"]] == [t.score for t in study.trials]


def test_one_trial_is_shown_with_its_values_members_and_epochs(dialed, square: str) -> None:
    said = dialed("show", square, 0)
    assert said.exit_code == 0
    assert "Trial 0 of square: completed, objective 1.0000." in said.stdout and "the defaults" in said.stdout
    for part in ("  x ", "Members:", "search   completed", "Epochs:"):
        assert part in said.stdout
    assert "deep" not in said.stdout  # what is inactive in this trial


def test_a_failed_trial_is_shown_with_its_cause(dialed, square: str) -> None:
    failed = next(t for t in dialed_package.load(square).trials if t.cause)
    assert "failed (error). ValueError: too far" in dialed("show", square, failed.number).stdout


def test_one_trial_as_json_has_every_report(dialed, square: str) -> None:
    found = json.loads(dialed("show", square, 0, "--json").stdout)
    assert found["values"] == {"x": 0.0, "kind": "plain"}
    assert [(r["epoch"], r["metrics"]) for r in found["reports"]] == [(1, {"objective": 1.0})]


def test_a_trial_must_exist(dialed, square: str) -> None:
    said = dialed("show", square, 12)
    assert said.exit_code == 2
    assert "`TRIAL` must be the number of a trial, in the range [0, 11]. Got 12." in said.stderr


def test_a_study_without_trials_can_be_shown(dialed, working_folder: Path) -> None:
    create_study({"x": Float(0.0, 1.0)}, name="empty").close()
    assert "empty: no trial yet." in dialed("show", "empty").stdout
    assert "of a study that has begun one. Got 0." in dialed("show", "empty", 0).stderr
    said = dialed("best", "empty")
    assert said.exit_code == 1 and "The study 'empty' has no finished trial" in said.stderr


def test_the_best_values_are_toml_with_all_digits(dialed, square: str) -> None:
    said = dialed("best", square)
    assert said.exit_code == 0
    assert tomllib.loads(said.stdout) == dialed_package.load(square).best_values
    assert json.loads(dialed("best", square, "--json").stdout) == dialed_package.load(square).best_values


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("units", 64, "units = 64"),
        ("rate", 1e-05, "rate = 1e-05"),
        ("bias", True, "bias = true"),
        ("kind", 'a "b"', 'kind = "a \\"b\\""'),
        ("dense/units", 1, '"dense/units" = 1'),
        ("norm", None, "# norm is None"),
    ],
)
def test_each_value_is_written_as_toml_has_it(name: str, value: object, line: str) -> None:
    assert toml_line(name, value) == line
    assert value is None or tomllib.loads(line) == {name: value}


def test_a_study_from_python_is_not_resumed_but_explained(dialed, square: str) -> None:
    said = dialed("resume", square)
    assert said.exit_code == 1 and "Run your script again: it goes on where the study stopped." in said.stderr


def _two(constraint: str) -> None:
    dialed_package.optimize(
        lambda hp: (hp.Float("x", 0.0, 1.0, default=0.5), 1.0 - hp.values["x"]),
        direction=["min", "min"],
        objective=["cost", "error"],
        constraints=[constraint],
        strategy="sobol",
        max_trials=4,
        seed=0,
        name="two",
        verbose=0,
    )


def test_a_front_and_what_limits_it_are_shown(dialed, working_folder: Path) -> None:
    _two("cost <= 0.8")
    shown = dialed("show", "two").stdout
    assert "best trade-offs" in shown and "Constraints: cost <= 0.8." in shown
    document = json.loads(dialed("show", "two", "--json").stdout)
    assert [o["name"] for o in document["objectives"]] == ["cost", "error"]
    assert document["winner"]["number"] == document["front"][0]
    assert document["winner"]["metrics"].keys() == {"cost", "error"}
    assert json.loads(dialed("studies", "--json").stdout)[0]["best_trial"] == document["front"][0]


def test_without_a_trial_that_keeps_the_constraints_there_is_no_best(dialed, working_folder: Path) -> None:
    _two("cost <= -1")
    said = dialed("best", "two")
    assert said.exit_code == 1 and "has no trial that keeps its constraints" in said.stderr
    assert "No trial keeps all constraints" in dialed("show", "two").stdout
    assert json.loads(dialed("show", "two", "--json").stdout)["winner"] is None
