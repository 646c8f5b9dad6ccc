"""OneAtATime: keep the best value of one hyperparameter while trying the next."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from dialed.errors import InvalidInputError, SpaceError
from dialed.search import Finish, History, OneAtATime, Terms, generator
from dialed.space import Boolean, Choice, Condition, Float, Hyperparameter, Int, Space
from dialed.testing.simulate import Simulation, simulate
from dialed.trial import Objective, Values

TERMS = Terms(objective=Objective(name="loss", direction="min"))
SQUARE = Space([Hyperparameter(name, Int(0, 8)) for name in "xy"])


def _values(history: History) -> list[tuple[Any, ...]]:
    return [tuple(trial.values.values()) for trial in history.trials]


def _bowl(values: Values) -> float:
    x, y = float(values["x"] or 0), float(values["y"] or 0)
    return (x - 6) ** 2 + (y - 3) ** 2 + 0.5 * (x - 6) * (y - 3)


def test_golden_sequence(mixed: Space) -> None:
    def loss(values: Values) -> float:
        return (float(values["rate"] or 0) - 0.1) ** 2 + float(values.get("momentum", 0.3) or 0)

    assert _values(simulate(OneAtATime(points=3), mixed, loss)) == [
        (0.001, 0.0, "adam"),
        (0.0001, 0.0, "adam"),
        (0.00316227766017, 0.0, "adam"),
        (0.1, 0.0, "adam"),
        (0.1, 0.25, "adam"),
        (0.1, 0.5, "adam"),
        (0.1, 0.0, "sgd", 0.0),
        (0.1, 0.0, "sgd", 0.45),
        (0.1, 0.0, "sgd", 0.9),
        (0.0001, 0.0, "sgd", 0.0),
        (0.00316227766017, 0.0, "sgd", 0.0),
        (0.1, 0.25, "sgd", 0.0),
        (0.1, 0.5, "sgd", 0.0),
    ]


@pytest.mark.parametrize("free", [1, 2, 7])
def test_on_a_smooth_function_it_reaches_the_optimum_of_the_grid(free: int) -> None:
    history = simulate(OneAtATime(points=9), SQUARE, _bowl, free=free)
    best = min(itertools.product(range(9), range(9)), key=lambda point: _bowl(dict(zip("xy", point, strict=True))))
    assert history.best_trial is not None
    assert tuple(history.best_trial.values.values()) == best
    assert len(history) < SQUARE.size() / 2  # type: ignore[operator]


def _naive(space: Space, points: int, loss: Callable[[Values], float]) -> Values:
    """The textbook: coordinate descent with a loop and no history."""
    best = space.default_values()
    while True:
        before = best
        for name in space.names:
            candidates = [best, *({**best, name: value} for value in space[name].domain.values(points))]
            best = min(candidates, key=loss)
        if best == before:
            return best


@pytest.mark.parametrize("seed", range(8))
def test_it_ends_where_the_textbook_loop_ends(seed: int) -> None:
    space = Space([Hyperparameter(name, Int(0, 12)) for name in "abc"])

    def rough(values: Values) -> float:
        a, b, c = (int(value or 0) for value in values.values())
        return ((a * 7 + b * 13 + c * 29 + a * b * 3 + seed * 11) % 31) / 31

    history = simulate(OneAtATime(points=6), space, rough)
    assert history.best_trial is not None
    assert history.best_trial.values == _naive(space, 6, rough)


def test_it_ends_when_a_whole_round_improves_nothing() -> None:
    history = simulate(OneAtATime(points=9), SQUARE, _bowl)
    assert OneAtATime(points=9).decide(SQUARE, history, generator(history), 1) == [
        Finish(reason="a whole round of changes improved nothing")
    ]


def test_max_rounds_ends_it_earlier() -> None:
    history = simulate(OneAtATime(points=9, max_rounds=1), SQUARE, _bowl)
    assert len(history) == 17
    assert OneAtATime(points=9, max_rounds=1).decide(SQUARE, history, generator(history), 1) == [
        Finish(reason="max_rounds=1 is reached")
    ]


def test_order_says_what_is_tried_first() -> None:
    first = simulate(OneAtATime(points=3, order=["y"]), SQUARE, _bowl, max_trials=4)
    assert _values(first) == [(0, 0), (0, 4), (0, 8), (4, 4)]


def test_it_waits_for_running_trials_and_fills_what_is_free() -> None:
    simulation = Simulation(OneAtATime(points=4), SQUARE, _bowl, terms=TERMS, free=3)
    decided = OneAtATime(points=4).decide(SQUARE, simulation.history, generator(simulation.history), 10)
    assert [tuple(d.values.values()) for d in decided] == [(0, 0), (3, 0), (6, 0), (8, 0)]  # type: ignore[union-attr]
    simulation._study.carry_out(decided)
    assert OneAtATime(points=4).decide(SQUARE, simulation.history, generator(simulation.history), 10) == []


def test_a_child_is_tried_when_its_parent_brings_it_up_and_its_best_value_is_remembered() -> None:
    space = Space(
        [
            Hyperparameter("momentum_on", Boolean()),
            Hyperparameter("momentum", Choice([0.0, 0.5, 0.9]), (Condition("momentum_on", (True,)),)),
            Hyperparameter("rate", Choice([1, 2, 3])),
        ]
    )
    # At rate 1 momentum helps, at rate 3 it hurts; having left it, the search asks again for 0.9, not for 0.0.
    table: dict[tuple[object, ...], float] = {(False, 1): 5, (True, 0.0, 1): 4, (True, 0.9, 1): 3, (True, 0.9, 3): 2}
    history = simulate(OneAtATime(), space, lambda values: table.get(tuple(values.values()), 9.0))
    assert _values(history)[:6] == [
        (False, 1),
        (True, 0.0, 1),
        (True, 0.5, 1),
        (True, 0.9, 1),
        (True, 0.9, 2),
        (True, 0.9, 3),
    ]
    table[(False, 3)] = 1  # the next round switches it off, and the round after that looks at it again
    history = simulate(OneAtATime(), space, lambda values: table.get(tuple(values.values()), 9.0))
    assert _values(history)[6] == (False, 3)
    assert (True, 0.0, 3) not in _values(history)


def test_failed_trials_are_never_kept() -> None:
    def broken_at_the_optimum(values: Values) -> float:
        return float("nan") if values["x"] == 6 else _bowl(values)

    history = simulate(OneAtATime(points=9), SQUARE, broken_at_the_optimum)
    assert history.best_trial is not None
    assert history.best_trial.values["x"] in (5, 7)


def test_when_everything_fails_it_tries_one_round_and_ends() -> None:
    history = simulate(OneAtATime(points=9), SQUARE, lambda values: float("nan"))
    assert len(history) == 17
    assert history.best_trial is None


def test_it_starts_from_what_was_enqueued_before_if_that_is_better() -> None:
    simulation = Simulation(OneAtATime(points=9), SQUARE, _bowl, terms=TERMS)
    simulation.enqueue({"x": 6, "y": 8})
    history = simulation.run()
    assert _values(history)[:3] == [(6, 8), (0, 0), (0, 8)]
    assert history.best_trial is not None
    assert history.best_trial.values == {"x": 6, "y": 3}


def test_it_takes_over_a_better_trial_that_was_enqueued_on_the_way() -> None:
    def two_valleys(values: Values) -> float:
        return -100.0 if values == {"x": 1, "y": 7} else -200.0 if values == {"x": 1, "y": 1} else _bowl(values)

    alone = simulate(OneAtATime(points=9), SQUARE, two_valleys)
    assert alone.best_trial is not None
    assert alone.best_trial.score == 0.0
    simulation = Simulation(OneAtATime(points=9), SQUARE, two_valleys, terms=TERMS)
    simulation.run(6)
    simulation.enqueue({"x": 1, "y": 7})
    history = simulation.run()
    assert history.best_trial is not None
    assert history.best_trial.values == {"x": 1, "y": 1}


def test_open_floats_are_tried_at_points() -> None:
    space = Space([Hyperparameter("rate", Float(0.0, 1.0, default=0.1))])
    assert _values(simulate(OneAtATime(), space, lambda values: 0.0)) == [
        (0.1,),
        (0.0,),
        (0.25,),
        (0.5,),
        (0.75,),
        (1.0,),
    ]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"points": 1}, r"`points` of OneAtATime must be an int in the range \[2, inf\). Got 1"),
        ({"points": 2.0}, r"`points` of OneAtATime must be an int in the range \[2, inf\). Got 2.0"),
        ({"max_rounds": 0}, r"`max_rounds` of OneAtATime must be an int in the range \[1, inf\). Got 0"),
        ({"order": "x"}, "`order` of OneAtATime must be a list of different names. Got 'x'"),
        ({"order": ["x", "x"]}, "`order` of OneAtATime must be a list of different names"),
        ({"order": [1]}, "`order` of OneAtATime must be a list of different names"),
    ],
)
def test_bad_arguments_are_refused(argument: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        OneAtATime(**argument)


def test_an_unknown_name_in_order_is_refused_with_the_nearest() -> None:
    space = Space([Hyperparameter("dropout", Float(0.0, 0.5))])
    with pytest.raises(SpaceError, match=r"`order` of OneAtATime .* Got 'droput'. Did you mean 'dropout'\?"):
        simulate(OneAtATime(order=["droput"]), space, lambda values: 0.0)
