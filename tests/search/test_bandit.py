"""The model of improvements: what it learns, what it forgets, and that it spreads what it proposes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from dialed.search import PopulationBased, Terms
from dialed.search._bandit import LEAST, Bandit, _caution, _kernel, _predicted
from dialed.search._generations import places
from dialed.space import Choice, Float, Hyperparameter, Space
from dialed.testing.simulate import Simulation
from dialed.trial import Objective, Values

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=12)
SPACE = Space([Hyperparameter("rate", Float(0.0, 1.0, default=0.5)), Hyperparameter("kind", Choice(["a", "b"]))])


class Hill:
    """The loss falls by most where the rate is 0.7."""

    def begin(self, values: Values, seed: int) -> float:
        return 1.0

    def epoch(self, state: float, values: Values) -> tuple[float, float]:
        loss = state - 0.05 * math.exp(-8 * (float(values["rate"]) - 0.7) ** 2)  # type: ignore[arg-type]
        return loss, loss


def bandit_after(trials: int, epochs: int) -> Bandit | None:
    strategy, terms = PopulationBased(population=trials, interval=1, rounds=1), replace(TERMS, epochs=epochs)
    history = Simulation(strategy, SPACE, Hill(), terms=replace(terms, changeable=())).run()
    founders = list(history.trials)[:trials]
    return Bandit.of(
        SPACE, ("rate", "kind"), places(history, founders), objective=TERMS.objective, interval=1, epoch=epochs
    )


def test_it_proposes_what_helped() -> None:
    bandit = bandit_after(12, 4)
    assert bandit is not None
    rng = np.random.default_rng(0)
    chosen = bandit.choose({"rate": 0.1, "kind": "b"}, 0.9, rng)
    assert float(chosen["rate"]) == pytest.approx(0.7, abs=0.15)  # type: ignore[arg-type]
    assert chosen["kind"] == "b"


def test_what_is_chosen_together_is_spread_while_little_is_known() -> None:
    bandit = bandit_after(5, 2)
    assert bandit is not None
    rng = np.random.default_rng(0)
    rates = [float(bandit.choose({"rate": 0.1, "kind": "a"}, 0.9, rng)["rate"]) for _ in range(4)]  # type: ignore[arg-type]
    assert len({round(rate, 1) for rate in rates}) >= 2


def test_a_rate_of_zero_stays_zero() -> None:
    bandit = bandit_after(12, 4)
    assert bandit is not None
    assert bandit.choose({"rate": 0.0, "kind": "a"}, 0.9, np.random.default_rng(0))["rate"] == 0.0


def test_too_few_observations_make_no_model() -> None:
    assert bandit_after(LEAST - 1, 2) is None
    assert bandit_after(LEAST, 2) is not None


def test_covariance_is_that_of_the_paper() -> None:
    squared, apart = np.array([[0.25]]), np.array([[3.0]])
    expected = math.exp(-0.25 / (2 * 0.5**2)) * (1 - 0.2) ** (3 / 2)
    assert _kernel(squared, apart, 0.5, 0.2)[0, 0] == pytest.approx(expected)


def test_a_prediction_is_that_of_a_textbook_gaussian_process() -> None:
    points, times, gains = np.array([[0.1], [0.6]]), np.array([1.0, 2.0]), np.array([0.5, -0.5])
    wanted = np.array([[0.4]])

    def k(a: float, b: float, s: float, t: float) -> float:
        return math.exp(-((a - b) ** 2) / (2 * 0.3**2)) * 0.9 ** (abs(s - t) / 2)

    rows = [(0.1, 1.0), (0.6, 2.0)]
    gram = np.array([[k(a, b, s, t) for b, t in rows] for a, s in rows]) + 0.1 * np.eye(2)
    across = np.array([k(a, 0.4, s, 3.0) for a, s in rows])
    mean, deviation = _predicted(points, times, gains, wanted, 3.0, 0.3, 0.1, 0.1)
    assert mean[0] == pytest.approx(across @ np.linalg.inv(gram) @ gains)
    assert deviation[0] ** 2 == pytest.approx(1 - across @ np.linalg.inv(gram) @ across)


def test_caution_grows_with_the_logarithm_of_what_was_seen() -> None:
    assert _caution(1) == 0.2
    assert _caution(100) == pytest.approx(0.2 + math.log(40))
