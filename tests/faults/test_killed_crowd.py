"""A driver and workers, killed at random, find what an undisturbed search finds: nothing lost, nothing counted twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to begin a life in a millisecond")

TRIALS, EPOCHS = 4, 4


def crowds(seeds: range) -> list[dict[str, Any]]:
    command = [sys.executable, str(Path(__file__).with_name("crowd.py")), *map(str, seeds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=840 + 20 * len(seeds), check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(found: list[dict[str, Any]], seeds: range) -> None:
    """Each history is the one that follows from the seed and the values alone."""
    assert [each["seed"] for each in found] == list(seeds)
    first = found[0]["history"]
    for each in found:
        assert each["history"] == first, f"seed {each['seed']}: {each['fates']}"
    assert [number for number, *_ in first] == list(range(TRIALS))
    for _, values, state, score, reports in first:
        assert state == "completed"
        assert [epoch for epoch, _ in reports] == list(range(1, EPOCHS + 1))
        total = 0.0
        for _, metrics in reports:
            total += values["x"]
            assert metrics == {"objective": total}
        assert score == min(metrics["objective"] for _, metrics in reports)


@pytest.mark.slow
def test_a_crowd_that_is_killed_again_and_again_finds_what_an_undisturbed_search_finds() -> None:
    """30 seeds: kills at random instants, in the middle of a commit and of a checkpoint, full disks."""
    found = crowds(range(30))
    check(found, range(30))
    fates = sum((Counter(each["fates"]) for each in found), Counter())
    assert fates["driver killed"] > 10
    assert fates["worker killed"] > 60


@pytest.mark.nightly
def test_five_hundred_crowds_find_the_same() -> None:
    check(crowds(range(100, 600)), range(100, 600))
