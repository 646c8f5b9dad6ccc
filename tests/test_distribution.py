"""What is built is what users install: a wheel with the base dependencies runs the demo, away from the sources."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

import dialed

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = set(PROJECT["optional-dependencies"]) - {"dev"}


def run(command: Sequence[str], folder: Path, **environment: str) -> str:
    """Run `command` in `folder`, without this process's Python path; what it printed."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "KERAS_BACKEND")}
    done = subprocess.run(
        command, cwd=folder, env={**inherited, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], ROOT)
    return folder


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    sources = {str(p.relative_to(ROOT / "src")) for p in (ROOT / "src" / "dialed").rglob("*.py")}
    assert sources <= held
    assert "dialed/py.typed" in held
    assert {name.split("/")[0] for name in held} == {"dialed", f"dialed-{dialed.__version__}.dist-info"}


@pytest.mark.slow
def test_the_source_distribution_holds_what_its_tests_need(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as held:
        names = {name.split("/", 1)[1] for name in held.getnames() if "/" in name}
    assert {"Makefile", "pyproject.toml", "requirements-dev.lock", "CHANGELOG.md", "tests/conftest.py"} <= names


@pytest.mark.slow
def test_a_user_who_installs_the_wheel_runs_the_demo(built: Path, tmp_path: Path) -> None:
    """With the base dependencies as they are locked, and nothing else."""
    (wheel,) = built.glob("*.whl")
    venv, folder = tmp_path / "venv", tmp_path / "elsewhere"
    folder.mkdir()
    run([str(ROOT / ".ci" / "environment"), str(venv), "requirements.lock", str(wheel)], ROOT)
    told = run([str(venv / "bin" / "dialed"), "demo", "--max-time", "45s", "--name", "first"], folder)
    assert "Winner: trial" in told and "dialed show first" in told
    home = run([str(venv / "bin" / "python"), "-c", "import dialed; print(dialed.__file__)"], folder)
    assert str(venv) in home


def test_the_version_is_one() -> None:
    assert PROJECT["version"] == dialed.__version__


def test_every_extra_that_an_error_names_exists() -> None:
    """`pip install "dialed[plots]"` in a message or a page installs something."""
    pages = [*(ROOT / "src").rglob("*.py"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    named = {
        extra
        for page in pages
        for found in re.findall(r"dialed\[([a-z,]+)\]", page.read_text())
        for extra in found.split(",")
    }
    assert named <= EXTRAS
    assert "tensorflow" in named


def test_the_changelog_begins_with_this_version() -> None:
    heads = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] == dialed.__version__
