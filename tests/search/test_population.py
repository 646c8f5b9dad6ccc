"""Populations: who is copied, who is replaced, with which values; and that everything is done once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from dialed.errors import InvalidInputError
from dialed.events import Outcome
from dialed.search import Continue, Copy, Finish, History, PopulationBased, Start, Terms, generator
from dialed.space import Choice, Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Cause, Objective, State, Trial, Values

TERMS = Terms(objective=Objective(name="loss", direction="min"), epochs=4, seed=3)
SPACE = Space(
    [
        Hyperparameter("rate", Float(1e-3, 1.0, sampling="log", default=0.1)),
        Hyperparameter("kind", Choice(["a", "b"])),
    ]
)


class Descent:
    """A loss that falls each epoch by a factor that is best for one rate. The state is the loss."""

    def begin(self, values: Values, seed: int) -> float:
        return 1.0

    def epoch(self, state: float, values: Values) -> tuple[float, float]:
        loss = state * (0.5 + 0.1 * abs(math.log10(float(values["rate"]) / 0.02)))  # type: ignore[arg-type]
        return loss, loss


def searched(strategy: PopulationBased, *, free: int = 1, terms: Terms = TERMS, objective: Any = None) -> Simulation:
    simulation = Simulation(strategy, SPACE, objective or Descent(), terms=terms, free=free)
    simulation.run()
    return simulation


def copies(history: History) -> list[Trial]:
    return [trial for trial in history.trials if trial.origin is not None]


POPULATION = PopulationBased(population=10, interval=1, rounds=1)


@pytest.mark.parametrize("free", [1, 4, 10])
def test_the_worst_fifth_is_replaced_by_copies_of_the_best_fifth_at_each_comparison(free: int) -> None:
    """A naive reading of the paper: rank, cut, copy; three comparisons in four epochs."""
    history = searched(POPULATION, free=free).history
    holders = {trial.number: trial for trial in history.trials if trial.origin is None}
    assert len(holders) == 10
    for epoch in (1, 2, 3):
        ranked = sorted(holders.values(), key=lambda t: (t.members[0].curve[epoch - 1], t.number))
        born = [t for t in copies(history) if t.origin and t.origin.epoch == epoch]
        assert {t.origin.replaces for t in born if t.origin} == {t.number for t in ranked[-2:]}
        assert {t.origin.source for t in born if t.origin} <= {t.number for t in ranked[:2]}
        holders = {n: t for n, t in holders.items() if n not in {b.origin.replaces for b in born if b.origin}}
        holders |= {t.number: t for t in born}
    assert all(trial.state.finished for trial in history.trials)
    assert {t.number for t in history.trials if t.state is State.COMPLETED} == set(holders)


def test_a_population_costs_as_much_as_its_trials_alone() -> None:
    history = searched(POPULATION).history
    assert history.epochs == 10 * 4 == sum(trial.epochs for trial in history.trials)
    assert (history.begun, history.copies, len(history)) == (10, 6, 16)


def test_a_copy_goes_on_from_the_loss_of_its_source_with_its_own_rate() -> None:
    for copy in copies(searched(POPULATION).history):
        assert copy.origin is not None
        state = copy.members[0].curve[copy.origin.epoch - 1]
        assert copy.members[0].curve[copy.origin.epoch] == Descent().epoch(state, copy.values)[1]
        assert copy.members[0].since == copy.origin.epoch
        assert copy.score == min(copy.members[0].curve[copy.origin.epoch :])


def test_only_what_can_change_changes() -> None:
    history = searched(POPULATION).history
    for copy in copies(history):
        assert copy.origin is not None
        before = copy.origin.ancestors[-1].values
        assert copy.values["kind"] == before["kind"]
        assert copy.values["rate"] != before["rate"]


def test_named_hyperparameters_change_and_fixed_ones_do_not() -> None:
    both = searched(replace(POPULATION, tunable=["kind", "rate"], fixed=["rate"], resample=1.0)).history
    pairs = [(t.values, t.origin.ancestors[-1].values) for t in copies(both) if t.origin]
    assert all(now["rate"] == before["rate"] for now, before in pairs)
    assert any(now["kind"] != before["kind"] for now, before in pairs)


@pytest.mark.parametrize("explore", ["perturb", "bandit"])
def test_nobody_who_may_change_nothing_is_copied(explore: Any) -> None:
    terms = replace(TERMS, changeable=())
    history = searched(replace(POPULATION, explore=explore), terms=terms).history
    assert history.copies == 0
    assert {trial.epochs for trial in history.trials} == {4}


def test_a_population_of_one_is_a_training() -> None:
    history = searched(replace(POPULATION, population=1)).history
    assert [(t.epochs, t.state) for t in history.trials] == [(4, State.COMPLETED)]


def test_an_interval_as_long_as_the_training_copies_nothing() -> None:
    history = searched(replace(POPULATION, interval=4)).history
    assert (history.copies, len(history), history.epochs) == (0, 10, 40)


def test_a_constant_objective_gives_no_reason_to_copy() -> None:
    assert searched(POPULATION, objective=lambda values: [0.5] * 4).history.copies == 0


def test_all_that_failed_are_replaced_and_nobody_fails_the_search() -> None:
    class Failing(Descent):
        def epoch(self, state: float, values: Values) -> tuple[float, float]:
            loss = super().epoch(state, values)[1]
            return loss, math.nan if float(values["rate"]) > 0.1 else loss  # type: ignore[arg-type]

    history = searched(POPULATION, objective=Failing()).history
    failed = [t for t in history.trials if t.state is State.FAILED and t.origin is None]
    assert len(failed) > 2
    assert {t.number for t in failed} <= {t.origin.replaces for t in copies(history) if t.origin}
    assert sum(trial.state is State.COMPLETED for trial in history.trials) >= 8


def test_a_population_that_failed_as_a_whole_ends_with_its_round() -> None:
    history = searched(POPULATION, objective=lambda values: math.nan).history
    assert (len(history), history.copies) == (10, 0)


def test_what_the_user_enqueued_is_trained_as_asked_and_neither_copied_nor_replaced() -> None:
    simulation = Simulation(POPULATION, SPACE, Descent(), terms=TERMS)
    simulation.enqueue({"rate": 1.0, "kind": "a"})
    simulation.enqueue({"rate": 0.02, "kind": "a"})
    history = simulation.run()
    asked = [trial for trial in history.trials if trial.source == "enqueued"]
    assert [trial.epochs for trial in asked] == [4, 4]
    touched = {n for t in copies(history) if t.origin for n in (t.origin.source, t.origin.replaces)}
    assert not touched & {trial.number for trial in asked}


def test_a_source_does_not_go_on_before_its_copies_are_made() -> None:
    simulation = Simulation(POPULATION, SPACE, Descent(), terms=TERMS)
    history = simulation.run(10)
    decided = POPULATION.decide(SPACE, history, generator(history), 100)
    kinds = [type(decision) for decision in decided]
    assert kinds == [Copy, Copy, *[Continue] * 8]
    assert [type(d) for d in POPULATION.decide(SPACE, history, generator(history), 1)] == [Copy]
    assert POPULATION.decide(SPACE, history, generator(history), 0) == []


def test_rounds_follow_until_the_budget_ends() -> None:
    two = searched(replace(POPULATION, population=5, rounds=None), terms=replace(TERMS, max_trials=10)).history
    assert (two.begun, {t.epochs for t in two.trials if t.state is State.COMPLETED and not t.origin}) == (10, {4})
    decided = PopulationBased(population=5, interval=1).decide(SPACE, two, generator(two), 3)
    assert decided == [Finish(reason="max_trials=10 is reached")]
    one = searched(replace(POPULATION, population=5)).history
    assert replace(POPULATION, population=5).decide(SPACE, one, generator(one), 3) == [
        Finish(reason="rounds=1 is reached")
    ]


def test_what_once_kept_a_state_from_being_taken_over_is_left_alone_from_then_on() -> None:
    space = Space([*SPACE, Hyperparameter("width", Int(1, 8, default=4))])
    strategy = replace(POPULATION, fixed=["rate"])
    simulation = Simulation(strategy, space, Descent(), terms=TERMS)
    history = simulation.run(10)
    first = strategy.decide(space, history, generator(history), 1)
    simulation._study.carry_out(first)
    number = len(history) - 1
    assert isinstance(first[0], Copy)
    assert first[0].values["width"] != history.trial(first[0].source).values["width"]
    failed = Outcome(key=history.trial(number).members[0].key, state=State.FAILED, epoch=1, cause=Cause.MISFIT)
    simulation.apply(failed)
    end = simulation.run()
    assert len(copies(end)) == 1


def test_a_name_that_is_not_in_the_space_is_refused_with_the_nearest() -> None:
    history = simulate(PopulationBased(population=2), SPACE, Descent(), terms=TERMS, max_trials=2)
    with pytest.raises(InvalidInputError, match="must be hyperparameters of the space. Got `rat`. Did you mean 'rate'"):
        PopulationBased(tunable=["rat"], population=2).decide(SPACE, history, generator(history), 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"population": 0}, r"`population` of PopulationBased must be an int in the range \[1, inf\). Got 0"),
        ({"interval": True}, "`interval` of PopulationBased must be an int"),
        ({"rounds": 1.5}, "`rounds` of PopulationBased must be an int"),
        ({"share": 0.6}, r"`share` of PopulationBased must be a number in the range \(0, 0.5\]. Got 0.6"),
        ({"explore": "guess"}, "must be 'perturb' or 'bandit'. Got 'guess'"),
        ({"factors": (1.0,)}, r"must be a tuple of positive numbers other than 1. Got \(1.0,\)"),
        ({"factors": ()}, r"must be a tuple of positive numbers other than 1. Got \(\)"),
        ({"resample": 2}, r"`resample` of PopulationBased must be a chance in \[0, 1\]. Got 2"),
        ({"tunable": "rate"}, "`tunable` of PopulationBased must be a list of names. Got 'rate'"),
        ({"fixed": [1]}, r"`fixed` of PopulationBased must be a list of names. Got \[1\]"),
        ({"tunable": ["epochs"]}, "must be what can change in training. Got `epochs`"),
        ({"sampler": "nothing"}, "Got 'nothing'"),
    ],
)
def test_settings_out_of_their_range_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        PopulationBased(**settings)


@pytest.mark.parametrize(
    ("strategy", "terms", "words"),
    [
        (
            POPULATION,
            {},
            "10 trials side by side; every epoch the worst 2 go on as copies of the best 2, .*: 40 epochs",
        ),
        (PopulationBased(), {"max_trials": 30}, "30 trials .* every epoch the worst 6"),
        (PopulationBased(), {"max_trials": 90}, "30 trials"),
        (PopulationBased(), {"max_epochs": 80}, "15 trials"),
        (PopulationBased(), {"epochs": 40}, "20 trials .* every 4 epochs"),
        (PopulationBased(), {"max_epochs": 5}, "pays for one trial at a time, .* every trial is trained fully"),
        (POPULATION, {"max_epochs": 39}, "40 epochs. But max_epochs=39 ends before it does."),
        (
            PopulationBased(interval=9),
            {},
            "4 epochs are over before the first comparison after 9, so nothing is copied",
        ),
        (PopulationBased(), {"changeable": ()}, "No hyperparameter can change while a model is trained"),
        (PopulationBased(), {"changeable": ("rate",)}, "with other values of rate"),
    ],
)
def test_it_says_what_it_will_do_and_what_it_does_where_the_budget_is_too_small(
    strategy: PopulationBased, terms: Any, words: str
) -> None:
    import re

    assert re.search(words, strategy.explain(replace(TERMS, **terms)))


def test_the_first_decisions_are_trials_to_the_first_comparison() -> None:
    history = History(TERMS)
    decided = PopulationBased(population=3, interval=2).decide(SPACE, history, generator(history), 8)
    assert [d.until for d in decided if isinstance(d, Start)] == [2, 2, 2]
    assert isinstance(decided[0], Start)
    assert decided[0].values == SPACE.default_values()


GOLDEN = [0.49639768, 0.02400666, 0.02400666]


def test_the_golden_sequence_of_copied_rates_is_as_ever() -> None:
    rates = [round(float(t.values["rate"]), 8) for t in copies(searched(replace(POPULATION, population=5)).history)]
    assert rates == GOLDEN
