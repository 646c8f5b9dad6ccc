"""`DialedSampler` is a sampler as Optuna's own tests want them, and a good one."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.testing import pytest_samplers
from optuna.trial import TrialState

from dialed.errors import InvalidInputError
from dialed.optuna import DialedSampler
from dialed.trial import Cause, State


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


class _Seeded:
    @pytest.fixture(params=["bayesian", "sobol"])
    def sampler(self, request: pytest.FixtureRequest) -> Callable[[], BaseSampler]:
        return lambda: DialedSampler(request.param, seed=0)


class TestBasic(_Seeded, pytest_samplers.BasicSamplerTestCase):
    """Each distribution, alone and with others, single values, conditions, changing ranges, NaN."""


class TestRelative(_Seeded, pytest_samplers.RelativeSamplerTestCase):
    """Parameters that are chosen together, in one thread and in two."""


class TestSingleObjective(_Seeded, pytest_samplers.SingleOnlySamplerTestCase):
    """Several objectives are refused."""


def test_the_model_finds_the_best_of_a_conditional_space() -> None:
    """Children of a choice are modelled where they are asked for, not drawn at random as in an intersection."""
    drawn: list[str] = []

    class Watched(DialedSampler):
        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            drawn.append(param_name)
            return super().sample_independent(study, trial, param_name, param_distribution)

    study = optuna.create_study(sampler=Watched(seed=1))
    study.optimize(_conditional, n_trials=40)
    assert study.best_value < 0.01
    assert drawn.count("rate") == 1
    assert drawn.count("momentum") == drawn.count("decay") == 1


def test_what_a_trial_never_asks_for_is_not_proposed() -> None:
    study = optuna.create_study(sampler=DialedSampler(seed=1))
    study.optimize(_conditional, n_trials=10)
    for trial in study.trials:
        assert ("momentum" in trial.params) == (trial.params["kind"] == "sgd")
    space = study.sampler.infer_relative_search_space(study, study.trials[-1])
    proposals = [study.sampler.sample_relative(study, _new_trial(study), space) for _ in range(8)]
    for proposal in proposals:
        assert ("momentum" in proposal) == (proposal["kind"] == "sgd")


def test_a_parameter_that_nothing_explains_is_drawn_on_its_own() -> None:
    study = optuna.create_study(sampler=DialedSampler(seed=0))

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        return x + (trial.suggest_float("odd", 0, 1) if trial.number % 2 else 0.0)

    study.optimize(objective, n_trials=6)
    assert list(study.sampler.infer_relative_search_space(study, study.trials[-1])) == ["x"]


def test_the_same_seed_tries_the_same() -> None:
    def params(seed: int) -> list[dict[str, Any]]:
        study = optuna.create_study(sampler=DialedSampler(seed=seed))
        study.optimize(_conditional, n_trials=12)
        return [trial.params for trial in study.trials]

    assert params(3) == params(3)
    assert params(3) != params(4)


def test_a_study_goes_on_alike_with_a_new_sampler_of_the_same_seed() -> None:
    whole = optuna.create_study(sampler=DialedSampler(seed=2))
    whole.optimize(_conditional, n_trials=14)
    halves = optuna.create_study(sampler=DialedSampler(seed=2))
    halves.optimize(_conditional, n_trials=7)
    halves.sampler = pickle.loads(pickle.dumps(halves.sampler))
    halves.optimize(_conditional, n_trials=7)
    assert [t.params for t in halves.trials] == [t.params for t in whole.trials]


def test_no_seed_means_another_search_each_time() -> None:
    first, second = ({**s.__getstate__()}["_seed"] for s in (DialedSampler(), DialedSampler()))
    assert first != second


@pytest.mark.parametrize("strategy", ["random", "sobol", "bayesian"])
def test_running_trials_are_not_proposed_again(strategy: str) -> None:
    """Eight workers ask before any of them tells: a grid of nine points gives nine different ones."""
    study = optuna.create_study(sampler=DialedSampler(strategy, seed=0))
    grid = {"x": IntDistribution(0, 2), "y": CategoricalDistribution(["a", "b", "c"])}
    first = study.ask(grid)
    study.tell(first, 0.5)
    asked = [first, *(study.ask(grid) for _ in range(8))]
    assert len({tuple(trial.params.items()) for trial in asked}) == 9


def test_a_proposal_counts_before_it_is_asked_for() -> None:
    study = optuna.create_study(sampler=DialedSampler("sobol", seed=0))
    grid = {"x": IntDistribution(0, 2)}
    study.tell(study.ask(grid), 0.5)
    proposals = [study.sampler.sample_relative(study, _new_trial(study), grid)["x"] for _ in range(2)]
    assert len({study.trials[0].params["x"], *proposals}) == 3


def test_an_enqueued_trial_is_not_proposed_again() -> None:
    study = optuna.create_study(sampler=DialedSampler("sobol", seed=0))
    grid = {"x": IntDistribution(0, 2)}
    study.tell(study.ask(grid), 0.5)
    left = {0, 1, 2} - {study.trials[0].params["x"]}
    wanted = left.pop()
    study.enqueue_trial({"x": wanted})
    assert study.sampler.sample_relative(study, _new_trial(study), grid)["x"] == left.pop()


def test_failed_trials_are_kept_away_from() -> None:
    """Half of the range fails, beside the best: less than a third of the later trials is lost to it."""
    study = optuna.create_study(sampler=DialedSampler(seed=0))

    def objective(trial: optuna.Trial) -> float:
        x, y = trial.suggest_float("x", -1, 1), trial.suggest_float("y", -1, 1)
        if x > 0:
            raise ValueError("This half cannot be trained.")
        return (x - 0.1) ** 2 + y**2

    study.optimize(objective, n_trials=40, catch=(ValueError,))
    later = [trial.state for trial in study.trials[20:]]
    assert later.count(TrialState.FAIL) < 20 / 3
    assert study.best_value < 0.05


def test_pruned_trials_count_with_what_they_reported_last() -> None:
    study = optuna.create_study(sampler=DialedSampler(seed=0))

    def objective(trial: optuna.Trial) -> float:
        loss = (trial.suggest_float("x", -1, 1) - 0.3) ** 2
        trial.report(loss, 1)
        if loss > 0.1:
            raise optuna.TrialPruned
        return loss

    study.optimize(objective, n_trials=25)
    assert study.best_value < 1e-3
    record = study.sampler._record
    stopped = [trial for trial in record.history.trials if trial.state is State.STOPPED]
    assert stopped
    assert all(trial.score is not None and trial.score > 0.1 for trial in stopped)


def test_infinite_values_and_pruning_before_a_report_are_survived() -> None:
    study = optuna.create_study(sampler=DialedSampler(seed=0))

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -1, 1)
        if x < -0.5:
            raise optuna.TrialPruned
        return math.inf if x > 0.5 else x**2

    study.optimize(objective, n_trials=20)
    assert study.best_value < 0.01
    causes = {trial.cause for trial in study.sampler._record.history.trials}
    assert causes <= {None, Cause.NAN}


def test_maximising_goes_up() -> None:
    study = optuna.create_study(direction="maximize", sampler=DialedSampler(seed=0))
    study.optimize(lambda trial: -((trial.suggest_float("x", -1, 1) - 0.3) ** 2), n_trials=20)
    assert study.best_value > -1e-3


def test_an_exhausted_space_is_repeated() -> None:
    study = optuna.create_study(sampler=DialedSampler("grid", seed=0))
    study.optimize(lambda trial: trial.suggest_int("x", 0, 3), n_trials=9)
    assert {trial.params["x"] for trial in study.trials[:4]} == {0, 1, 2, 3}
    assert len(study.trials) == 9


def test_choices_that_python_calls_equal_and_objects_are_told_apart() -> None:
    study = optuna.create_study(sampler=DialedSampler("sobol", seed=0))
    with pytest.warns(UserWarning, match="Choices for a categorical"):
        study.optimize(lambda trial: len(trial.suggest_categorical("x", [(1,), (1, 2), None]) or ()), n_trials=5)
    assert {trial.params["x"] for trial in study.trials} == {(1,), (1, 2), None}


def test_ranges_too_large_for_a_domain_are_left_to_chance() -> None:
    study = optuna.create_study(sampler=DialedSampler(seed=0))
    study.optimize(lambda trial: trial.suggest_int("n", 0, 2**50) / 2**50 + trial.suggest_float("x", 0, 1), n_trials=4)
    assert list(study.sampler.infer_relative_search_space(study, study.trials[-1])) == ["x"]


def test_one_sampler_serves_two_studies_in_turn() -> None:
    sampler = DialedSampler(seed=0)
    for best in (0.2, 0.8):
        study = optuna.create_study(sampler=sampler)
        study.optimize(lambda trial, best=best: (trial.suggest_float("x", 0, 1) - best) ** 2, n_trials=15)
        assert study.best_value < 1e-3


def test_the_trials_of_a_hyperband_bracket_are_read_alone() -> None:
    """Optuna's Hyperband shows a sampler only the trials of one bracket."""
    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=9)
    study = optuna.create_study(study_name="brackets", sampler=DialedSampler(seed=0), pruner=pruner)

    def objective(trial: optuna.Trial) -> float:
        loss = (trial.suggest_float("x", 0, 1) - 0.4) ** 2
        for step in range(1, 10):
            trial.report(loss + 1 / step, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return loss

    study.optimize(objective, n_trials=25)
    assert study.best_value < 0.01


def test_two_objectives_are_refused() -> None:
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=DialedSampler())
    with pytest.raises(ValueError, match="must have one objective for DialedSampler.*Got 2 `directions`"):
        study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 1.0), n_trials=1)


@pytest.mark.parametrize("seed", [-1, 0.5, True])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    with pytest.raises(InvalidInputError, match="`seed` must be an int in the range"):
        DialedSampler(seed=seed)


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="Did you mean 'bayesian'"):
        DialedSampler("baysian")


def _conditional(trial: optuna.Trial) -> float:
    loss = (math.log10(trial.suggest_float("rate", 1e-4, 1.0, log=True)) + 2) ** 2
    if trial.suggest_categorical("kind", ["adam", "sgd"]) == "sgd":
        return loss + (trial.suggest_float("momentum", 0.0, 1.0) - 0.9) ** 2
    return loss + 0.1 + trial.suggest_float("decay", 0.0, 0.5, step=0.1) ** 2


def _new_trial(study: optuna.Study) -> optuna.trial.FrozenTrial:
    return study._storage.get_trial(study._storage.create_new_trial(study._study_id))
