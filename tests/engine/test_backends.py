"""The same truths on the backends that are not the one of this process, each in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

FILES = (
    "test_fit",
    "test_continuing",
    "test_training",
    "test_probe",
    "test_export",
    "test_seeding",
    "test_feeding",
    "test_recipe",
    "test_arguments",
)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.skipif(keras.backend.backend() != "jax", reason="started by the process on JAX only")
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_the_engine_holds_on_another_backend(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs the package {backend}, which is not installed")
    here = Path(__file__).parent
    files = [str(here / f"{name}.py") for name in FILES]
    # Warnings of the backend's own imports are not ours to answer for.
    options = ["-q", "-p", "no:cacheprovider", "-W", "default", "--tb=short"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=here.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
