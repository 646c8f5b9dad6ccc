"""Plain files hold a search, and a resumed one goes on in them."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import dialed
from dialed.observe.files import cut_at_last_line
from dialed.trackers import CsvFiles, JsonLines


def train(hp):
    rate = hp.Float("rate", 0.0, 1.0)
    if hp.Choice("kind", ["a", "b"]) == "b":
        hp.Int("depth", 1, 3)
    for epoch in (1, 2):
        hp.report(epoch, {"loss": rate / epoch, "odd": float("nan")})


def search(folder, trials):
    observers = [CsvFiles(folder / "tables"), JsonLines(folder / "events.jsonl")]
    return dialed.optimize(
        train, objective="loss", epochs=2, max_trials=trials, strategy="random", seed=0, name="net",
        observers=observers, store=str(folder / "store.db"), verbose=0,
    )  # fmt: skip


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_metric_of_each_epoch_and_for_each_trial(tmp_path):
    study = search(tmp_path, 4)
    reports = rows(tmp_path / "tables" / "reports.csv")
    assert [(r["trial"], r["epoch"], r["metric"]) for r in reports[:4]] == [
        ("0", "1", "loss"), ("0", "1", "odd"), ("0", "2", "loss"), ("0", "2", "odd"),
    ]  # fmt: skip
    trials = rows(tmp_path / "tables" / "trials.csv")
    assert [float(row["score"]) for row in trials] == [trial.score for trial in study.trials]
    assert [row["values.depth"] for row in trials] == [str(t.values.get("depth", "")) for t in study.trials]


def test_a_resumed_search_goes_on_without_a_row_twice(tmp_path):
    search(tmp_path, 2)
    reports, events = tmp_path / "tables" / "reports.csv", tmp_path / "events.jsonl"
    with reports.open("a") as file:
        file.write("trial-0001,1,0,0,sea")  # a kill in the midst of a row
    with events.open("a") as file:
        file.write('{"kind": "rep')
    study = search(tmp_path, 4)
    seen = [(row["member"], row["epoch"], row["metric"]) for row in rows(reports)]
    assert len(seen) == len(set(seen)) == 4 * 2 * 2
    kinds = [json.loads(line)["kind"] for line in events.read_text().splitlines()]
    assert len(kinds) == len(study.events())
    assert kinds.count("session_started") == 2


def test_what_was_not_written_in_time_is_written_on_resume(tmp_path):
    search(tmp_path, 2)
    for path in (tmp_path / "tables" / "reports.csv", tmp_path / "events.jsonl"):
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:5]))
    study = search(tmp_path, 2)
    assert len(rows(tmp_path / "tables" / "reports.csv")) == 8
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == len(study.events())


def test_the_table_of_trials_is_there_while_the_search_runs(tmp_path):
    path, seen = tmp_path / "trials.csv", []

    def train(hp):
        deep = hp.Choice("kind", ["flat", "deep"]) == "deep"
        if deep:
            hp.Int("depth", 1, 3)  # a column that comes later
        seen.append([(row["number"], row["state"], row.get("values.depth")) for row in rows(path)])
        hp.report(1, {"loss": 1.0 if deep else 2.0})

    dialed.optimize(
        train,
        objective="loss",
        epochs=1,
        max_trials=6,
        strategy="random",
        seed=0,
        observers=[CsvFiles(tmp_path)],
        verbose=0,
    )
    assert [len(table) for table in seen] == [0, 1, 2, 3, 4, 5]
    assert seen[1] == [("0", "completed", None)]
    assert seen[-1][0] == ("0", "completed", "")
    assert any(depth for _, _, depth in seen[-1])
    assert not list(tmp_path.glob(".*")), "nothing half written is left"


def train_slowly(hp, at_epoch=lambda: None):
    x = hp.Float("x", 0.0, 1.0)
    for epoch in (1, 2):
        hp.report(epoch, {"loss": x / epoch})
        at_epoch()


def five_trials(folder, function=train_slowly):
    dialed.optimize(
        function, objective="loss", epochs=2, max_trials=5, strategy="random", seed=0, name="net",
        observers=[CsvFiles(folder)], store=str(folder / "store.db"), verbose=0,
    )  # fmt: skip


def until_killed(folder):
    """Run in a process of its own, which ends in the fourth trial."""
    epochs = iter(range(8))

    def die_late():
        if next(epochs) == 6:
            os.kill(os.getpid(), signal.SIGKILL)

    five_trials(folder, lambda hp: train_slowly(hp, die_late))


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_search_leaves_the_trials_that_have_ended_and_a_resumed_one_has_each_once(tmp_path):
    path = tmp_path / "trials.csv"
    code = f"import pathlib, test_files; test_files.until_killed(pathlib.Path({str(tmp_path)!r}))"
    killed = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [(row["number"], row["state"]) for row in rows(path)] == [(str(n), "completed") for n in range(3)]
    with path.open("a") as file:
        file.write('3,completed,"half a')  # had the kill come in the midst of a row
    five_trials(tmp_path)
    assert [row["number"] for row in rows(path)] == ["0", "1", "2", "3", "4"]
    assert all(float(row["score"]) == float(row["values.x"]) / 2 for row in rows(path))


def test_a_line_is_strict_json(tmp_path):
    search(tmp_path, 1)

    def refuse(word):
        raise AssertionError(word)

    lines = [json.loads(line, parse_constant=refuse) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    report = next(line for line in lines if line["kind"] == "report")
    assert report["metrics"]["odd"] is None
    assert report["time"] > 1e9


def test_only_half_a_line_is_cut_off(tmp_path):
    path = tmp_path / "file"
    for text, kept in (("a\nb", "a\n"), ("a\nb\n", "a\nb\n"), ("a", "")):
        path.write_text(text)
        cut_at_last_line(path)
        assert path.read_text() == kept
