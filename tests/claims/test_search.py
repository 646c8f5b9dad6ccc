"""What is claimed of `Bayesian` on made problems: better than chance, many at a time, and unharmed by what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import wilcoxon

from dialed.strategies import Bayesian, Random

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield


def _regrets(family: str, make: Any, instances: int, trials: int) -> list[float]:
    """The regret of the configuration that looks best after all trials, for each instance of a family."""
    from search_problems import made
    from search_runs import measure

    from search import ours

    problems = [made(family, instance) for instance in range(instances)]
    runs = measure({"": ours(make)}, problems, seeds=[0], trials=trials)
    return [float(run.regrets(task, trials)[-1]) for run, task in zip(runs, problems, strict=True)]


@pytest.mark.parametrize(
    ("family", "problems", "trials"),
    [("numbers", 10, 30), ("mixed", 10, 30), ("conditional", 10, 30), ("noisy", 14, 40)],
)
def test_bayesian_beats_chance_on_each_family_it_is_made_for(family: str, problems: int, trials: int) -> None:
    """With p < 0.01 by Wilcoxon's signed ranks; noise takes more problems to tell."""
    model = _regrets(family, lambda: Bayesian(default_first=False), problems, trials)
    chance = _regrets(family, lambda: Random(default_first=False), problems, trials)
    assert wilcoxon(model, chance, alternative="less").pvalue < 0.01
    assert np.mean(model) < 0.75 * np.mean(chance)


def test_batches_of_8_take_few_more_trials() -> None:
    """At most 15 % more than one at a time, for the mean regret that it has after 100 trials."""
    from search_figures import batches, extra_trials
    from search_problems import made

    from search import ours

    problems = [made(family, instance) for family in ("numbers", "mixed") for instance in range(2)]
    search = ours(lambda: Bayesian(default_first=False))
    curves = batches(search, problems, seeds=[0], trials=115, sizes=(8,))
    assert extra_trials(curves[1], curves[8], 100) <= 0.15


def test_where_half_of_a_space_fails_under_a_fifth_of_the_second_half_of_60_trials_does() -> None:
    from search_figures import failures

    assert failures(Bayesian, range(4)) < 0.2


def test_a_space_of_96_configurations_is_searched_without_a_repeat() -> None:
    from search_figures import repeats

    assert repeats(Bayesian, range(2)) == 0


def test_losses_that_diverge_cost_at_most_a_tenth_more_trials_than_clipped_ones() -> None:
    from search_figures import divergence

    diverged, known = divergence(Bayesian, range(12))
    assert diverged <= 1.1 * known
