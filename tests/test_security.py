"""What comes from a store, an artifact folder or a file runs no code, and meets SQL as a bound parameter only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "dialed"

UNPICKLING = {
    "engine/jax_worker/channel.py": "a line between two processes of which one started the other",
    "engine/jax_worker/parcel.py": "a folder that one process made for another that it started",
}
"""The only files that may unpickle, and from whom."""


def calls() -> Iterator[tuple[Path, ast.Call, str]]:
    """Each call in each file, with the name that is called, such as `pickle.loads` or `eval`."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path, node, ast.unparse(node.func)


CALLS = list(calls())


def where(path: Path, call: ast.Call) -> str:
    return f"{path}, line {call.lineno}: {ast.unparse(call)}"


def is_bound(sql: ast.expr) -> bool:
    """Whether nothing is put into the text of a statement but numbers and words that are constants of ours."""
    match sql:
        case ast.Constant() | ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call():
            return True  # a plain text, or one that SQLAlchemy has compiled
        case ast.JoinedStr():
            words = "".join(part.value for part in sql.values if isinstance(part, ast.Constant))
            inside = [part.value for part in sql.values if isinstance(part, ast.FormattedValue)]
            constants = all(isinstance(value, ast.Name) and value.id.isupper() for value in inside)
            return constants or words.startswith("PRAGMA ")  # which takes no parameters
        case _:
            return False


def test_statements_are_plain_texts_with_bound_parameters() -> None:
    seen = 0
    for path, call, name in CALLS:
        last = name.rpartition(".")[2]
        if last in ("execute", "executemany", "exec_driver_sql", "executescript") or name in (
            "text",
            "sqlalchemy.text",
        ):
            seen += 1
            assert all(is_bound(sql) for sql in call.args[:1]), where(path, call)
    assert seen > 20


def test_only_words_of_ours_become_pragmas() -> None:
    """A pragma takes no parameters, so what is put into its text is checked here by hand: a number, and a checked word."""
    found = [
        ast.unparse(call.args[0])
        for _, call, name in CALLS
        if name.endswith("execute") and call.args and isinstance(call.args[0], ast.JoinedStr)
    ]
    assert sorted(found) == [
        "f'PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}'",
        "f'PRAGMA synchronous = {durability.upper()}'",
    ]


def test_nothing_is_unpickled_or_run_but_between_our_own_processes() -> None:
    unpickling = set()
    for path, call, name in CALLS:
        last = name.rpartition(".")[2]
        loads = name.split(".")[0] in ("pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve")
        if loads and last in ("load", "loads", "open", "Unpickler"):
            unpickling.add(str(path.relative_to(SOURCE)))
        assert name not in ("eval", "exec"), where(path, call)
        for keyword in call.keywords:
            if keyword.arg == "allow_pickle":
                assert ast.unparse(keyword.value) == "False", where(path, call)
    assert unpickling == set(UNPICKLING)


@pytest.mark.parametrize("name", ["load", "read_array"])
def test_arrays_are_read_without_pickles(name: str) -> None:
    """NumPy's own default is safe, but one that is written down stays so."""
    found = [
        (path, call)
        for path, call, called in CALLS
        if called in (f"np.{name}", f"np.lib.format.{name}", f"numpy.{name}")
    ]
    assert found
    for path, call in found:
        assert any(keyword.arg == "allow_pickle" for keyword in call.keywords), f"{path}: line {call.lineno}"
