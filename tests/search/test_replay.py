"""The same events give the same decisions, over random spaces, seeds, results and degrees of parallelism."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialed.events import Built, Event
from dialed.search import (
    ASHA,
    Auto,
    Bayesian,
    Grid,
    History,
    Hyperband,
    Manual,
    OneAtATime,
    PopulationBased,
    Random,
    Sobol,
    SuccessiveHalving,
    Terms,
    generator,
)
from dialed.space import Boolean, Choice, Condition, Domain, Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation
from dialed.trial import Objective, Values

DOMAINS: list[Domain] = [
    Choice(["a", "b", "c"]),
    Choice([1, 8], default=8),
    Boolean(),
    Int(0, 3),
    Int(1, 100, sampling="log"),
    Float(0.0, 1.0, step=0.25),
    Float(1e-3, 1.0, sampling="log"),
]


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    hyperparameters = [Hyperparameter("first", Choice(["on", "off"]))]
    for index in range(draw(st.integers(0, 3))):
        conditions = draw(st.sampled_from([(), (Condition("first", ("on",)),), (Condition("first", ("off",)),)]))
        hyperparameters.append(Hyperparameter(f"h{index}", draw(st.sampled_from(DOMAINS)), conditions))
    return Space(hyperparameters)


STRATEGIES = st.sampled_from(
    [
        ASHA(),
        Auto(),
        Bayesian(),
        Bayesian(prior="defaults"),
        Grid(points=2),
        Hyperband(sampler="sobol"),
        Manual([{"first": "off"}, {}]),
        OneAtATime(points=3),
        PopulationBased(population=4, interval=1),
        Random(),
        Sobol(),
        SuccessiveHalving(rounds=2),
    ]
)


def _score(salt: int, values: Values) -> float:
    mixed = sum(ord(letter) * (i + salt) for i, letter in enumerate(repr(sorted(values.items())))) % 101
    return float("nan") if mixed < 10 else mixed / 100


@settings(max_examples=60, deadline=None)
@given(spaces(), STRATEGIES, st.integers(0, 2**32), st.integers(1, 4), st.integers(0, 20), st.data())
def test_a_study_cut_off_anywhere_goes_on_as_if_nothing_had_been(
    space: Space, strategy: Any, seed: int, free: int, salt: int, data: st.DataObject
) -> None:
    terms = Terms(objective=Objective(name="loss", direction="min"), seed=seed, max_trials=15)
    whole = Simulation(strategy, space, lambda values: _score(salt, values), terms=terms, free=free)
    whole.run()
    cut = data.draw(st.integers(0, len(whole.events)))
    resumed = Simulation(strategy, space, lambda values: _score(salt, values), terms=terms, free=free)
    resumed.history = History(terms, whole.events[:cut])
    for places in (1, free):
        live = strategy.decide(space, resumed.history, generator(resumed.history), places)
        again = History(terms, whole.events[:cut])
        assert strategy.decide(space, again, generator(again), places) == live
    if free == 1 and resumed.history.unfinished == []:
        assert [t.values for t in resumed.run().trials] == [t.values for t in whole.history.trials]


@settings(max_examples=30, deadline=None)
@given(spaces(), STRATEGIES, st.integers(1, 3))
def test_builds_that_ask_for_other_values_never_make_a_strategy_repeat_itself(
    space: Space, strategy: Any, free: int
) -> None:
    """A build call may ignore what it was given: here it always asks for the first value and one of its own."""
    terms = Terms(objective=Objective(name="loss", direction="min"), max_trials=200)
    simulation = _Rebuilding(strategy, space, lambda values: 0.5, terms=terms, free=free)
    begun = [space.key(event.values) for event in simulation.searched()]
    assert len(set(begun)) == len(begun)


class _Rebuilding(Simulation):
    def searched(self) -> list[Any]:
        self.run(40)
        return [event for event in self.events if hasattr(event, "seeds")]

    def _record(self, event: Event) -> None:
        super()._record(event)
        if hasattr(event, "seeds"):
            trial = self.history.trial(len(self.history) - 1)
            super()._record(Built(trial=trial.number, values={"first": "off", "found_late": 1}))


@pytest.mark.parametrize(
    "strategy",
    [
        Grid(points={"rate": 2}),
        Manual([{"rate": 0.5}]),
        OneAtATime(order=["rate"], points=2),
        Sobol(),
        Random(),
        Auto(),
        Bayesian(),
        ASHA(),
        Hyperband(),
        SuccessiveHalving(),
        PopulationBased(population=2),
    ],
)
@pytest.mark.parametrize("free", [1, 2])
def test_a_space_that_is_met_only_by_the_first_trial_is_searched(strategy: Any, free: int) -> None:
    """A plain function has no space before its first call: its defaults are tried, and show it."""
    terms = Terms(objective=Objective(name="loss", direction="min"), max_trials=4)
    simulation = Simulation(strategy, Space([]), lambda values: 0.0, terms=terms, free=free)
    simulation.run(1)
    simulation.apply(Built(trial=0, values={"rate": 0.0}))
    simulation.space = Space([Hyperparameter("rate", Float(0.0, 1.0))])
    history = simulation.run()
    rates = [trial.values["rate"] for trial in history.trials]
    assert rates[0] == 0.0
    assert len(set(rates)) == len(rates) >= 2
    assert history.baseline is history.trial(0)
