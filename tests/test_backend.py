"""Which backend Keras will run on, and what Dialed does where it would find none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dialed import backend
from dialed.backend import BackendChoice, backend_facts, check_backend, choose_backend, installed_versions, is_installed
from dialed.errors import MissingDependencyError


def only(*names: str) -> Callable[[str], bool]:
    return lambda module: module in names


@pytest.fixture(autouse=True)
def forget_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "chosen", None)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"KERAS_HOME": str(tmp_path)}


def configure(environ: dict[str, str], content: str) -> None:
    (Path(environ["KERAS_HOME"]) / "keras.json").write_text(content)


def choose(environ: dict[str, str], *installed: str) -> BackendChoice | None:
    return choose_backend(environ, installed=only(*installed), keras_imported=False)


def test_jax_is_chosen_where_nothing_chooses_and_tensorflow_is_absent(environ: dict[str, str]) -> None:
    choice = choose(environ, "jax", "torch")
    assert choice is not None and environ["KERAS_BACKEND"] == "jax"
    assert str(choice) == (
        "Backend: jax. Neither KERAS_BACKEND nor keras.json chooses one, and TensorFlow is not installed."
    )
    assert backend.chosen is choice


def test_torch_is_chosen_where_it_is_all_there_is(environ: dict[str, str]) -> None:
    assert choose(environ, "torch") is not None
    assert environ["KERAS_BACKEND"] == "torch"


def test_keras_keeps_its_default_where_tensorflow_is_installed(environ: dict[str, str]) -> None:
    assert choose(environ, "jax", "tensorflow") is None
    assert "KERAS_BACKEND" not in environ and backend.chosen is None


def test_a_keras_json_that_names_an_absent_tensorflow_is_overruled_with_its_reason(environ: dict[str, str]) -> None:
    configure(environ, json.dumps({"backend": "tensorflow"}))
    choice = choose(environ, "jax")
    assert choice is not None and "keras.json names TensorFlow" in choice.reason


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"floatx": "float32"}'])
def test_a_keras_json_without_a_backend_chooses_nothing(environ: dict[str, str], content: str) -> None:
    configure(environ, content)
    choice = choose(environ, "jax")
    assert choice is not None and choice.reason.startswith("Neither")


def test_an_explicit_choice_is_left_alone_even_if_it_is_broken(environ: dict[str, str]) -> None:
    configure(environ, json.dumps({"backend": "torch"}))
    assert choose(environ, "jax") is None
    environ["KERAS_BACKEND"] = "tensorflow"
    assert choose(environ, "jax") is None
    assert environ["KERAS_BACKEND"] == "tensorflow"


def test_an_empty_variable_chooses_nothing_as_in_keras(environ: dict[str, str]) -> None:
    environ["KERAS_BACKEND"] = ""
    assert choose(environ, "jax") is not None


def test_nothing_is_chosen_once_keras_is_imported(environ: dict[str, str]) -> None:
    assert choose_backend(environ, installed=only("jax"), keras_imported=True) is None
    assert "KERAS_BACKEND" not in environ


def test_without_keras_home_the_file_is_looked_for_in_the_home_folder(tmp_path: Path) -> None:
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps({"backend": "torch"}))
    assert choose({"HOME": str(tmp_path)}, "jax") is None


def test_a_missing_backend_is_named_with_what_to_install(environ: dict[str, str]) -> None:
    environ["KERAS_BACKEND"] = "torch"
    with pytest.raises(
        MissingDependencyError,
        match=r"Got 'torch' from the environment variable KERAS_BACKEND.*pip install torch.*KERAS_BACKEND=jax",
    ):
        check_backend(environ, installed=only("jax"), keras_imported=False)


def test_no_backend_at_all_is_named_with_what_to_install(environ: dict[str, str]) -> None:
    assert choose(environ) is None
    with pytest.raises(MissingDependencyError, match=r"'tensorflow' from the default of Keras.*pip install tensorflow"):
        check_backend(environ, installed=only(), keras_imported=False)


def test_a_backend_that_cannot_train_is_refused(environ: dict[str, str]) -> None:
    configure(environ, json.dumps({"backend": "numpy"}))
    with pytest.raises(MissingDependencyError, match=r"one that can train: jax, tensorflow, torch. Got 'numpy' from"):
        check_backend(environ, installed=only("jax"), keras_imported=False)


def test_a_backend_that_is_installed_passes(environ: dict[str, str]) -> None:
    environ["KERAS_BACKEND"] = "jax"
    check_backend(environ, installed=only("jax"), keras_imported=False)
    check_backend(environ, installed=only(), keras_imported=True)


def test_a_folder_without_code_is_not_an_installed_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_backend_of_no_code").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not is_installed("a_backend_of_no_code")
    assert is_installed("numpy")


def test_versions_are_known_without_an_import() -> None:
    versions = installed_versions()
    assert set(versions) == {"keras", "jax", "tensorflow", "torch"}
    assert versions["keras"] is not None


def test_facts_name_the_backend_that_keras_runs_on() -> None:
    import keras

    facts = backend_facts()
    assert facts.name == keras.config.backend() and facts.installed
    assert facts.source == "Keras, which is imported"


def test_importing_dialed_loads_no_backend_and_makes_keras_importable(tmp_path: Path) -> None:
    """The truth of a fresh install: nothing configured, TensorFlow absent or not."""
    code = (
        "import sys, dialed, dialed.backend as b\n"
        "assert not {'keras', 'jax', 'tensorflow', 'torch', 'numpy'} & set(sys.modules)\n"
        "facts = b.backend_facts()\n"
        "assert facts.installed, facts\n"
        "assert (b.chosen is None) == b.is_installed('tensorflow')\n"
        "assert b.chosen is None or facts.source == 'Dialed\\'s choice'\n"
        "b.check_backend()\n"
    )
    environ = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    environ |= {"KERAS_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
