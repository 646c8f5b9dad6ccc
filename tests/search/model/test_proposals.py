"""The search for the configuration that is worth most."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from dialed.search.model.gaussian import Hyper, Posterior
from dialed.search.model.layout import Array, Layout
from dialed.search.model.proposals import Judge, Trust, ranked
from dialed.space import Choice, Condition, Float, Hyperparameter, Int, Space

SPACE = Space(
    [
        Hyperparameter("kind", Choice(["a", "b"])),
        Hyperparameter("x", Float(0.0, 1.0)),
        Hyperparameter("n", Int(1, 20)),
        Hyperparameter("y", Float(0.0, 1.0), (Condition("kind", ("b",)),)),
    ]
)
LAYOUT = Layout(SPACE)


def _judge(**parts: object) -> tuple[Judge, Array]:
    rng = np.random.default_rng(0)
    units = LAYOUT.uniform(rng, 12)
    features = LAYOUT.features(units)
    values = (units[:, 1] - 0.4) ** 2 * 5 + (units[:, 0] < 0.5)
    hyper = Hyper(lengths=np.full(LAYOUT.size, 0.8), signal=1.0, noise=1e-4)
    posterior = Posterior(features, (values - values.mean()) / values.std(), LAYOUT.owner, hyper)
    judge = Judge(layout=LAYOUT, posterior=posterior, best=float(posterior.mean(features).min()), **parts)  # type: ignore[arg-type]
    return judge, units


@pytest.mark.parametrize("taste", ["improvement", "optimism"])
def test_nothing_among_many_random_configurations_is_worth_more(taste: str) -> None:
    judge, units = _judge(taste=taste)
    first = next(ranked(judge, np.random.default_rng(1), units[:3]))
    many = LAYOUT.uniform(np.random.default_rng(2), 20_000)
    assert judge.worth(first[None, :])[0] >= judge.worth(many).max() - 0.01


def test_they_come_in_order_and_once() -> None:
    judge, units = _judge()
    rows = np.array(list(islice(ranked(judge, np.random.default_rng(1), units[:3]), 300)))
    worth = judge.worth(rows)
    assert np.all(np.diff(worth) <= 1e-9)
    assert len({row.tobytes() for row in np.nan_to_num(rows, nan=-1.0)}) == len(rows)


def test_trust_keeps_early_trials_near_what_is_known() -> None:
    """In each number with a neighbourhood; what has few values, or none in order, is free."""
    judge, units = _judge()
    trust = Trust.after(units[:, LAYOUT.stepwise], LAYOUT.size)
    assert trust is not None and trust.radius == pytest.approx(0.2 + 0.3 * 12 / 25)
    known = units[:, LAYOUT.stepwise]
    judge, _ = _judge(trust=trust)
    for row in islice(ranked(judge, np.random.default_rng(1), units[:3]), 20):
        gaps = np.nan_to_num(np.abs(known - row[LAYOUT.stepwise]))
        assert gaps.max(axis=1).min() <= trust.radius
    assert Trust.after(np.zeros((30, 3)), 4) is None
    assert Trust.after(np.zeros((0, 3)), 4) is None


def test_running_trials_make_their_neighbourhood_worth_less() -> None:
    judge, units = _judge()
    first = next(ranked(judge, np.random.default_rng(1), units[:3]))[None, :]
    assert judge.expecting(first).worth(first)[0] < judge.worth(first)[0] - 1.0
