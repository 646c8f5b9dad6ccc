"""Studies to draw: made trainings in made time on four machines, written into a store as a search would write them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import dialed
from dialed.events import Built, Event, MembersAdded, Noted, SessionEnded, SessionStarted, SpaceSet, TrialStarted
from dialed.search import Terms
from dialed.search.protocol import Strategy
from dialed.space import Hyperparameter, Space
from dialed.store import Catalog
from dialed.strategies import Bayesian, Random
from dialed.testing import VirtualClock, simulate
from dialed.trial import Cause, MemberKey, Objective, Outcome, Report, State, Trial, Values

TRIALS, EPOCHS, SEEDS = 80, 20, 5
PAUSE = 0.5
"""Seconds between two trainings."""

WORKERS = ("ada", "bell", "curie", "dirac")
SPACE = Space(
    Hyperparameter(name=name, domain=domain)
    for name, domain in {
        "learning_rate": dialed.Float(1e-4, 1e-1, sampling="log", default=1e-3),
        "units": dialed.Int(16, 256, step=16, default=64),
        "dropout": dialed.Float(0.0, 0.6, default=0.0),
        "activation": dialed.Choice(["relu", "tanh", "gelu"]),
    }.items()
)
TERMS = Terms(objective=Objective("val_accuracy", "max"), epochs=EPOCHS, max_trials=TRIALS, seed=4)


def fill(catalog: Catalog, clock: VirtualClock) -> None:
    """Two studies of the same space: "digits" by chance alone, and a Bayesian one. `clock` is the catalog's."""
    for begin, name, strategy in ((1.7e9, "digits-bayesian", Bayesian()), (1.7e9 + 86_400, "digits", Random())):
        clock.time = begin
        store = catalog.create(name, TERMS, {"max_trials": TRIALS})
        store.append([SessionStarted(worker=WORKERS[0], settings={}), SpaceSet(space=SPACE.to_json())])
        for time, event in sorted(_course(strategy), key=lambda told: told[0]):
            clock.time = begin + time
            store.append([event])
        store.append([SessionEnded(reason="max_trials is reached", finished=True, seconds=clock.time - begin)])


def _course(strategy: Strategy) -> Iterator[tuple[float, Event]]:
    """What happens, and after how many seconds: each trial on the machine that is free first, then fresh seeds."""
    trials = simulate(strategy, SPACE, lambda values: _top(values, 0), terms=TERMS).trials
    free = dict.fromkeys(WORKERS, 0.0)
    for trial in trials:
        worker = min(free, key=lambda name: free[name])
        start = TrialStarted(
            trial=trial.number, values=trial.values, until=EPOCHS, epochs=EPOCHS, seeds=(0,), source=trial.source
        )
        yield free[worker], start
        yield free[worker], Built(trial=trial.number, values=trial.values, parameters=_size(trial), engine="fused")
        for told in _member(trial, 0, free[worker], worker):
            free[worker] = told[0] + PAUSE
            yield told
    ranked = sorted((t for t in trials if t.score is not None), key=lambda t: -(t.score or 0.0))
    finalists, over = [*ranked[:3], trials[0]], max(free.values())
    free = dict.fromkeys(WORKERS, over)
    for trial in finalists:
        yield over, MembersAdded(trial=trial.number, seeds=tuple(range(1, SEEDS + 1)), until=EPOCHS, purpose="confirm")
    for seed in range(1, SEEDS + 1):
        for trial in finalists:
            worker = min(free, key=lambda name: free[name])
            for told in _member(trial, seed, free[worker], worker):
                free[worker] = told[0] + PAUSE
                yield told
    yield max(free.values()), Noted(trial=ranked[1].number, text="nearly as good, half the size", tags=("small",))


def _member(trial: Trial, seed: int, begin: float, worker: str) -> Iterator[tuple[float, Event]]:
    """A training: an accuracy that rises towards what the values allow; steps that are too large break it off."""
    key, top, rng = MemberKey(trial.number, seed, 0), _top(trial.values, seed), random.Random(997 * trial.number + seed)
    pace = 1.0 + _size(trial) / 20_000 + rng.random()
    rate, dropout = float(trial.values["learning_rate"] or 0.0), float(trial.values["dropout"] or 0.0)
    gap = 0.05 - 0.06 * dropout + rng.gauss(0, 0.004)
    for epoch in range(1, EPOCHS + 1):
        if rate > 0.06 and epoch == 4:
            outcome = Outcome(
                key=key, state=State.FAILED, epoch=3, cause=Cause.NAN, message="The loss is nan.", worker=worker
            )
            yield begin + pace * epoch, outcome
            return
        value = top * (1 - math.exp(-epoch / (3 + 5 * dropout))) + rng.gauss(0, 0.003)
        metrics = {"val_accuracy": value, "accuracy": value + gap * epoch / EPOCHS, "val_loss": 1.6 * (1.02 - value)}
        yield begin + pace * epoch, Report(key=key, epoch=epoch, metrics=metrics, seconds=pace)
    yield begin + pace * EPOCHS, Outcome(key=key, state=State.COMPLETED, epoch=EPOCHS, worker=worker)


def _top(values: Values, seed: int) -> float:
    rate, units, dropout = (float(values[name] or 0.0) for name in ("learning_rate", "units", "dropout"))
    if rate > 0.06:
        return math.nan
    luck = random.Random(f"{values} {seed}").gauss(0, 0.004)
    away = 0.12 * abs(math.log10(rate) + 2.3) ** 1.5 + 0.06 * abs(dropout - 0.2) + 0.02 * (1 - units / 256)
    return 0.97 - away - (0.015 if values["activation"] == "tanh" else 0.0) + luck


def _size(trial: Trial) -> int:
    return int(trial.values["units"] or 0) * 75 + 10
