import threading

import pytest
from click.testing import CliRunner

import dialed
from dialed.cli import main
from dialed.store import open_catalog

CODE = """
def loss(hp):
    return hp.Float("x", -1.0, 1.0) ** 2
"""


def run(*arguments):
    return CliRunner().invoke(main, ["worker", *map(str, arguments)])


@pytest.fixture
def module(tmp_path):
    """A file with the code of a study, and that code."""
    file = tmp_path / "losses.py"
    file.write_text(CODE)
    from dialed.cli.load import load_builder

    return file, load_builder(f"{file}:loss")


def test_a_worker_imports_the_code_of_a_study_and_works_until_it_is_finished(tmp_path, module):
    store = tmp_path / "a.db"
    open_catalog(str(store)).close()
    study = []
    options = {"max_trials": 3, "strategy": "random", "seed": 0, "workers": 0, "verbose": 0}
    driver = threading.Thread(
        target=lambda: study.append(dialed.optimize(module[1], name="s", store=str(store), **options))
    )
    driver.start()
    found = run("--store", store, "--idle", "0.1s")
    while driver.is_alive():  # the first may have come too early
        found = run("--store", store, "--idle", "0.1s")
    driver.join()
    assert found.exit_code == 0
    assert [t.score is not None for t in study[0].trials] == [True] * 3


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        ("lambda", "must be one that can be imported from a file, but it is a lambda. Move it to the top of a file"),
        ("gone", "must be on this machine, but there is no file"),
        ("asked", "needs a study whose data and code are in files"),
    ],
)
def test_code_that_cannot_be_imported_is_told_with_what_to_do(tmp_path, module, prepare, message):
    store = str(tmp_path / "a.db")
    if prepare == "asked":
        dialed.create_study({"x": dialed.Float(0.0, 1.0)}, name="s", store=store)
    else:
        function = module[1] if prepare == "gone" else lambda hp: hp.Float("x", 0.0, 1.0)
        dialed.optimize(function, name="s", store=store, max_trials=1, verbose=0)
        module[0].unlink()
    found = run("--store", store, "--study", "s")
    assert found.exit_code == 1
    assert message in found.output


def test_a_study_that_is_not_there_is_told(tmp_path):
    open_catalog(str(tmp_path / "a.db")).close()
    found = run("--store", tmp_path / "a.db", "--study", "nobody")
    assert found.exit_code == 1
    assert "must be of a study in" in found.output
