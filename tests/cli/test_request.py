"""A search as it was asked for: options, a TOML file, and a study's settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialed.cli.request import SearchRequest, read_config
from dialed.errors import InvalidInputError
from dialed.space import Choice, Float, Int


def config(folder: Path, text: str) -> dict[str, object]:
    file = folder / "search.toml"
    file.write_text(text)
    return read_config(file)


def test_the_paths_are_made_absolute(working_folder: Path) -> None:
    """A study can be resumed from another folder."""
    request = SearchRequest.of("model.py:build", {"data": "d.npz"}, {})
    assert request.builder == f"{working_folder}/model.py:build"
    assert request.data == f"{working_folder}/d.npz"


def test_without_data_the_builders_file_gives_them(working_folder: Path) -> None:
    assert SearchRequest.of("model.py:build", {"data": None}, {}).data == f"{working_folder}/model.py:load_data"


def test_options_go_before_the_file() -> None:
    request = SearchRequest.of("m.py:b", {"max_trials": 3, "seed": None}, {"max_trials": 9, "seed": 4})
    assert (request.max_trials, request.seed) == (3, 4)


def test_epochs_and_batch_size_may_be_ranges() -> None:
    request = SearchRequest.of("m.py:b", {"epochs": "5..20", "batch_size": "32,64"}, {})
    assert (request.epochs, request.batch_size) == (Int(5, 20), Choice([32, 64]))


def test_a_file_gives_options_ranges_and_arguments_of_the_training(tmp_path: Path) -> None:
    read = config(
        tmp_path,
        '[search]\ndata = "d.csv"\nmax-trials = 4\nmax_time = 90\nconfirm = false\nepochs = {min = 2, max = 4}\n'
        "batch_size = [32, 64]\nvalidation_split = 0.3\n"
        "[fit]\nshuffle = false\nclass_weight = {0 = 1.0, 1 = 3}\nrate = {min = 0.1, max = 0.5}\n",
    )
    assert read == {
        "data": str(tmp_path / "d.csv"),
        "max_trials": 4,
        "max_time": 90,
        "confirm": False,
        "epochs": Int(2, 4),
        "batch_size": Choice([32, 64]),
        "validation_split": 0.3,
        "fit": {"shuffle": False, "class_weight": {0: 1.0, 1: 3.0}, "rate": Float(0.1, 0.5)},
    }


def test_a_misspelt_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match=r"an option in \[search\] that there is. Got 'max_trails'. Did you mean 'max_tri"
    ):
        config(tmp_path, "[search]\nmax_trails = 4\n")


def test_a_misspelt_table_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match=r"must name a table that there is. Got 'serch'. Did you mean 'search'\?"
    ):
        config(tmp_path, "[serch]\n")


def test_a_key_like_no_other_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="Got 'zzz'. There are: data, target, objective"):
        config(tmp_path, "[search]\nzzz = 4\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('max_trials = "4"', "`max_trials` in '.*' must be a whole number. Got '4'"),
        ("max_trials = true", "`max_trials` in '.*' must be a whole number. Got True"),
        ("max_time = true", "`max_time` in '.*' must be a text or a whole number or a number. Got True"),
        ("confirm = 1", "`confirm` in '.*' must be true or false. Got 1"),
        ("strategy = 3", "`strategy` in '.*' must be a text. Got 3"),
        ('validation_split = "a"', "`validation_split` in '.*' must be a number. Got 'a'"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        config(tmp_path, f"[search]\n{line}\n")


def test_a_table_must_be_a_table(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"\[search\] in '.*' must be a table. Got 3"):
        config(tmp_path, "search = 3\n")


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="must be a TOML file. Got: .*line 1"):
        config(tmp_path, "[search\n")


def test_a_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="`--config` must be a TOML file. Got 'none.toml', which is no file"):
        read_config("none.toml")


def test_a_request_survives_being_stored() -> None:
    """What `dialed resume` reads from the settings is what `dialed run` was asked to do."""
    request = SearchRequest.of(
        "m.py:b",
        {"epochs": "2..4", "batch_size": "32,64", "max_time": "10m", "confirm": False},
        {"fit": {"rate": Float(0.1, 0.5), "shuffle": False}},
    )
    assert SearchRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


def test_the_settings_of_a_newer_version_may_hold_more() -> None:
    request = SearchRequest.of("m.py:b", {}, {})
    assert SearchRequest.from_json({**request.to_json(), "kind": "run", "later": 1}) == request


def test_a_new_budget_replaces_only_what_it_names() -> None:
    request = SearchRequest.of("m.py:b", {"max_trials": 3, "max_time": "10m"}, {})
    assert request.with_budget({"max_trials": 9, "max_time": None}).max_trials == 9
    assert request.with_budget({"max_trials": 9, "max_time": None}).max_time == "10m"
