"""Studies as files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import dialed as dialed_package


def test_the_table_has_a_row_for_each_trial_and_a_column_for_each_hyperparameter(dialed, square: str) -> None:
    """Numbers keep all their digits, and what is inactive is empty."""
    said = dialed("export", square, "--csv", "trials.csv")
    assert (said.exit_code, said.stdout, said.stderr) == (0, "", "Wrote trials.csv.\n")
    with Path("trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    trials = dialed_package.load(square).trials
    assert [float(r["values.x"]) for r in rows] == [t.values["x"] for t in trials]
    assert [r["values.depth"] for r in rows] == [str(t.values.get("depth", "")) for t in trials]
    assert [r["score"] for r in rows] == ["" if t.score is None else repr(t.score) for t in trials]
    assert next(r for r in rows if r["cause"])["message"].startswith("ValueError: too far")


def test_the_whole_study_is_json(dialed, square: str) -> None:
    assert dialed("export", square, "--json", "study.json").exit_code == 0
    found = json.loads(Path("study.json").read_text())
    assert (found["name"], len(found["trials"]), found["settings"]["engine"]) == (square, 12, "function")
    assert found["winner"]["values"] == dialed_package.load(square).best_values


def test_the_winners_values_are_json(dialed, square: str) -> None:
    assert dialed("export", square, "--values", "best.json").exit_code == 0
    assert json.loads(Path("best.json").read_text()) == dialed_package.load(square).best_values


def test_a_dash_is_standard_output(dialed, square: str) -> None:
    said = dialed("export", square, "--csv", "-", "--values", "best.json")
    assert len(list(csv.reader(io.StringIO(said.stdout)))) == 13 and Path("best.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Say what to write: --csv FILE, --json FILE, --tensorboard DIR or --values FILE."),
        (["--csv", "a", "--json", "a"], "Give each of --csv, --json and --values a file of its own."),
    ],
)
def test_what_to_write_must_be_clear(dialed, square: str, options: list[str], message: str) -> None:
    said = dialed("export", square, *options)
    assert said.exit_code == 2 and message in said.stderr


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(dialed, square: str, working_folder: Path) -> None:
    said = dialed("export", square, "--csv", "nowhere/trials.csv")
    assert said.exit_code == 1 and "nowhere/trials.csv" in said.stderr
    Path("taken").mkdir()
    assert dialed("export", square, "--csv", "taken").exit_code == 1
    assert not [p.name for p in working_folder.iterdir() if "trials" in p.name or p.name.startswith(".taken")]
