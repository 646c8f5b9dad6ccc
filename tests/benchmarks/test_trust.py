"""The benchmark of confirmations prints what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_it_prints_a_row_for_each_kind_of_study_and_each_budget():
    command = [sys.executable, str(FOLDER / "trust.py"), "--studies", "200", "--searched", "40"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "After a search of 40 trials, 200 studies:" in said
    rows = [line for line in said.splitlines() if line.count(" %") == 3]
    budgets = re.findall(r"a budget in epochs or time for (\d+) trainings, 200 studies:", said)
    assert budgets == ["100", "133", "150", "200"]
    assert len(rows) == 9 * (1 + len(budgets))
    assert all(re.search(r"\d+\.\d %\s+\d+\.\d %\s+\d+\.\d %", row) for row in rows)
