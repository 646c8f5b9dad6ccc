"""The variance that a forest's boxes give is that of the function."""

from itertools import product

import numpy as np
import pytest

from dialed.analysis.fanova import parts_of
from dialed.analysis.observations import observations_of
from dialed.space import Boolean, Choice, Float, Hyperparameter, Int, Space

SPACE = Space(
    [
        Hyperparameter("n", Int(0, 3)),
        Hyperparameter("kind", Choice(["a", "b", "c"])),
        Hyperparameter("flag", Boolean()),
    ]
)


def formula(values, _rng=None):
    kind = {"a": 0.0, "b": 1.0, "c": 3.0}[values["kind"]]
    return values["n"] + kind * (2.0 if values["flag"] else -1.0) + 0.5 * values["flag"]


def exact(space, function):
    """Shares by enumeration: of each hyperparameter, and of each pair without its members."""
    names = space.names
    rows = [dict(zip(names, choice, strict=True)) for choice in product(*(h.domain.values() for h in space))]
    y = np.array([function(row) for row in rows])
    y = y - y.mean()

    def explained(*given):
        keys = [tuple(row[name] for name in given) for row in rows]
        means = {key: y[[k == key for k in keys]].mean() for key in set(keys)}
        return np.mean([means[key] ** 2 for key in keys]) / y.var()

    alone = [explained(name) for name in names]
    pairs = [explained(a, b) - alone[i] - alone[j] for i, a in enumerate(names) for j, b in enumerate(names) if i < j]
    return alone, pairs


def test_on_a_finite_space_the_parts_are_those_of_enumeration(sampled):
    seen = observations_of(sampled(SPACE, formula, 300), SPACE, least=1)
    parts = parts_of(seen, np.random.default_rng(0), trees=10)
    alone, pairs = exact(SPACE, formula)
    assert parts.alone == pytest.approx(alone, abs=0.01)
    assert parts.pairs == pytest.approx(pairs, abs=0.01)


def test_on_ranges_the_parts_are_those_of_calculus(sampled):
    """y = 3 u + v + 4 (u - 1/2) (v - 1/2): variances 9/12, 1/12 and 16/144."""
    space = Space([Hyperparameter("u", Float(0.0, 1.0)), Hyperparameter("v", Float(0.01, 1.0, sampling="log"))])

    def smooth(values, _):
        u, v = values["u"], (np.log10(values["v"]) + 2) / 2
        return 3 * u + v + 4 * (u - 0.5) * (v - 0.5)

    parts = parts_of(observations_of(sampled(space, smooth, 500), space, least=1), np.random.default_rng(0), trees=20)
    truth = np.array([9 / 12, 1 / 12, 16 / 144])
    assert [*parts.alone, *parts.pairs] == pytest.approx(truth / truth.sum(), abs=0.04)


def test_a_constant_objective_has_no_parts(sampled):
    parts = parts_of(
        observations_of(sampled(SPACE, lambda *_: 1.0, 20), SPACE, least=1), np.random.default_rng(0), trees=3
    )
    assert not parts.alone.any() and not parts.pairs.any()


def test_without_pairs_the_rest_is_the_same(sampled):
    seen = observations_of(sampled(SPACE, formula, 50), SPACE, least=1)
    with_pairs = parts_of(seen, np.random.default_rng(1), trees=3)
    without = parts_of(seen, np.random.default_rng(1), trees=3, pairs=False)
    assert without.alone == pytest.approx(with_pairs.alone) and not len(without.pairs)
