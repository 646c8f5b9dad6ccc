"""A tuner that works for the study of another process: the same code and data, trained under the other's decisions."""

import threading
import time

import numpy as np
import pytest

import dialed
from dialed.errors import StudyError
from dialed.store import open_catalog
from dialed.trial import State

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X[:, :1] * 2.0


def build(hp):
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")), "mse")
    return model


def tuner(path, **options):
    return dialed.Tuner(build, "val_loss", name="s", store=path, engine="fit", verbose=0, seed=2, **options)


@pytest.mark.slow
def test_a_tuner_that_works_trains_what_another_decides(tmp_path):
    path = str(tmp_path / "a.db")
    search = threading.Thread(
        target=lambda: tuner(path, strategy="random", max_trials=2, confirm=False, workers=0).search(
            X, Y, validation_split=0.25, epochs=2
        )
    )
    search.start()
    with open_catalog(path) as catalog:
        while not (catalog.exists("s") and catalog.open("s").info.state == "running"):
            time.sleep(0.05)
        with pytest.raises(StudyError, match="A worker must train on the data of the study 's'. Got other data"):
            tuner(path).work(X[:16], Y[:16], validation_split=0.25, epochs=2)
        with pytest.raises(StudyError, match="was begun with epochs=2, so it cannot go on with epochs=3"):
            tuner(path).work(X, Y, validation_split=0.25, epochs=3)
        said = []
        visit = tuner(path).work(X, Y, validation_split=0.25, epochs=2, idle=600, say=said.append)
        search.join()
        history = catalog.open("s").load_history()
    assert (visit.members, visit.ended) == (2, "finished")
    assert [(t.state, t.epochs) for t in history.trials] == [(State.COMPLETED, 2)] * 2
    assert said[0].startswith("trains trial")
    assert not history.joined


def test_a_worker_must_say_for_which_study_it_works(tmp_path):
    with pytest.raises(StudyError, match="A worker must know for which study it works. Got none: pass `name`"):
        dialed.Tuner(build, "val_loss", store=str(tmp_path / "a.db"), verbose=0).work(X, Y)
