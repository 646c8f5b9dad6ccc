"""What is reckoned before a search begins."""

from __future__ import annotations

import numpy as np
import pytest

from dialed.engine.data import Data
from dialed.engine.probe import Probe
from dialed.engine.recipe import Recipe
from dialed.study.arguments import _least_epochs


@pytest.mark.parametrize(
    ("samples", "multiplications", "least"),
    [
        (1_000, 1e4, 30),  # an epoch takes milliseconds: all of them, before there is anything to save
        (50_000, 1e5, 2),
        (50_000, 1e7, 1),  # an epoch takes a minute
    ],
)
def test_the_first_look_waits_for_what_beginning_a_trial_costs(samples, multiplications, least):
    data = Data.of(np.zeros((samples, 1), "float32"), np.zeros(samples, "float32"))
    probed = Probe(metric_names=("loss",), parameters=1, seconds=0.0, multiplications=multiplications)
    assert _least_epochs(probed, data, Recipe(lambda hp: None, {"batch_size": 64}), 30) == least
