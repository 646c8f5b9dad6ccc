"""Importance: known shares are found, chance is not taken for influence, and Optuna agrees."""

import numpy as np
import pytest

from dialed.analysis import importance_of, what_mattered
from dialed.errors import InvalidInputError, StudyError
from dialed.events import TrialStarted
from dialed.space import Boolean, Choice, Condition, Float, Hyperparameter, Int, Space
from dialed.trial import MemberKey, Report


def space_of(**domains):
    return Space(Hyperparameter(name, domain) for name, domain in domains.items())


GRADED = space_of(
    a=Float(0.0, 1.0), b=Float(1e-4, 1e-1, sampling="log"), c=Int(0, 20), d=Choice(["x", "y", "z"]), e=Float(0.0, 1.0)
)


def graded(values, rng):
    """Each hyperparameter counts about a third of the one before it."""
    b = (np.log10(values["b"]) + 4) / 3
    d = {"x": 0.0, "y": 1.0, "z": 0.5}[values["d"]]
    return 9 * values["a"] + 5 * b + 2.6 * values["c"] / 20 + 1.2 * d + 0.1 * values["e"] + 0.05 * rng.normal()


CONDITIONAL = Space(
    [
        Hyperparameter("kind", Choice(["plain", "deep"])),
        Hyperparameter("depth", Float(0.0, 1.0), (Condition("kind", ("deep",)),)),
        Hyperparameter("other", Float(0.0, 1.0)),
    ]
)


@pytest.mark.parametrize("method", ["ped-anova", "fanova"])
def test_hyperparameters_are_ranked_by_what_they_do(sampled, method):
    found = importance_of(sampled(GRADED, graded, 200), GRADED, method=method)
    assert [i.name for i in found.influences][:3] == ["a", "b", "c"]
    assert found.influences[0].stands_out and not found.influences[-1].stands_out
    assert all(0 <= i.low <= i.share <= i.high <= 1 for i in found.influences)


def test_the_shares_of_ped_anova_sum_to_one(sampled):
    assert sum(importance_of(sampled(GRADED, graded, 60), GRADED).shares.values()) == pytest.approx(1.0)


def test_the_direction_of_the_objective_is_kept(sampled):
    """Where higher is better, the best trials are those with the highest scores: `a` at its other end."""

    def corner(values, rng):
        return 1.0 if values["a"] > 0.9 else 0.04 * values["c"]

    upwards = importance_of(sampled(GRADED, corner, 200, direction="max"), GRADED)
    assert upwards.influences[0].name == "a"
    downwards = importance_of(sampled(GRADED, corner, 200, direction="min"), GRADED)
    assert downwards.influences[0].name == "c"


@pytest.mark.parametrize("method", ["ped-anova", "fanova"])
def test_the_same_seed_gives_the_same_answer(sampled, method):
    history = sampled(GRADED, graded, 30)
    assert importance_of(history, GRADED, method=method, seed=3) == importance_of(
        history, GRADED, method=method, seed=3
    )


@pytest.mark.slow
def test_in_noise_nothing_stands_out_in_nineteen_of_twenty_studies(sampled):
    """60 studies of noise: the expected number of false alarms is 3; more than 9 would be a matter of 1 in 1,000."""
    alarms = sum(
        any(i.stands_out for i in importance_of(sampled(GRADED, lambda _, rng: rng.normal(), 50, s), GRADED).influences)
        for s in range(60)
    )
    assert alarms <= 9


@pytest.mark.slow
def test_in_noise_fanova_lets_nothing_stand_out_either(sampled):
    alarms = sum(
        any(
            i.stands_out
            for i in importance_of(
                sampled(GRADED, lambda _, rng: rng.normal(), 40, s), GRADED, method="fanova"
            ).influences
        )
        for s in range(3)
    )
    assert alarms <= 1


def test_failures_make_what_causes_them_important(sampled):
    """The scores depend on `a` alone and weakly; whether a trial fails depends on `b`."""

    def fails(values, rng):
        return None if values["b"] > 1e-2 else 0.1 * values["a"] + rng.normal()

    with_failures = importance_of(sampled(GRADED, fails, 150), GRADED, method="fanova")
    assert with_failures.failures > 20
    assert with_failures.influences[0].name == "b"


def test_one_diverged_trial_does_not_make_all_the_variance(sampled):
    def diverges(values, rng):
        return 1e9 if values["e"] > 0.99 else graded(values, rng)

    assert importance_of(sampled(GRADED, diverges, 200), GRADED, method="fanova").influences[0].name == "a"


@pytest.mark.parametrize("method", ["ped-anova", "fanova"])
def test_a_conditional_hyperparameter_counts_where_it_is_active(sampled, method):
    def formula(values, rng):
        return values.get("depth", 0.5) ** 2 + 0.01 * rng.normal()

    found = importance_of(sampled(CONDITIONAL, formula, 300), CONDITIONAL, method=method)
    assert found.influences[0].name == "depth"
    assert found.shares["other"] < 0.1 and not {i.name: i for i in found.influences}["other"].stands_out


def test_a_parent_and_its_child_interact(sampled):
    def formula(values, rng):
        return values.get("depth", 0.5) + 0.01 * rng.normal()

    found = importance_of(sampled(CONDITIONAL, formula, 150), CONDITIONAL, method="fanova")
    first = found.interactions[0]
    # With u uniform and a fair coin: f = .5 + coin (u - .5); u alone explains 1/48, the pair as much more.
    assert set(first.names) == {"kind", "depth"} and first.share == pytest.approx(0.5, abs=0.1)
    assert found.shares["depth"] == pytest.approx(0.5, abs=0.1)


MIXED = (1 / (1 + 3 / 4)) ** 2
"""Optuna's densities of three choices give each kernel's prior to the other choices too: their divergence is a third."""


@pytest.mark.slow
def test_optuna_ranks_the_same_trials_alike(sampled):
    """The mean rank correlation over three studies is at least 0.9, for both measures."""
    optuna = pytest.importorskip("optuna")
    from scipy.stats import spearmanr

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {
        "a": optuna.distributions.FloatDistribution(0.0, 1.0),
        "b": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
        "c": optuna.distributions.IntDistribution(0, 20),
        "d": optuna.distributions.CategoricalDistribution(["x", "y", "z"]),
        "e": optuna.distributions.FloatDistribution(0.0, 1.0),
    }
    agreements = {"ped-anova": [], "fanova": []}
    for seed in range(3):
        history = sampled(GRADED, graded, 200, seed)
        study = optuna.create_study()
        for trial in history.trials:
            study.add_trial(
                optuna.trial.create_trial(params=dict(trial.values), distributions=distributions, value=trial.score)
            )
        for method, evaluator in (
            ("ped-anova", optuna.importance.PedAnovaImportanceEvaluator()),
            ("fanova", optuna.importance.FanovaImportanceEvaluator(seed=seed)),
        ):
            theirs = optuna.importance.get_param_importances(study, evaluator=evaluator)
            ours = dict(importance_of(history, GRADED, method=method).shares)
            if method == "ped-anova":
                ours["d"] *= MIXED
            agreements[method].append(spearmanr([ours[n] for n in theirs], list(theirs.values())).statistic)
    assert min(np.mean(found) for found in agreements.values()) >= 0.9


def test_the_result_shows_itself(sampled):
    found = importance_of(sampled(GRADED, graded, 100), GRADED)
    assert str(found).startswith("Importance by ped-anova. What mattered, with 95 % intervals: a ")
    assert "<table" in found._repr_html_() and "95 % interval" in found._repr_html_()
    frame = found.to_pandas()
    assert list(frame.index) == [i.name for i in found.influences] and frame.loc["a", "stands_out"]


def test_a_small_study_has_no_importance_to_tell(sampled):
    history = sampled(GRADED, graded, 9)
    assert what_mattered(history, GRADED) is None
    with pytest.raises(StudyError, match="needs at least 10 trials with a score. Got 9. Search on"):
        importance_of(history, GRADED)


def test_an_unknown_method_is_refused(sampled):
    with pytest.raises(InvalidInputError, match="`method` must be 'ped-anova' or 'fanova'. Got 'shap'"):
        importance_of(sampled(GRADED, graded, 12), GRADED, method="shap")


def test_what_does_not_vary_is_left_out(sampled):
    space = space_of(a=Float(0.0, 1.0), only=Choice(["one"]), flag=Boolean())
    found = importance_of(sampled(space, lambda v, _: v["a"], 30), space)
    assert set(found.shares) == {"a", "flag"}


def test_trials_that_still_run_are_not_enough_for_a_summary(sampled):
    """A budget that ends a search leaves trials with a score that have not ended."""
    history = sampled(GRADED, graded, 8)
    rng = np.random.default_rng(1)
    for number in range(8, 12):
        seeds, values = (0,), GRADED.sample(rng)
        history.apply(TrialStarted(trial=number, values=values, until=9, epochs=9, seeds=seeds, source="strategy"))
        history.apply(Report(key=MemberKey(number, 0, 0), epoch=1, metrics={"loss": 1.0}, seconds=1.0))
    assert sum(trial.score is not None for trial in history.trials) == 12
    assert what_mattered(history, GRADED) is None
