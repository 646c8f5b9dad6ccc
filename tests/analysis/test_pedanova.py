"""PED-ANOVA against its formula, written out."""

from collections import Counter

import numpy as np
import pytest

from dialed.analysis.observations import observations_of
from dialed.analysis.pedanova import divergences, resampled, shuffled
from dialed.space import Choice, Condition, Float, Hyperparameter, Space

KINDS = ["a", "b", "c"]
SPACE = Space(
    [Hyperparameter("kind", Choice(KINDS)), Hyperparameter("sub", Choice(["p", "q"]), (Condition("kind", ("b", "c")),))]
)


def formula(values, rng):
    return KINDS.index(values["kind"]) + {"p": 0.5, "q": 0.0}.get(values.get("sub"), 0.2) + rng.normal()


def by_hand(trials, name, choices):
    ranked = sorted(trials, key=lambda t: t.score)
    best = ranked[: len(trials) // 10]
    everyone = [t for t in trials if name in t.values]
    active = [t for t in best if name in t.values]

    def density(of):
        counts = Counter(t.values[name] for t in of)
        return {c: (counts[c] + 1 / len(choices)) / (len(of) + 1) for c in choices}

    p, q = density(everyone), density(active)
    return (len(active) / len(best)) ** 2 * sum(p[c] * (q[c] / p[c] - 1) ** 2 for c in choices)


def test_for_categories_it_is_the_formula(sampled):
    history = sampled(SPACE, formula, 200)
    found = divergences(observations_of(history, SPACE, least=1))
    assert found == pytest.approx([by_hand(history.trials, "kind", KINDS), by_hand(history.trials, "sub", ["p", "q"])])


def test_where_the_best_lie_like_all_others_a_range_has_hardly_any_divergence(sampled):
    space = Space([Hyperparameter("u", Float(0.0, 1.0)), Hyperparameter("v", Float(0.0, 1.0))])
    u, v = divergences(observations_of(sampled(space, lambda w, _: w["u"], 2000), space, least=1))
    assert v < 0.1
    # The best tenth lie in a tenth of the range: sum p (q/p - 1)^2 = .1 (10 - 1)^2 + .9 = 9, less what smoothing takes.
    assert 6.0 < u < 9.5


def test_a_bootstrap_scatters_about_the_answer_and_chance_lies_below(sampled):
    seen = observations_of(sampled(SPACE, formula, 300), SPACE, least=1)
    rng = np.random.default_rng(0)
    assert resampled(seen, rng, 200)[:, 0].mean() == pytest.approx(divergences(seen)[0], rel=0.2)
    assert np.quantile(shuffled(seen, rng, 200)[:, 0], 0.95) < divergences(seen)[0]


def test_failures_are_never_among_the_best(sampled):
    """All of kind "a" fail, so all of the best are of the other kinds."""
    history = sampled(SPACE, lambda v, rng: None if v["kind"] == "a" else rng.normal(), 200)
    seen = observations_of(history, SPACE, least=1)
    assert seen.failures > 40
    assert divergences(seen)[0] > np.quantile(shuffled(seen, np.random.default_rng(0), 200)[:, 0], 0.95)
