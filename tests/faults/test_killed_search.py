"""A real Keras search, killed with `kill -9` at random instants, ends as if nothing had happened."""

import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import dialed

KILLS = 30

SEARCH = """
import sys, warnings
import numpy as np
import dialed
import keras

x = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
y = (x[:, 0] > 0).astype("int32")

def build(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Choice("units", [2, 4])),
                              keras.layers.Dropout(0.3), keras.layers.Dense(2, activation="softmax")])
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log", default=1e-2)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def search(store, name):
    tuner = dialed.Tuner(build, "val_loss", strategy="random", max_trials=4, seed=7, confirm=False, verbose=0,
                         engine="fit", store=store, name=name, checkpoint_seconds=0.0)
    tuner.search(x, y, validation_split=0.25, epochs=6, batch_size=dialed.Choice([8, 16]))
"""

LIVES = """
import os, signal
for line in sys.stdin:  # one life a line: the name of the study
    pid = os.fork()     # Keras is imported, but nothing has been computed yet: each life begins here
    if pid == 0:
        search(sys.argv[1], line.strip())
        os._exit(0)
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print("ended" if status == 0 else "killed" if os.WIFSIGNALED(status) else "failed", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to begin a life without importing Keras each time")
def test_a_search_killed_at_30_random_instants_equals_an_undisturbed_one(tmp_path):
    store = str(tmp_path / "study.db")
    script = tmp_path / "lives.py"
    script.write_text(SEARCH + LIVES)
    chance, kills, ended = random.Random(11), 0, []
    with open(tmp_path / "stderr.txt", "w") as errors, _lives(script, store, errors) as lives:
        fate, whole = _live(lives, "undisturbed", None)
        assert fate == "ended"
        while kills < KILLS:
            fate, seconds = _live(lives, f"study-{len(ended)}", chance.uniform(0.0, 0.9 * whole))
            assert fate != "failed", Path(tmp_path / "stderr.txt").read_text()
            kills += fate == "killed"
            if fate == "ended":
                ended.append(f"study-{len(ended)}")
                whole = min(whole, seconds)
        while _live(lives, f"study-{len(ended)}", None)[0] != "ended":
            assert not Path(tmp_path / "stderr.txt").read_text()
        ended.append(f"study-{len(ended)}")
        lives.stdin.close()
    expected = _history(store, "undisturbed")
    assert len(expected) == 4
    for name in ended:
        assert _history(store, name) == expected, f"{name} differs after {kills} kills"


def _lives(script, store, errors):
    return subprocess.Popen(
        [sys.executable, str(script), store],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )


def _live(lives, name, seconds):
    """Let one life drive the study, and kill it after `seconds` unless it ended before; its fate, and how long it was."""
    begun = time.monotonic()
    lives.stdin.write(name + "\n")
    lives.stdin.flush()
    pid = int(lives.stdout.readline())
    if seconds is not None:
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
    return lives.stdout.readline().strip(), time.monotonic() - begun


def _history(store, name):
    """All that must not depend on kills: values, states and every epoch's metrics, once each."""
    study = dialed.load(name, store)
    return [
        (t.number, dict(t.values), t.state, t.score, [(r.key, r.epoch, dict(r.metrics)) for r in study.history(t)])
        for t in study.trials
    ]
