"""Every strategy with a thousand workers that are slow, die, join and leave: in virtual time, so in seconds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from dialed.search import (
    ASHA,
    Bayesian,
    Grid,
    Hyperband,
    OneAtATime,
    PopulationBased,
    Random,
    Sobol,
    Strategy,
    SuccessiveHalving,
    Terms,
)
from dialed.space import Choice, Float, Hyperparameter, Int, Space
from dialed.testing import Crew, VirtualRun, VirtualTime
from dialed.trial import Objective, State, Values

SPACE = Space(
    [
        Hyperparameter("rate", Float(1e-4, 1.0, sampling="log")),
        Hyperparameter("layers", Int(1, 6)),
        Hyperparameter("kind", Choice(["a", "b", "c"])),
        Hyperparameter("drop", Float(0.0, 0.9, step=0.1)),
    ]
)
SMALL = Space([SPACE["layers"], SPACE["kind"], SPACE["drop"]])
TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=9, seed=1)
CREW = Crew(
    workers=1000,
    stragglers=0.05,
    jitter=0.3,
    deaths_per_hour=20.0,
    lease_seconds=20.0,
    absence_seconds=30.0,
    changes=((15.0, -500), (40.0, 700)),
)


def curve(values: Values) -> list[float]:
    """A surrogate of a training: it falls to a floor that the values decide, some never get there."""
    rate, layers = float(values.get("rate") or 0.01), int(values["layers"] or 1)
    floor = abs(layers - 3) / 10 + (values["kind"] != "b") / 5 + abs(float(values["drop"] or 0.0) - 0.3)
    return [floor + (1.0 + rate) / (epoch + 1) if rate < 0.9 else float("nan") for epoch in range(9)]


def seconds(values: Values) -> float:
    return 1.0 + int(values["layers"] or 1) / 3


def searched(strategy: Strategy, *, trials: int | None, space: Space = SPACE, crew: Crew = CREW) -> VirtualRun:
    terms = replace(TERMS, max_trials=trials)
    return VirtualTime(strategy, space, curve, crew=crew, terms=terms, seconds=seconds).run()


STRATEGIES = [
    (Random(), 1500, SPACE),
    (Sobol(), 1500, SPACE),
    (Grid(), None, SMALL),
    (OneAtATime(), 150, SMALL),
    (ASHA(), 2000, SPACE),
    (SuccessiveHalving(), 1500, SPACE),
    (Hyperband(), 1000, SPACE),
    (PopulationBased(population=50), 150, SPACE),
]


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "trials", "space"), STRATEGIES, ids=lambda value: type(value).__name__)
def test_no_trial_is_lost_whatever_befalls_a_thousand_workers(
    strategy: Strategy, trials: int | None, space: Space
) -> None:
    run = searched(strategy, trials=trials, space=space)
    assert run.deaths > 0
    assert not run.history.is_busy
    left = Counter(trial.state for trial in run.history.trials if not trial.state.finished)
    assert not left or isinstance(strategy, ASHA), left  # whose trials rest: a larger budget may promote them
    if trials is not None:
        assert run.history.begun <= trials
    best = run.history.best_trial
    assert best is not None and best.values["layers"] in (2, 3, 4)


@pytest.mark.slow
def test_a_model_based_search_keeps_many_workers_busy_too() -> None:
    crew = replace(CREW, workers=50, changes=())
    run = searched(Bayesian(), trials=120, crew=crew)
    assert run.history.begun == 120
    assert all(trial.state.finished for trial in run.history.trials)


def test_the_same_seed_decides_the_same_whatever_befalls_the_workers() -> None:
    crew = replace(CREW, workers=40, changes=((5.0, -20), (12.0, 30)), deaths_per_hour=200.0)
    first, again = (searched(ASHA(), trials=150, crew=crew) for _ in range(2))
    assert first.history.trials == again.history.trials
    assert (first.seconds, first.busy_seconds) == (again.seconds, again.busy_seconds)
    other = searched(ASHA(), trials=150, crew=replace(crew, seed=1))
    assert other.seconds != first.seconds


@pytest.mark.slow
def test_asha_keeps_a_thousand_workers_busy() -> None:
    crew = replace(CREW, deaths_per_hour=0.0, changes=())
    terms = replace(TERMS, max_trials=None)
    run = VirtualTime(ASHA(), SPACE, curve, crew=crew, terms=terms, seconds=seconds).run(until=60.0)
    assert run.utilisation > 0.95
    assert any(trial.state is State.COMPLETED for trial in run.history.trials)
