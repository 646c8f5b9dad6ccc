"""What the command line is given by name: data files and Python functions, or a clear no."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dialed.cli.load import load_builder, load_csv, load_data, load_npz, load_python
from dialed.engine.data import Data
from dialed.errors import DataError, InvalidInputError

CSV = "size,colour,legs,kind\n1.5,red,4,cat\n2,blue,4,dog\n0.1,red,2,bird\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # and take away again what an import puts there
    return tmp_path


def write(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_an_npz_file_gives_its_four_arrays() -> None:
    np.savez("d.npz", x_train=np.zeros((3, 2)), y_train=np.arange(3), x_test=np.ones((1, 2)), y_test=np.ones(1))
    loaded = load_npz("d.npz")
    assert loaded.x_train.shape == (3, 2) and loaded.y_test.shape == (1,)


def test_an_npz_file_may_do_without_a_test_set_and_hold_more() -> None:
    np.savez("d.npz", x_train=np.zeros((3, 2)), y_train=np.arange(3), names=np.array(["a"]))
    assert load_data("d.npz").x_test is None


def test_arrays_missing_from_an_npz_file_are_named_with_what_is_there() -> None:
    np.savez("d.npz", x_train=np.zeros(3), labels=np.zeros(3), x_test=np.zeros(1))
    with pytest.raises(DataError, match=r"Got x_train, labels, x_test; y_train, y_test missing. Save with"):
        load_npz("d.npz")


def test_an_npz_file_with_python_objects_is_never_unpickled() -> None:
    np.savez("d.npz", x_train=np.array([{}], dtype=object), y_train=np.zeros(1))
    with pytest.raises(DataError, match=r"'d.npz' must be an .npz archive of plain numbers. Got: Object arrays cannot"):
        load_npz("d.npz")


def test_a_broken_npz_file_is_refused() -> None:
    with pytest.raises(DataError, match=r"must be an .npz archive of plain numbers"):
        load_npz(write("d.npz", "PK\x03\x04 no more"))
    with pytest.raises(DataError, match=r"must be an .npz archive of plain numbers"):
        load_npz(write("e.npz", "hello"))
    with Path("f.npz").open("wb") as file:
        np.save(file, np.zeros(2))
    with pytest.raises(DataError, match=r"must be an .npz archive. Got a single array"):
        load_npz("f.npz")


def test_a_table_keeps_numbers_and_encodes_strings() -> None:
    loaded = load_csv(write("t.csv", CSV), "kind")
    assert loaded.features == ("size", "colour=blue", "colour=red", "legs")
    np.testing.assert_array_equal(loaded.x_train, np.float32([[1.5, 0, 1, 4], [2, 1, 0, 4], [0.1, 0, 1, 2]]))
    assert loaded.y_train.tolist() == [1, 2, 0] and loaded.classes == ("bird", "cat", "dog")
    assert loaded.notes == (
        "Column 'colour' became 2 columns of 0 and 1, one for each string.",
        "Column 'kind' became labels: 0 = bird, 1 = cat, 2 = dog.",
    )
    assert Data.of(loaded.x_train, loaded.y_train).label_range() == (0.0, 2.0, True)


@pytest.mark.parametrize(("target", "dtype"), [("legs", np.int64), ("size", np.float32)])
def test_a_target_of_numbers_keeps_its_kind(target: str, dtype: type) -> None:
    loaded = load_data(write("t.csv", CSV), target)
    assert loaded.y_train.dtype == dtype and loaded.classes == ()


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_quotes_and_a_byte_order_mark_are_understood(separator: str) -> None:
    text = f'\ufeff"a b"{separator} y\n"1"{separator} 0\n\n 2{separator}1\n'
    loaded = load_csv(write("t.csv", text), "y")
    assert loaded.features == ("a b",) and loaded.y_train.tolist() == [0, 1]


@pytest.mark.parametrize("gap", ["", "NA", "nan", "?", "null"])
def test_gaps_are_refused_with_their_column(gap: str) -> None:
    with pytest.raises(DataError, match=r"no gaps. Got 1 missing values in column 'a', the first \('.*'\) in sample 2"):
        load_csv(write("t.csv", f"a,y\n1,0\n{gap},1\n"), "y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,y\n1,0\ninf,1\n", r"must hold finite numbers. Got inf in column 'a', sample 2"),
        ("a,y\n1,0\n2\n", r"must have 2 cells in each line, as its header has. Got 1 in line 3"),
        ("a,a,y\n1,1,0\n", r"a name of its own for each column. Got a empty or twice"),
        ("a,,y\n1,1,0\n", r"Got \(no name\) empty or twice"),
        ("y\n1\n", r"a header of at least two columns. Got \['y'\]"),
        ("", r"a header of at least two columns. Got an empty file"),
        ("a,y\n", r"must hold samples. Got a header alone"),
        (
            "a,y\n" + "".join(f"n{i},0\n" for i in range(101)),
            r"at most 100 different ones. Got 101 in column 'a'.*'n0'",
        ),
    ],
)
def test_tables_that_cannot_be_trained_on_are_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_csv(write("t.csv", text), "y")


def test_a_table_in_another_encoding_is_refused() -> None:
    Path("t.csv").write_bytes("größe,y\n1,0\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"must be a CSV file in UTF-8"):
        load_csv("t.csv", "y")


def test_a_target_that_is_not_there_is_refused_with_the_nearest_column() -> None:
    with pytest.raises(InvalidInputError, match=r"size, colour, legs, kind. Got 'kinds' Did you mean 'kind'\?"):
        load_csv(write("t.csv", CSV), "kinds")
    with pytest.raises(InvalidInputError, match=r"`target` must be a column of 't.csv'.*Got none. Pass --target"):
        load_data("t.csv")


RETURNS = {
    "pair": "return np.ones((2, 1)), np.zeros(2)",
    "keras": "return (np.ones((2, 1)), np.zeros(2)), (np.ones((1, 1)), np.zeros(1))",
    "dict": "return dict(x_train=np.ones((2, 1)), y_train=np.zeros(2))",
}


@pytest.mark.parametrize("form", RETURNS)
def test_a_function_may_return_data_in_the_usual_forms(form: str) -> None:
    write(f"{form}_data.py", f"import numpy as np\ndef load():\n    {RETURNS[form]}\n")
    loaded = load_data(f"{form}_data.py:load")
    assert loaded.x_train.shape == (2, 1) and loaded.y_train.shape == (2,)
    assert (loaded.x_test is not None) == (form == "keras")


def test_a_dataset_is_passed_on() -> None:
    write("stream.py", "class Stream: pass\nstream = Stream()\ndef load(): return stream\n")
    loaded = load_python("stream.py:load")
    assert type(loaded.x_train).__name__ == "Stream" and loaded.y_train is None


@pytest.mark.parametrize(("value", "got"), [("None", "None"), ("(1, 2, 3)", "a tuple of 3"), ("[]", "a list of 0")])
def test_a_function_that_returns_something_else_is_refused(value: str, got: str) -> None:
    name = f"odd{abs(hash(value))}.py"
    write(name, f"def load(): return {value}\n")
    with pytest.raises(DataError, match=rf"must return \(x, y\), .*Got {got}"):
        load_python(f"{name}:load")
    write(f"d{name}", "def load(): return {'x': 1}\n")
    with pytest.raises(DataError, match=r"Got x; x_train, y_train missing"):
        load_python(f"d{name}:load")


def test_a_build_function_is_found_and_may_import_its_neighbours() -> None:
    write("neighbour_of_model.py", "WIDTH = 8\n")
    write("model.py", "from neighbour_of_model import WIDTH\ndef build_model(hp): return WIDTH\n")
    assert load_builder("model.py:build_model")(None) == 8
    assert load_builder("model.py:build_model") is load_builder("./model.py:build_model")


def test_a_class_is_made_into_its_object() -> None:
    write("hyper.py", "class Mine:\n    def build(self, hp): return 3\nmine = Mine()\n")
    assert load_builder("hyper.py:Mine").build(None) == 3
    assert load_builder("hyper.py:mine").build(None) == 3


def test_an_error_in_the_users_file_is_shown_as_it_is_each_time() -> None:
    write("broken.py", "1 / 0\n")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            load_builder("broken.py:build_model")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "model2.py:build_modl",
            r"must define 'build_modl'. Got a file that defines WIDTH, build_model. Did you mean ",
        ),
        ("model2.py:WIDTH", r"'model2.py:WIDTH' must name a function. Got int \(8\)"),
        ("model3.py:build_model", r"'model3.py' must be a file. Got no such file.*Did you mean 'model2.py'"),
        ("model2.py", r"as in 'file.py:function'. Got 'model2.py'"),
        ("model2:build_model", r"as in 'file.py:function'"),
        ("model2.py:not a name", r"as in 'file.py:function'"),
    ],
)
def test_functions_that_are_not_there_are_refused_with_what_is(spec: str, message: str) -> None:
    write("model2.py", "import os\nWIDTH = 8\ndef build_model(hp): pass\n")
    with pytest.raises(InvalidInputError, match=message):
        load_builder(spec)


def test_a_function_to_load_with_must_be_one() -> None:
    write("numbers_only.py", "load = 3\n")
    with pytest.raises(InvalidInputError, match=r"must name a function. Got int"):
        load_python("numbers_only.py:load")


def test_files_that_are_none_of_these_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"an .npz file, a .csv file, or a function.*Got 'data.parquet'"):
        load_data("data.parquet")
    with pytest.raises(InvalidInputError, match=r"`target` must come with a .csv file. Got 'd.npz'"):
        load_data("d.npz", "y")
    Path("folder.npz").mkdir()
    with pytest.raises(InvalidInputError, match=r"'folder.npz' must be a file. Got a folder"):
        load_npz("folder.npz")
