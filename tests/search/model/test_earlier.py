"""What earlier studies foretell, and how far they are believed."""

from __future__ import annotations

import numpy as np
import pytest

from dialed.events import WarmStarted
from dialed.search import History, Terms
from dialed.search.model.earlier import Informed, Prior, prior_of, surrogate
from dialed.search.model.evidence import Evidence
from dialed.search.model.gaussian import Posterior
from dialed.search.model.layout import Array, Layout
from dialed.search.model.outputs import tamed
from dialed.space import Float, Hyperparameter, Space
from dialed.trial import EarlierTrial, Objective

SPACE = Space(Hyperparameter(name, Float(0.0, 1.0)) for name in ("x", "y"))
LAYOUT = Layout(SPACE)


def _loss(points: Array) -> Array:
    return np.asarray(((points - 0.3) ** 2).sum(axis=1))


def _prior(losses: Array, points: Array) -> Prior:
    """What an earlier study of `_loss` is worth after a few new trials."""
    old = np.random.default_rng(1).random((30, 2))
    trials = tuple(
        EarlierTrial({"x": float(x), "y": float(y)}, float(loss)) for (x, y), loss in zip(old, _loss(old), strict=True)
    )
    history = History(Terms(objective=Objective("loss", "min")), [WarmStarted(source="old", trials=trials)])
    none = np.zeros((0, 2))
    prior = prior_of(history, LAYOUT, Evidence(scored=points, losses=losses, failed=none, pending=none))
    assert prior is not None
    return prior


POINTS = np.random.default_rng(0).random((8, 2))


def test_what_comes_true_is_believed_and_what_misleads_is_not() -> None:
    assert _prior(_loss(POINTS), POINTS).trust[0] > 0.95
    assert _prior(-_loss(POINTS), POINTS).trust == (0.0,)


def test_without_results_an_earlier_study_is_believed() -> None:
    assert _prior(np.zeros(0), np.zeros((0, 2))).trust == (1.0,)


def test_without_earlier_studies_there_is_no_prior() -> None:
    history = History(Terms(objective=Objective("loss", "min")))
    none = np.zeros((0, 2))
    evidence = Evidence(scored=none, losses=np.zeros(0), failed=none, pending=none)
    assert prior_of(history, LAYOUT, evidence) is None


@pytest.mark.parametrize(("sign", "kind"), [(1.0, Informed), (-1.0, Posterior)])
def test_a_misleading_study_leaves_the_model_as_it_was(sign: float, kind: type) -> None:
    losses = sign * _loss(POINTS)
    model = surrogate(LAYOUT.features(POINTS), tamed(losses), LAYOUT, _prior(losses, POINTS))
    assert isinstance(model, kind)


def test_few_trials_and_an_earlier_study_foretell_better_than_few_trials() -> None:
    few, new = POINTS[:4], np.random.default_rng(2).random((200, 2))
    values = tamed(_loss(few))
    features = LAYOUT.features(few)
    informed = surrogate(features, values, LAYOUT, _prior(_loss(few), few)).predict(LAYOUT.features(new))[0]
    cold = surrogate(features, values, LAYOUT, None).predict(LAYOUT.features(new))[0]
    agreement = [float(np.corrcoef(mean, _loss(new))[0, 1]) for mean in (informed, cold)]
    assert agreement[0] > 0.9 and agreement[0] > agreement[1]


def test_uncertainty_shrinks_where_trials_run() -> None:
    features = LAYOUT.features(POINTS)
    losses = _loss(POINTS)
    model = surrogate(features, tamed(losses), LAYOUT, _prior(losses, POINTS))
    place = LAYOUT.features(np.array([[0.9, 0.1]]))
    before, after = model.predict(place), model.expecting(place).predict(place)
    assert after[0] == pytest.approx(before[0], abs=1e-3) and after[1] < before[1]
