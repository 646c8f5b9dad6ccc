"""A search whose checkpoints lie at a URL."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dialed


def build(hp: Any) -> Any:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Choice("learning_rate", [0.1, 0.01])), "mse")
    return model


@pytest.mark.slow
def test_a_search_keeps_its_models_at_a_url_and_goes_on_from_there(tmp_path: Path) -> None:
    """The winner is loaded from there, in a later session too."""
    x = np.linspace(0.0, 1.0, 64, dtype="float32").reshape(32, 2)
    for epochs_in_all in (2, 3):
        tuner = dialed.Tuner(
            build,
            strategy="grid",
            max_epochs=epochs_in_all,
            confirm=False,
            engine="fit",
            seed=1,
            name="far",
            store=str(tmp_path / "a.db"),
            artifacts=f"file://{tmp_path}/there",
            verbose=0,
        )
        study = tuner.search(x, x[:, :1], epochs=2, validation_split=0.25)
        assert sum(trial.epochs for trial in study.trials) == epochs_in_all
        assert tuner.best_model().count_params() == 3
    assert not (tmp_path / "a.artifacts").exists()
    assert list((tmp_path / "there" / "far").glob("trial*.npz"))
