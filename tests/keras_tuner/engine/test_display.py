"""What is printed: values in few columns, durations, the best so far."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import dialed.keras_tuner as kt
from dialed.keras_tuner.engine.display import Display
from dialed.keras_tuner.engine.trial import Trial


@pytest.fixture
def oracle(tmp_path: Path) -> Any:
    """An oracle over one hyperparameter, and nothing tried yet."""
    hp = kt.HyperParameters()
    hp.Int("units", 1, 9)
    made = kt.oracles.RandomSearchOracle(objective="val_loss", max_trials=5, seed=0, hyperparameters=hp)
    made._set_project_dir(tmp_path, "p")
    return made


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.000123456789, "0.00012346"),
        (12, "12"),
        (True, "True"),
        (None, "None"),
        ("short", "short"),
        ("a" * 18, "a" * 18),
        ("a" * 19, "a" * 15 + "..."),
    ],
)
def test_values_fit_into_their_column(value: Any, shown: str, oracle: Any) -> None:
    """Numbers in five digits, long texts cut."""
    assert Display(oracle).format_value(value) == shown


@pytest.mark.parametrize(
    ("duration", "shown"),
    [
        (timedelta(seconds=3), "00h 00m 03s"),
        (timedelta(hours=2, minutes=3, seconds=4), "02h 03m 04s"),
        (timedelta(days=3, seconds=59.6), "3d 00h 01m 00s"),
    ],
)
def test_durations_are_in_days_hours_minutes_and_seconds(duration: timedelta, shown: str, oracle: Any) -> None:
    """Days only where there are any."""
    assert Display(oracle).format_duration(duration) == shown


def test_without_values_the_default_configuration_is_said(oracle: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to put in a table."""
    Display(oracle).show_hyperparameter_table(Trial(kt.HyperParameters(), "0"))
    assert capsys.readouterr().out == "default configuration\n"


def test_nothing_is_printed_when_not_wanted(oracle: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """And numbers and times are kept, for a session that wants it."""
    display = Display(oracle, verbose=0)
    trial = Trial(kt.HyperParameters(), "0")
    display.on_trial_begin(trial)
    display.on_trial_end(trial)
    assert capsys.readouterr().out == ""
    again = Display(oracle)
    again.set_state(display.get_state())
    assert (again.trial_number, again.search_start) == (display.trial_number, display.search_start)


def test_a_trial_is_shown_beside_the_best(oracle: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The course of two trials."""
    for score in (2.0, 3.0):
        trial = oracle.create_trial("tuner0")
        oracle.update_trial(trial.trial_id, {"val_loss": score})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    printed = capsys.readouterr().out
    best = oracle.get_best_trials()[0].hyperparameters.get("units")
    assert "Search: Running Trial #1" in printed and f"{'?':18}|units" in printed
    assert "Search: Running Trial #2" in printed and f"|{best!s:18}|units" in printed
    assert "Best val_loss So Far: 2.0" in printed.split("Trial 2 Complete")[1]
