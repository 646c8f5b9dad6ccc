"""What several tests of the fused engine share: a process with 64-bit numbers for many cases."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def compared():
    """Runs a script of cases in a process of its own, once: its lines by case."""
    known = {}

    def lines(script, *cases):
        if (script, cases) not in known:
            known[script, cases] = _lines(script, cases)
        return known[script, cases]

    return lines


def _lines(script, cases):
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script)), *cases],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {line["case"]: line for line in map(json.loads, done.stdout.splitlines())}
