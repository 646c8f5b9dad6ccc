"""The documentation builds without a warning, and its reference has every public name."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

DOCS = Path(__file__).resolve().parent.parent / "docs"
PUBLIC = (
    "dialed",
    "dialed.errors",
    "dialed.keras_tuner",
    "dialed.keras_tuner.applications",
    "dialed.optuna",
    "dialed.padding",
    "dialed.schedules",
    "dialed.sklearn",
    "dialed.spaces",
    "dialed.strategies",
    "dialed.testing",
    "dialed.trackers",
)
"""The modules whose names users write; the packages inside are the house's own."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every name in the index of the built pages."""
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(site)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    return {name for kind, names in inventory.data.items() if kind.startswith("py:") for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("module", PUBLIC)
def test_the_reference_has_every_public_name(told: set[str], module: str) -> None:
    faces = importlib.import_module(module)
    names = [name for name in faces.__all__ if not inspect.ismodule(getattr(faces, name))]
    missing = [name for name in names if f"{module}.{name}" not in told]
    assert not missing


def test_every_public_module_has_a_page() -> None:
    pages = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    assert sorted(re.findall(r"automodule:: (\S+)", pages)) == list(PUBLIC)
