"""Auto: every combination where the budget allows it, else a model, over rungs where a training has epochs for them."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from typing import Any

import pytest

from dialed.objectives import Constraint
from dialed.search import ASHA, Auto, Bayesian, Finish, Grid, History, Terms, generator
from dialed.space import Float, Hyperparameter, Space
from dialed.testing.simulate import simulate
from dialed.trial import Objective, State, Values

LOSS = Objective(name="loss", direction="min")
PLANE = Space([Hyperparameter(name, Float(0.0, 1.0)) for name in "xy"])
WIDE = Space([Hyperparameter(name, Float(0.0, 1.0)) for name in "abcde"])


def terms(epochs: int = 27, **more: Any) -> Terms:
    return Terms(objective=LOSS, epochs=epochs, **more)


def values_of(history: History) -> list[tuple[Any, ...]]:
    return [tuple(trial.values.values()) for trial in history.trials]


def bowl(values: Values) -> float:
    return sum((float(value or 0) - 0.7) ** 2 for value in values.values())


def curve(values: Values, epochs: int = 27) -> list[float]:
    """A bowl that is reached by a power of the epochs, from a height that says nothing."""
    start = 1.0 + hashlib.shake_128(repr(sorted(values.items())).encode()).digest(1)[0] / 512
    return [bowl(values) + start / epoch for epoch in range(1, epochs + 1)]


@pytest.mark.parametrize("most", [12, 13, 100])
def test_it_is_a_grid_where_the_budget_allows_for_all(small: Space, most: int) -> None:
    chosen = simulate(Auto(), small, lambda values: 0.0, max_trials=most, seed=3)
    assert values_of(chosen) == values_of(simulate(Grid(), small, lambda values: 0.0, seed=3))


def test_it_is_no_grid_where_the_epochs_do_not_allow_for_all(small: Space) -> None:
    assert Auto().explain(terms(max_trials=12, max_epochs=12 * 27), small).startswith("Every combination")
    assert not Auto().explain(terms(max_trials=12, max_epochs=12 * 27 - 1), small).startswith("Every combination")


@pytest.mark.parametrize("most", [9, 20])
def test_trainings_of_few_epochs_are_left_to_the_model(most: int) -> None:
    chosen = simulate(Auto(), PLANE, bowl, max_trials=most, seed=3)
    assert values_of(chosen) == values_of(simulate(Bayesian(), PLANE, bowl, max_trials=most, seed=3))


def test_with_a_budget_in_epochs_the_best_of_many_go_on() -> None:
    chosen = simulate(Auto(), PLANE, curve, terms=terms(max_epochs=9999), max_trials=20)
    alone = ASHA(sampler=Bayesian(), promote="prediction")
    named = simulate(alone, PLANE, curve, terms=terms(max_epochs=9999), max_trials=20)
    assert len(chosen) == 20
    assert sum(trial.epochs for trial in chosen.trials) > 20 * 9  # the budget pays for full trainings
    few = simulate(Auto(), PLANE, curve, terms=terms(max_epochs=100), max_trials=20)
    assert [(t.values, t.epochs) for t in few.trials] == [(t.values, t.epochs) for t in named.trials]


def test_with_a_budget_in_trials_each_goes_on_while_it_may_become_the_best() -> None:
    def cost_and_best(strategy: Any) -> tuple[int, float]:
        history = simulate(strategy, WIDE, curve, terms=terms(), max_trials=40, seed=2)
        assert history.best_trial is not None and history.best_trial.score is not None
        return history.epochs, history.best_trial.score

    epochs, best = cost_and_best(Auto())
    full_epochs, full_best = cost_and_best(Bayesian())
    assert full_epochs == 40 * 27
    assert epochs < 0.9 * full_epochs
    assert best < full_best + 0.01


def test_the_first_trials_are_trained_fully_where_trials_are_the_budget() -> None:
    history = simulate(Auto(), PLANE, curve, terms=terms(), max_trials=12)
    assert [trial.epochs for trial in history.trials[:6]] == [27] * 6
    assert {trial.state for trial in history.trials} <= {State.COMPLETED, State.PAUSED}


def test_where_all_diverge_it_still_ends() -> None:
    history = simulate(Auto(), PLANE, lambda values: [math.nan], terms=terms(), max_trials=12)
    assert {trial.state for trial in history.trials} == {State.FAILED}
    assert len(history) == 12


@pytest.mark.parametrize(
    "more",
    [
        {"others": (Objective(name="size", direction="min"),)},
        {"constraints": (Constraint("size", max=1.0),)},
    ],
)
def test_several_goals_are_weighed_after_full_trainings(more: dict[str, Any]) -> None:
    text = Auto().explain(terms(max_epochs=999, **more))
    assert text.startswith("Every trial is trained fully, for several goals are weighed.")


@pytest.mark.parametrize(
    ("given", "start"),
    [
        (terms(1, max_trials=9), "Every trial is trained fully, for 1 epochs are too few"),
        (
            terms(max_epochs=500),
            "Many trials begin, and the third with the best prospects goes on at 1, 3, 9, 27 epochs",
        ),
        (terms(max_seconds=60.0), "Many trials begin"),
        (terms(max_trials=9), "A trial pauses after 1, 3, 9, 27 epochs and goes on while it may"),
        (terms(max_trials=9, max_epochs=9 * 27), "A trial pauses"),
        (terms(max_trials=90, max_epochs=9 * 27), "Many trials begin"),
    ],
)
def test_it_explains_its_choice_in_two_sentences(given: Terms, start: str) -> None:
    text = Auto().explain(given, PLANE)
    assert text.startswith(start)
    assert len(re.findall(r"\.( |$)", text)) == 2


def test_the_epochs_of_a_trial_follow_from_the_choice() -> None:
    assert Auto().epochs_per_trial(terms(max_epochs=500)) == pytest.approx(1 + 2 / 3 + 6 / 9 + 18 / 27)
    assert Auto().epochs_per_trial(terms(max_trials=9)) == 27


@pytest.mark.parametrize("free", [4, 20])
def test_many_places_are_filled_with_different_configurations(free: int) -> None:
    history = simulate(Auto(), PLANE, curve, terms=terms(max_epochs=100), max_trials=60, free=free)
    assert len(set(values_of(history))) == 60
    assert max(trial.epochs for trial in history.trials) == 27


def test_without_the_defaults_it_begins_elsewhere() -> None:
    def first(strategy: Auto) -> Sequence[Any]:
        return values_of(simulate(strategy, PLANE, curve, terms=terms(), max_trials=1))[0]

    assert first(Auto()) == tuple(PLANE.default_values().values())
    assert first(Auto(default_first=False)) != first(Auto())


def test_it_ends_when_the_space_is_exhausted(small: Space) -> None:
    history = simulate(Auto(), small, lambda values: 0.0)
    assert Auto().decide(small, history, generator(history), 3) == [
        Finish(reason="all 12 configurations of the space have been tried")
    ]


def test_it_looks_no_sooner_than_pays() -> None:
    few = Auto().explain(terms(max_trials=40, least_epochs=3), PLANE)
    assert few.startswith("A trial pauses after 3, 9, 27 epochs")
    counted = Auto().explain(terms(max_epochs=100, least_epochs=3), PLANE)
    assert "goes on at 1, 3, 9, 27 epochs" in counted, "where epochs are the budget, each of them is saved"


def test_trainings_as_short_as_their_beginning_are_full() -> None:
    short = terms(least_epochs=27)
    assert Auto().explain(short, PLANE).startswith("Every trial is trained fully, for 27 epochs take hardly longer")
    chosen = simulate(Auto(), PLANE, curve, terms=short, max_trials=9, seed=3)
    assert [trial.epochs for trial in chosen.trials] == [27] * 9
