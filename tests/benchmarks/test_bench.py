"""The benchmarks beside other projects hang together; what they find is asserted nowhere."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("psutil")
FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture
def bench() -> ModuleType:
    import importlib

    return importlib.import_module("bench")


def run_of(side: str, *curve: tuple[float, float], task: str = "mnist", **more: Any) -> Any:
    """What one side did."""
    from race.watched import Run

    return Run(task=task, side=side, seed=0, curve=list(curve), wall=9.0, cpu=8.0, peak_bytes=7_000_000, **more)


def test_parts_are_chosen_by_name_and_may_be_quick(bench: ModuleType) -> None:
    assert bench.parts("all") == (False, list(bench.PARTS))
    assert bench.parts("quick") == (True, list(bench.PARTS))
    assert bench.parts("grid,memory") == (False, ["grid", "memory"])
    assert bench.parts("quick,grid") == (True, ["grid"])
    with pytest.raises(argparse.ArgumentTypeError, match="no such part: gird. There are quick, all, fused, grid"):
        bench.parts("gird")


def test_each_part_has_its_script_and_a_race_for_each_task(bench: ModuleType) -> None:
    from race.tasks import TASKS

    assert all((FOLDER / part.script).is_file() for part in bench.PARTS.values())
    assert set(TASKS) == set(bench.TASKS)


def test_a_part_is_kept_with_its_machine_and_without_this_machines_folders(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "script.py").write_text("import sys; print('table'); open(sys.argv[-1], 'w').write('[1]'); sys.exit(3)")
    monkeypatch.setattr(bench, "HERE", tmp_path)
    part = bench.Part(title="T", script="script.py", full=("--data", "{data}/x"))
    path = tmp_path / "part.json"
    found = bench.run(part, path, Path("/some/data"), Path("/some/tables"), quick=False)
    assert found == json.loads(path.read_text())
    assert (found["printed"], found["figures"], found["code"]) == ("table", [1], 3)
    assert found["command"] == "python benchmarks/script.py --data FOLDER/x"
    assert found["machine"]["date"]


def test_the_best_so_far_never_falls_back_and_passes_nothing_over() -> None:
    from race.told import best_so_far

    up = run_of("a", (1.0, 0.5), (2.0, float("nan")), (3.0, 0.4), (4.0, 0.7))
    assert best_so_far(up) == [(1.0, 0.5), (3.0, 0.5), (4.0, 0.7)]
    down = run_of("a", (1.0, 0.5), (2.0, 0.4), task="series")
    assert best_so_far(down) == [(1.0, 0.5), (2.0, 0.4)]


def test_the_target_is_what_kerastuners_hyperband_ends_with() -> None:
    from race.told import TARGET, lines, table

    runs = [
        run_of(TARGET, (1.0, 0.5), (8.0, 0.9)),
        run_of("Dialed", (0.5, 0.6), (1.0, 0.95)),
        run_of("Slow", (5.0, 0.6)),
    ]
    found = {line.side: line for line in lines(runs)}
    assert (found[TARGET].seconds, found[TARGET].epochs) == (8.0, 2.0)
    assert (found["Dialed"].seconds, found["Dialed"].final) == (1.0, 0.95)
    assert math.isinf(found["Slow"].seconds)
    told = "\n".join(table(list(found.values())))
    assert "never" in told and "val_accuracy" in told


def test_without_the_target_times_are_not_known() -> None:
    from race.told import lines, table

    assert " - " in "\n".join(table(lines([run_of("Dialed", (1.0, 0.5))])))


def test_a_journal_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    from race.journal import Journal, read

    path = tmp_path / "journal"
    assert read(path) == (False, [])
    journal = Journal(path)
    assert read(path) == (True, [])
    journal.note(0.5)
    journal.close()
    with path.open("a") as file:
        file.write("[1.0, 0.")  # killed in the middle of a line
    begun, ((seconds, value),) = read(path)
    assert begun and seconds >= 0.0 and value == 0.5


def test_all_projects_are_asked_for_the_same_space() -> None:
    """By Dialed's own `hp`, by KerasTuner's as the drop-in has it, and by Optuna's trial."""
    from race.spaces import from_hp, from_optuna
    from race.tasks import TASKS

    import dialed
    from dialed.keras_tuner import HyperParameters

    optuna = pytest.importorskip("optuna")
    space = TASKS["mnist"].space
    trial = optuna.create_study().ask()
    for ask in (from_hp(dialed.HyperParameters(), space), from_hp(HyperParameters(), space), from_optuna(trial, space)):
        values = {name: ask(name) for name in space}
        assert values["units_0"] % 32 == 0 and values["activation"] in ("relu", "tanh")
        assert 0.0 <= values["dropout"] <= 0.5 and 1e-4 <= values["learning_rate"] <= 0.1
        assert values["batch_size"] in (32, 64, 128)


@pytest.mark.parametrize("task", ["mnist", "fashion", "tabular", "text", "series"])
def test_each_task_builds_models_of_its_whole_space(task: str) -> None:
    """With the smallest of each value, which asks for all that there is at least."""
    pytest.importorskip("keras")
    from race.spaces import Options
    from race.tasks import TASKS

    from dialed.engine.building import values_without_compiling

    space = TASKS[task].space
    values = {n: kind.values[0] if isinstance(kind, Options) else kind.low for n, kind in space.items()}
    with values_without_compiling():
        model = TASKS[task].build(
            lambda name: int(values[name]) if getattr(space[name], "step", None) else values[name]
        )
    assert model.optimizer is not None and model.count_params() > 0


def test_memory_is_set_against_the_trials_begun() -> None:
    from memory import _growth

    points = [(0, 100.0), (10, 500.0), (50, 600.0), (95, 680.0), (100, 690.0)]
    assert _growth(points, 100) == pytest.approx({"settled": 500.0, "most": 690.0, "a_trial": 190.0 / 90})


def test_the_page_shows_tables_commands_and_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: ModuleType
) -> None:
    pytest.importorskip("matplotlib")
    import results_page
    from speed.machine import machine

    (tmp_path / "pictures").mkdir()
    points = [[0, 1.0], [5, 2.0]]
    document = {
        "title": "Memory",
        "command": "python benchmarks/memory.py",
        "seconds": 60.0,
        "machine": machine(),
        "printed": "A TABLE",
        "figures": {"sides": [{"side": "Dialed", "points": points}]},
    }
    (tmp_path / "memory.json").write_text(json.dumps(document))
    monkeypatch.setattr(results_page, "RESULTS", tmp_path)
    monkeypatch.setattr(results_page, "DOCS", tmp_path)
    results_page.main()
    page = (tmp_path / "benchmarks.md").read_text()
    assert "A TABLE" in page and "`python benchmarks/memory.py`: 1 minutes" in page
    assert "Not measured on this machine yet: `fused`, `grid`" in page
    assert (tmp_path / "pictures" / "bench-memory.png").stat().st_size > 5000


@pytest.mark.nightly
def test_a_race_runs_until_its_seconds_are_over(tmp_path: Path) -> None:
    """Dialed and KerasTuner, the latter where it is installed, on pictures that are easy to tell apart."""
    import numpy as np

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 2600).astype("uint8")
    pictures = (rng.integers(0, 60, (2600, 28, 28)) + 15 * labels[:, None, None]).astype("uint8")
    np.savez(tmp_path / "mnist.npz", x_train=pictures, y_train=labels)
    told = tmp_path / "told.json"
    command = [sys.executable, str(FOLDER / "time_to_accuracy.py"), "--data", str(tmp_path), "--tasks", "mnist"]
    options = [
        "--sides",
        "Dialed;KerasTuner Hyperband",
        "--quick",
        "--seeds",
        "1",
        "--seconds",
        "90",
        "--json",
        str(told),
    ]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (run, *_) = json.loads(told.read_text())["runs"]
    assert run["side"] == "Dialed" and run["curve"] and run["cpu"] > 0 and run["peak_bytes"] > 1e8
    assert "MNIST" in done.stdout and not run["error"]
