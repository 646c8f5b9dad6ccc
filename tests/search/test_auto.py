"""Auto: a rule over the space and the budget."""

from __future__ import annotations

import pytest

from dialed.search import Auto, Grid, Sobol, Strategy
from dialed.space import Space
from dialed.testing.simulate import simulate


@pytest.mark.parametrize(("most", "like"), [(12, Grid()), (13, Grid()), (11, Sobol()), (None, Sobol())])
def test_it_is_a_grid_where_the_budget_allows_for_all_and_else_sobol(
    small: Space, most: int | None, like: Strategy
) -> None:
    chosen = simulate(Auto(), small, lambda values: 0.0, max_trials=most, seed=3)
    named = simulate(like, small, lambda values: 0.0, max_trials=most, seed=3)
    assert [trial.values for trial in chosen.trials] == [trial.values for trial in named.trials]


def test_it_is_sobol_in_an_open_space(mixed: Space) -> None:
    chosen = simulate(Auto(), mixed, lambda values: 0.0, max_trials=20)
    named = simulate(Sobol(), mixed, lambda values: 0.0, max_trials=20)
    assert [trial.values for trial in chosen.trials] == [trial.values for trial in named.trials]
