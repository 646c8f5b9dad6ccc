"""Programs are found again by the next process; the user's settings and a broken folder are respected."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax._src import compilation_cache

from dialed.engine.fused import compile_cache
from dialed.engine.fused.compile_cache import CompileCache, cache_folder

pytestmark = pytest.mark.slow  # each test compiles programs

THRESHOLD = "jax_persistent_cache_min_compile_time_secs"


@pytest.fixture(autouse=True)
def keep_all(monkeypatch):
    """However fast they compile."""
    monkeypatch.setattr(compile_cache, "LEAST_SECONDS", 0.0)


def compiled(number):
    """A program that no other test has."""
    jax.jit(lambda x: jnp.sin(x) * number + jnp.cos(x)).lower(jnp.ones(3)).compile()


def kept(folder):
    return len(list(Path(folder).glob("*.program")))


def test_only_what_is_compiled_while_active_is_kept(tmp_path):
    cache = CompileCache(tmp_path / "new" / "folder")
    compiled(1.5)
    with cache.active():
        compiled(2.5)
    compiled(3.5)
    assert kept(cache.folder) == 1


def test_settings_are_as_they_were(tmp_path):
    before = getattr(jax.config, THRESHOLD)
    with CompileCache(tmp_path).active() as _, pytest.raises(ZeroDivisionError), CompileCache(tmp_path).active():
        raise ZeroDivisionError
    assert getattr(jax.config, THRESHOLD) == before
    assert compilation_cache._cache is None
    assert jax.config.jax_compilation_cache_dir is None


def test_it_may_be_nested(tmp_path):
    cache = CompileCache(tmp_path)
    with cache.active():
        with cache.active():
            pass
        compiled(4.5)
    assert kept(tmp_path) == 1


def test_a_cache_of_the_users_is_left_alone(tmp_path):
    theirs, ours = tmp_path / "theirs", CompileCache(tmp_path / "ours")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compile_cache, "_has_own_settings", lambda: True)
        with ours.active():
            compiled(5.5)
    assert not ours.folder.exists()
    jax.config.update("jax_compilation_cache_dir", str(theirs))
    try:
        assert compile_cache._has_own_settings()
    finally:
        jax.config.update("jax_compilation_cache_dir", None)


def test_a_folder_that_cannot_be_made_is_said_once_and_harms_nothing(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    cache = CompileCache(tmp_path / "file" / "folder")
    for number in (6.5, 7.5):
        with cache.active():
            compiled(number)
    (line,) = [record.message for record in caplog.records]
    assert "are not kept for the next session" in line


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, caplog):
    tmp_path.chmod(0o777)
    with CompileCache(tmp_path).active():
        compiled(8.5)
    assert kept(tmp_path) == 0
    assert "others may write to" in caplog.text


@pytest.mark.parametrize(
    ("platform", "variable", "value", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "/caches", "/caches/dialed"),
        ("linux", "XDG_CACHE_HOME", "not absolute", "{home}/.cache/dialed"),
        ("darwin", "XDG_CACHE_HOME", "", "{home}/Library/Caches/dialed"),
        ("win32", "LOCALAPPDATA", "/local", "/local/dialed"),
    ],
)
def test_the_folder_is_where_a_system_keeps_caches(monkeypatch, platform, variable, value, expected):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, value)
    assert cache_folder() == Path(expected.format(home=Path.home()))


SEARCH = """
import json, sys
import jax, keras, numpy as np
counts = {}
jax.monitoring.register_event_listener(lambda name, **_: counts.update({name: counts.get(name, 0) + 1}))
import dialed
from keras import layers

def build(hp):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Float("learning_rate", 1e-3, 1e-1)), "mse")
    return model

x = np.ones((32, 4), "float32")
tuner = dialed.Tuner(build, strategy="random", max_trials=3, engine="fused", confirm=False, seed=1, verbose=0,
    store="sqlite:///:memory:", compile_cache=sys.argv[1])
study = tuner.search(x, x[:, :1], validation_split=0.25, epochs=1, batch_size=8)
assert all(t.engine.startswith("fused") for t in study.trials)
print(json.dumps({name.rsplit("/", 1)[-1]: n for name, n in counts.items() if "cache" in name}))
print(json.dumps([t.score for t in study.trials]))
"""


def test_a_second_process_finds_what_the_first_compiled(tmp_path):
    def search():
        done = subprocess.run(
            [sys.executable, "-c", SEARCH, str(tmp_path / "programs")],
            env={**os.environ, "KERAS_BACKEND": "jax"},
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return [json.loads(line) for line in done.stdout.splitlines()]

    (cold, scores), (warm, same) = search(), search()
    assert cold["cache_misses"] >= 2
    assert "cache_hits" not in cold
    assert warm["cache_hits"] >= cold["cache_misses"]
    assert same == scores
