"""What a search says of data with nothing in them: real trainings on shuffled labels, and on true ones beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dialed

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.slow


def build(hp: dialed.HyperParameters) -> Any:
    model = keras.Sequential([keras.Input((6,))])
    model.add(keras.layers.Dense(hp.Int("units", 4, 32, step=4), activation="relu"))
    model.add(keras.layers.Dense(2, activation="softmax"))
    adam = keras.optimizers.Adam(hp.Float("learning_rate", 1e-4, 1e-2, sampling="log", default=1e-3))
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def searched(store: Path, seed: int, *, shuffled: bool) -> dialed.Study:
    """A study of 16 trials on 400 rows, half of them held out."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(400, 6)).astype("float32")
    labels = (rows[:, 0] + rows[:, 1] > 0).astype("int32")
    tuner = dialed.Tuner(
        build,
        "val_accuracy",
        max_trials=16,
        strategy="random",
        seed=seed,
        name=f"labels-{seed}",
        store=str(store / "a.db"),
        verbose=0,
    )
    given = rng.permutation(labels) if shuffled else labels
    return tuner.search(rows, given, validation_split=0.5, epochs=3, batch_size=50)


@pytest.mark.parametrize("seed", range(2))
def test_on_shuffled_labels_the_summary_says_that_nothing_is_better_than_the_defaults(
    tmp_path: Path, seed: int
) -> None:
    """The luckiest of 16 trials looks better in the search: it does not fool fresh seeds."""
    study = searched(tmp_path, seed, shuffled=True)
    said = " ".join(study.summary().split())
    assert re.search("nothing that was tried (is shown to be better|beat the defaults)", said)
    assert study.confirmation is not None
    assert study.confirmation.gain is None or study.confirmation.gain.low <= 0


def test_on_the_true_labels_the_same_search_finds_better_values(tmp_path: Path) -> None:
    study = searched(tmp_path, 0, shuffled=False)
    assert "is better than the defaults by" in " ".join(study.summary().split())
    assert study.confirmation is not None and study.confirmation.gain is not None and study.confirmation.gain.low > 0
