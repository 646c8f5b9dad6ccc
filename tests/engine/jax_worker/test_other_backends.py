"""A search on TensorFlow or torch: lanes on JAX, and models that predict the same on the backend in use."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from dialed.engine.export import load_model
from dialed.engine.recipe import Recipe
from dialed.store import Checkpoints
from dialed.trial import CheckpointRef

MODELS = '''
"""What the user imports: each kind of layer whose variables or mathematics backends write down in their own way."""
import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
X = {"image": rng.normal(size=(40, 8, 8, 3)).astype("float32"), "tokens": rng.integers(0, 20, size=(40, 6))}
Y = rng.integers(0, 3, size=40)

def build(hp):
    image, tokens = keras.Input((8, 8, 3), name="image"), keras.Input((6,), name="tokens", dtype="int32")
    seen = layers.Flatten()(layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(image)))
    read = layers.Embedding(20, 8)(tokens)
    attended = layers.MultiHeadAttention(2, 4)(read, read)
    states = [layers.LSTM(5)(attended), layers.GRU(4)(read), layers.GRU(3, reset_after=False)(read)]
    inner = layers.Dropout(hp.Float("dropout", 0.1, 0.5))(layers.Concatenate()([seen, *states]))
    model = keras.Model([image, tokens], layers.Dense(3, activation="softmax")(layers.LayerNormalization()(inner)))
    model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-3, 1e-1)), "sparse_categorical_crossentropy")
    return model
'''

SCRIPT = """
import json
import dialed, keras, numpy as np
from dialed.trial import Member, Report
from models import X, Y, build

def native(x):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf
        return tf.square(x)
    import torch
    return torch.square(x)

class Native(keras.layers.Layer):
    def call(self, x):
        return native(x)

def foreign(hp):
    model = keras.Sequential([keras.Input((4,)), Native(), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-2)), "mse")
    return model

def tuner(build, name, **more):
    common = {"strategy": "random", "seed": 1, "store": "study.db", "confirm": False, "verbose": 0}
    return dialed.Tuner(build, "val_loss", name=name, **{**common, **more})

given = {"validation_split": 0.25, "epochs": 2, "batch_size": 8}
first = tuner(build, "s", engine="fused", max_trials=2)
study = first.search(X, Y, **given)
np.save("predictions.npy", first.best_model().predict(X, verbose=0))
best = study.best_trial.members[0]
scored = first.best_model().evaluate(*first.results._prepared.data.fold(0).validation, batch_size=8, verbose=0)

member = Member(key=best.key, values=study.best_trial.values, epoch=best.epoch, checkpoint=best.last)
curve = []
def on_report(progress):
    curve.extend([progress.epoch, progress.metrics["loss"]] if isinstance(progress, Report) else [])
    return False
(outcome,) = first._job.session.engine.fallback.train([member], 3, on_report)

second = tuner(build, "s", engine="fit", max_trials=3).search(X, Y, **given)
own = tuner(foreign, "own", engine="fused", max_trials=2).search(
    np.ones((32, 4), "float32"), np.ones(32, "float32"), **given
)
json.dump(
    {
        "backend": keras.backend.backend(),
        "engines": [trial.engine for trial in second.trials],
        "foreign": [[trial.engine, str(trial.state), trial.epochs] for trial in own.trials],
        "values": dict(study.best_trial.values),
        "seed": best.key.seed,
        "best": [best.best.path, best.best.digest, best.best.bytes, best.best.epoch],
        "folder": str(first.results._checkpoints.folder),
        "score": best.score,
        "scored": float(scored),
        "went_on": [str(outcome.state), outcome.message, *curve],
    },
    open("found.json", "w"),
)
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "jax", reason="started by the process on JAX only")
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_a_search_on_another_backend_is_fused_and_its_models_predict_the_same(backend: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs the package {backend}, which is not installed")
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    found = json.loads((tmp_path / "found.json").read_text())

    assert found["backend"] == backend
    assert found["engines"] == ["fused-1 on jax", "fused-1 on jax", "fit"]
    for engine, state, epochs in found["foreign"]:
        assert engine.startswith("fit: on JAX it failed: ") and (state, epochs) == ("completed", 2)
    assert found["scored"] == pytest.approx(found["score"], rel=1e-5)
    state, message, epoch, loss = found["went_on"]
    assert (state, message, epoch) == ("paused", "", 3) and 0.0 < loss < 5.0
    assert np.load(tmp_path / "predictions.npy") == pytest.approx(_predicted_on_jax(tmp_path, found), abs=1e-5)


def _predicted_on_jax(folder: Path, found: dict[str, object]) -> np.ndarray:
    """The predictions of the same checkpoint, by Keras on JAX."""
    spec = importlib.util.spec_from_file_location("models_on_jax", folder / "models.py")
    assert spec is not None and spec.loader is not None
    models = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(models)
    path, digest, size, epoch = found["best"]  # type: ignore[misc]
    ref = CheckpointRef(path=path, digest=digest, bytes=size, epoch=epoch)
    arrays, _ = Checkpoints(folder / str(found["folder"])).load(ref)
    model = load_model(Recipe(models.build, {}), found["values"], found["seed"], arrays)  # type: ignore[arg-type]
    return np.asarray(model.predict(models.X, verbose=0))
