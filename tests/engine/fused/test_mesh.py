"""Lanes over several devices train what they train on one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("devices_case.py")


def trained(devices):
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_lanes_over_four_devices_are_those_of_one():
    one, four = trained(1), trained(4)
    assert (one["devices"], four["devices"]) == ([1], [4])
    assert one["failures"] == four["failures"] == []
    assert set(one["refused"]) == set(four["refused"]) == {""}
    assert True in four["checked"], "the program was compared with Keras's own step"
    assert len(one["told"]) == 2 * (8 + 3), "the first of the second team is the first of the first"
    assert four["told"] == one["told"], "to the last bit"
