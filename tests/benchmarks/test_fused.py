"""The speed benchmark measures what it says; what it finds is asserted nowhere."""

import importlib.util
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPT = FOLDER / "fused.py"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture
def result():
    """A row that is met by the CPU's clock alone, its stock side sampled."""
    from speed.measure import Result, Seconds

    return Result(
        name="some",
        title="some trials",
        goal=(10, 20),
        trials=8,
        stock=Seconds(100.0, 90.0),
        cold=Seconds(10.0, 10.0),
        warm=Seconds(5.0, 4.0),
        imports={"stock": Seconds(1.0, 1.0)},
        stages={"compile": 1.5},
        stock_trained=4,
        stock_how="a loop",
        same_winner=False,
        differences=(0.0, 1e-3, 1e-6, 1e-6),
        alike=3,
        engines={"fused-1": 7, "fit: a callback": 1},
        failures=(),
        profile=[("dialed/engine/fused/boarding.py:71 lane", 8, 0.1, 0.75), ("other.py:1 lane", 1, 0.5, 9.0)],
    )


def test_a_goal_needs_both_clocks(result):
    from dataclasses import replace

    from speed.measure import Seconds
    from speed.told import met

    assert met(result) == "CPU only"  # 90 / 10 is less than 10
    assert met(replace(result, stock=Seconds(100.0, 100.0))) == "yes"
    assert met(replace(result, warm=Seconds(6.0, 5.0))) == "no"


def test_the_table_tells_what_was_sampled_who_won_and_how_trials_were_trained(result):
    from speed.told import table

    text = "\n".join(table([result]))
    assert "100.00 / 90.00 *" in text and "10.0 / 9.0" in text and "20.0 / 22.5" in text
    assert "stock trained 4 of 8 trials (1 in 2)" in text
    assert "ANOTHER WINNER, 3 of 4 ranks equal; relative differences of scores: median 1.0e-06, largest 1.0e-03" in text
    assert "7 in 1 program; 1 by fit: a callback" in text


def test_a_part_of_the_profile_is_that_of_its_own_file(result):
    from speed.told import where_time_goes

    lines = where_time_goes(result)
    assert any("0.75" in line and "build models" in line for line in lines)
    assert not any("9.00" in line and "build models" in line for line in lines)


def test_trials_that_stock_left_out_count_as_the_later_ones():
    from speed.measure import stock_seconds

    answer = {"cpu": 13.0, "wall": 26.0, "scores": [0.1] * 4, "each": [(9.0, 18.0), (2.0, 4.0), (1.0, 2.0), (1.0, 2.0)]}
    found = stock_seconds(answer, 8)
    assert (found.cpu, found.wall) == (13.0 + 4 * 1.0, 26.0 + 4 * 2.0)
    assert stock_seconds(answer, 4).cpu == 13.0


def test_sides_that_prefer_different_trials_are_told_apart():
    from speed.measure import compared

    assert compared([3.0, 1.0, 2.0], [3.0, 1.0, 2.0002], higher=False) == (True, pytest.approx((0.0, 0.0, 1e-4)), 3)
    assert compared([3.0, 1.0, 2.0], [3.0, 2.0, 1.0], higher=False)[0] is False
    assert compared([3.0, 1.0, 2.0], [3.0, 2.0, 1.0], higher=True)[0] is True
    assert compared([3.0, 1.0], [3.0, None], higher=True) == (False, (float("inf"),) * 2, 0)


def test_every_row_draws_the_same_values_again_and_its_model_takes_them():
    from speed import models
    from speed.rows import ROWS

    for row in ROWS.values():
        drawn = row.configurations()
        assert drawn == row.configurations() and len(drawn) == row.trials
        assert len({tuple(sorted(values.items())) for values in drawn}) == row.trials
        assert set(inspect.signature(getattr(models, row.model)).parameters) == set(drawn[0])


def test_a_row_whose_data_are_missing_is_skipped_aloud(tmp_path, capsys):
    script = importlib.util.module_from_spec(spec := importlib.util.spec_from_file_location("speed_of_fused", SCRIPT))
    spec.loader.exec_module(script)
    assert script.main(["--rows", "mnist-mlp,lstm", "--data", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert f"mnist-mlp: not measured: needs mnist.npz, which is not in {tmp_path}" in printed
    assert "lstm: not measured: needs imdb_tokens.npz" in printed


@pytest.mark.parametrize(
    "row",
    [pytest.param("tabular-256", marks=pytest.mark.slow), pytest.param("mnist-grid", marks=pytest.mark.nightly)],
)
def test_both_sides_train_the_same_trials(tmp_path, row):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 240).astype("uint8")
    pictures = (rng.integers(0, 60, (240, 28, 28)) + 15 * labels[:, None, None]).astype("uint8")
    np.savez(tmp_path / "mnist.npz", x_train=pictures, y_train=labels, x_test=pictures, y_test=labels)
    command = [sys.executable, str(SCRIPT), "--quick", "--json", str(tmp_path / "told.json"), "--data", str(tmp_path)]
    done = subprocess.run(
        [*command, "--rows", row],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent / "src")},
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "told.json").read_text())
    assert "the same winner" in done.stdout
    (told,) = document["rows"]
    if row == "tabular-256":
        assert (told["trials"], told["stock_trained"]) == (3, 2)
    else:
        assert told["stock_how"].startswith("scikit-learn")
    assert told["same_winner"] and max(told["differences"]) < 1e-3
    assert sum(told["engines"].values()) == told["trials"]
    assert told["warm"]["cpu"] > 0 and told["stages"]["compile"] > 0
