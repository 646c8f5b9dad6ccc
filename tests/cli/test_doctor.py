"""What the doctor finds."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path

import pytest

from dialed import backend
from dialed.cli import doctor as module
from dialed.cli.doctor import PARTS, cpus, examine, memory_bytes
from dialed.errors import MissingDependencyError

ROOT = Path(__file__).resolve().parents[2]


def test_a_working_installation_has_no_problems(dialed, working_folder: Path) -> None:
    said = dialed("doctor")
    assert said.exit_code == 0
    for part in ("Dialed ", "keras 3.", "Backend ", "Devices ", "cpu", "Machine ", "Store ", "Parts:"):
        assert part in said.stdout
    assert "Problem" not in said.stdout


def test_the_findings_are_json_too(dialed, working_folder: Path) -> None:
    found = json.loads(dialed("doctor", "--json").stdout)
    assert found["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert found["packages"]["keras"] and found["backend"]["installed"] and found["devices"]
    assert found["cpus"] == cpus() >= 1
    assert found["problems"] == []


def test_looking_at_the_store_makes_nothing(dialed, working_folder: Path) -> None:
    found = examine(None)["store"]
    assert (found["place"], found["exists"], found["problem"]) == ("dialed.db", False, None)
    assert found["free_bytes"] > 0 and not list(working_folder.iterdir())


def test_a_store_in_no_folder_is_a_problem_with_exit_code_1(dialed, working_folder: Path) -> None:
    said = dialed("doctor", "--store", "nowhere/dialed.db")
    assert said.exit_code == 1
    assert "Problem: The folder of a store must exist." in said.stdout and "not usable" in said.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_store_that_cannot_be_written_is_a_problem(dialed, working_folder: Path) -> None:
    folder = working_folder / "locked"
    folder.mkdir(mode=0o500)
    assert "must be writable" in str(examine(str(folder / "dialed.db"))["problems"])


def test_a_backend_that_is_not_installed_is_a_problem(
    dialed, working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise MissingDependencyError("The backend of Keras must be installed.")

    monkeypatch.setattr(backend, "check_backend", refuse)
    said = dialed("doctor")
    assert said.exit_code == 1 and "Problem: The backend of Keras must be installed." in said.stdout


def test_what_is_missing_comes_with_what_to_install(
    dialed, working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.PARTS, "torch", ("torch things", ("no_such_module",)))
    monkeypatch.setitem(module.PARTS, "pandas", ("tables", ("numpy",)))
    lines = dialed("doctor").stdout.splitlines()
    assert next(x for x in lines if "torch things" in x).split() == [
        "no",
        "torch",
        "things",
        *["pip", "install", '"dialed[torch]"'],
    ]
    assert next(x for x in lines if "tables" in x).split() == ["yes", "tables"]


def test_every_part_is_an_extra_of_the_package() -> None:
    """What the doctor tells to install can be installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(PARTS) <= set(project["optional-dependencies"])


def test_the_memory_is_that_of_the_machine_or_less() -> None:
    assert 0 < memory_bytes() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
