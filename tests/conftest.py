"""What all tests share: a backend for Keras, a folder to work in, and the data sets beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

os.environ.setdefault("KERAS_BACKEND", "jax")  # before anything imports Keras
# Processes that a test starts find the package where pytest's `pythonpath` finds it.
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])

# A slow machine is no fault of the code, and the same commit must pass or fail each time: no deadline, no fresh draws.
hypothesis.settings.register_profile("dialed", deadline=None, derandomize=True)
hypothesis.settings.load_profile("dialed")


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one while the test runs, so that default stores land in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets (`mnist.npz`, `wine_quality.npz`, ...) that may lie beside the project."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the data sets in ../shared/data, which are not here")
    return folder
