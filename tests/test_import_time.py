"""`import dialed` costs next to nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

BACKENDS = {"keras", "jax", "jaxlib", "tensorflow", "torch"}
HEAVY = BACKENDS | {
    "optuna",
    "ray",
    "sqlalchemy",
    "psycopg",
    "sklearn",
    "scipy",
    "pandas",
    "matplotlib",
    "rich",
    "click",
}


def loaded_after(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after `statement`."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return set(done.stdout.split())


def test_importing_dialed_loads_nothing_heavy() -> None:
    """Neither a backend, nor a database, nor a terminal library is loaded before something needs it."""
    assert not loaded_after("import dialed") & HEAVY


@pytest.mark.parametrize("name", ["space", "search", "trial", "events", "errors", "clock"])
def test_the_light_layers_stay_light(name: str) -> None:
    """The layers that hold plain values and pure functions load nothing heavy either."""
    assert not loaded_after(f"import dialed.{name}") & HEAVY


def test_describing_a_space_loads_nothing_heavy() -> None:
    """`dialed.Choice(...)` can be written at the top of a script without paying for Keras."""
    assert not loaded_after("import dialed; dialed.Choice([1, 2])") & HEAVY
