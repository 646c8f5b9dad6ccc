"""Nothing grows with the number of programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("many_families.py")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs a system that tells a process its size")
def test_memory_stays_flat_over_many_programs():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "64"],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["families"] == 4
    first, *late = told["megabytes"][1:]  # one of them may be taken while something else is in memory
    assert min(late) < first + 15, f"16 and 32 programs later: {told['megabytes']}"
