"""What a user believes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import truncnorm

from dialed.errors import SpaceError
from dialed.search.model.beliefs import Beliefs
from dialed.search.model.layout import Layout
from dialed.space import Choice, Condition, Float, Hyperparameter, Space

SPACE = Space(
    [
        Hyperparameter("rate", Float(1e-4, 1.0, sampling="log")),
        Hyperparameter("kind", Choice(["a", "b", "c", "d"], default="c")),
        Hyperparameter("extra", Float(0.0, 1.0), (Condition("kind", ("a",)),)),
    ]
)
LAYOUT = Layout(SPACE)


def _units(**values: Any) -> Any:
    return SPACE.encode(values)[None, :]


def test_a_number_is_believed_by_a_normal_distribution_on_its_own_scale() -> None:
    beliefs = Beliefs(LAYOUT, {"rate": (1e-3, 0.2)})
    bell = truncnorm((0 - 0.25) / 0.2, (1 - 0.25) / 0.2, loc=0.25, scale=0.2)
    for rate, unit in ((1e-3, 0.25), (1e-2, 0.5), (1.0, 1.0)):
        assert beliefs.log_density(_units(rate=rate, kind="b")) == pytest.approx([bell.logpdf(unit)])
    points = np.column_stack([np.linspace(0.01, 0.99, 9), np.full(9, 0.5), np.full(9, 0.5)])
    assert beliefs.drawn(points)[:, 0] == pytest.approx(bell.ppf(points[:, 0]))
    assert np.array_equal(beliefs.drawn(points)[:, 1:], points[:, 1:])


def test_choices_are_believed_by_weight() -> None:
    beliefs = Beliefs(LAYOUT, {"kind": {"a": 1, "b": 3}})
    density = [beliefs.log_density(_units(kind=kind))[0] for kind in "abcd"]
    assert density[:2] == pytest.approx(np.log([1.0, 3.0]))
    assert density[2:] == pytest.approx([np.log(1e-6)] * 2)
    points = np.random.default_rng(0).random((4000, 3))
    drawn = [SPACE.decode(row)["kind"] for row in beliefs.drawn(points)]
    assert drawn.count("b") / len(drawn) == pytest.approx(0.75, abs=0.03)
    assert set(drawn) == {"a", "b"}


def test_a_single_choice_is_favoured() -> None:
    beliefs = Beliefs(LAYOUT, {"kind": "b"})
    b, c = (beliefs.log_density(_units(kind=kind))[0] for kind in "bc")
    assert b - c == pytest.approx(np.log(3.0))


def test_the_defaults_can_be_believed() -> None:
    beliefs = Beliefs(LAYOUT, "defaults")
    best = beliefs.log_density(_units(rate=1e-4, kind="c"))
    assert np.all(best >= beliefs.log_density(LAYOUT.uniform(np.random.default_rng(0), 200)))


def test_what_is_inactive_counts_nothing() -> None:
    beliefs = Beliefs(LAYOUT, {"extra": 0.9})
    assert beliefs.log_density(_units(kind="b")) == [0.0]
    assert beliefs.log_density(_units(kind="a", extra=0.9))[0] > 0.0


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ({"rat": 0.1}, r"The `prior` of Bayesian must name hyperparameters of the space. Got 'rat'. .*'rate'"),
        ({"rate": 7.0}, r"The `prior` of `rate`: A value must be in Float\(0.0001, 1.0"),
        ({"kind": {"z": 1.0}}, r"The `prior` of `kind`: A value must be one of \['a'"),
        ({"rate": {0.1: 1.0}}, r"The `prior` of `rate`, which has a scale, must be a value or a pair"),
    ],
)
def test_what_the_space_does_not_have_is_refused(prior: Any, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        Beliefs(LAYOUT, prior)
