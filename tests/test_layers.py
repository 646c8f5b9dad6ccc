"""The layers point one way: a module imports only what stands above it in `LAYERS`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src"

LAYERS: Sequence[Sequence[str]] = (
    ("dialed.errors", "dialed.clock", "dialed.backend"),
    ("dialed.space", "dialed.trial", "dialed.objectives", "dialed.events"),
    ("dialed.observe.protocol",),  # names only events; who watches a search must not depend on who drives it
    ("dialed.search", "dialed.strategies"),
    ("dialed.store",),
    ("dialed.engine", "dialed.padding"),
    ("dialed.executor",),
    (
        "dialed.observe",
        "dialed.trackers",
    ),  # the terminal's and the notebook's display: a study shows itself through them
    ("dialed.study",),
    ("dialed.analysis",),
    ("dialed.observe.dashboard",),
    ("dialed.tools", "dialed.schedules", "dialed.spaces"),
    ("dialed.keras_tuner", "dialed.optuna", "dialed.sklearn", "dialed.cli", "dialed.__main__"),
    ("dialed.testing",),
    ("dialed",),  # the root is a face: it hands out names, and nobody inside goes through it
)
"""From the top down. A module belongs to the longest name that it starts with; names on one line may import each
other, which Python itself keeps from going round."""

EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("dialed.trial", "dialed.observe.notebook"): "`Trial._repr_html_` draws itself, when a notebook asks",
    ("dialed.study.study", "dialed.analysis"): "`Study.importance` and its like are the questions one asks of a study",
    ("dialed.study.study", "dialed.observe.dashboard.report"): "`Study.report` draws it",
    ("dialed.study.tuner", "dialed.analysis"): "`Tuner.explain` likewise",
    ("dialed.study.priors", "dialed.tools.lr_range"): "a learning rate's prior may be what a range test finds",
    ("dialed.space.hyperparameters", "dialed.tools.schedules"): "`hp.Schedule` makes a schedule of Keras",
}
"""Imports inside functions that point the other way, each with its reason."""

ROOT_NAMES = frozenset({"__version__"})
"""What an inner module may take from the root."""


class Import(NamedTuple):
    """`module` imports `target` on `line`; `name` is what it takes from there, `lazy` that it does so when called."""

    module: str
    target: str
    name: str
    line: int
    lazy: bool


def test_every_import_points_up() -> None:
    """No module imports from a layer below its own, not even inside a function, but for the listed exceptions."""
    wrong = [i for i in all_imports() if layer_of(i.target) > layer_of(i.module) and not is_allowed(i)]
    assert not wrong, "\n".join(f"{i.module}:{i.line} imports {i.target} from a layer below its own" for i in wrong)


def test_every_exception_is_used() -> None:
    """An exception that no import needs any more is taken off the list."""
    used = {(i.module, i.target) for i in all_imports()}
    assert set(EXCEPTIONS) <= used


def test_every_module_has_a_layer() -> None:
    """A new top-level package must be given its place in the list, not the root's by default."""
    homeless = [name for name, _ in modules() if name != "dialed" and layer_of(name) == layer_of("dialed")]
    assert not homeless


@pytest.mark.parametrize(
    ("code", "module", "expected"),
    [
        ("import dialed.study", "dialed.space.x", [("dialed.study", False)]),
        ("def f():\n    from dialed.study import Tuner", "dialed.space.x", [("dialed.study", True)]),
        ("from dialed import study", "dialed.space.x", [("dialed.study", False)]),
        ("from dialed import __version__", "dialed.cli.x", [("dialed", False)]),
        ("from . import y", "dialed.cli.x", [("dialed.cli", False)]),
        ("from ..study import tuner", "dialed.space.x", [("dialed.study.tuner", False)]),
        ("import numpy", "dialed.space.x", []),
    ],
)
def test_imports_are_read_in_each_form(code: str, module: str, expected: list[tuple[str, bool]]) -> None:
    """The reader sees plain, lazy, relative and package-level imports alike."""
    assert [(i.target, i.lazy) for i in imports_of(ast.parse(code), module, is_package=False)] == expected


def is_allowed(found: Import) -> bool:
    if found.target == "dialed":
        return found.name in ROOT_NAMES
    return found.lazy and (found.module, found.target) in EXCEPTIONS


def layer_of(module: str) -> int:
    """The number of the layer with the longest name that `module` starts with; 0 is the top."""
    of = {name: number for number, names in enumerate(LAYERS) for name in names}
    parts = module.split(".")
    return next(of[name] for n in range(len(parts), 0, -1) if (name := ".".join(parts[:n])) in of)


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package, by its dotted name."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def all_imports() -> Iterator[Import]:
    for name, path in modules():
        yield from imports_of(ast.parse(path.read_text()), name, is_package=path.name == "__init__.py")


def imports_of(tree: ast.AST, module: str, *, is_package: bool, lazy: bool = False) -> Iterator[Import]:
    """What `module` imports of Dialed, wherever in its code."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "dialed":
                    yield Import(module, alias.name, "", node.lineno, lazy)
        elif isinstance(node, ast.ImportFrom):
            yield from _from_imports(node, module, is_package, lazy)
        else:
            inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _for_types(node)
            yield from imports_of(node, module, is_package=is_package, lazy=inside)


def _for_types(node: ast.AST) -> bool:
    """Whether `node` is `if TYPE_CHECKING:`, which never runs."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _from_imports(node: ast.ImportFrom, module: str, is_package: bool, lazy: bool) -> Iterator[Import]:
    package = module.split(".") if is_package else module.split(".")[:-1]
    start = package[: len(package) - node.level + 1] if node.level else []
    home = ".".join([*start, *([node.module] if node.module else [])])
    if home.split(".")[0] != "dialed":
        return
    for alias in node.names:
        inner = f"{home}.{alias.name}"
        yield Import(module, inner if is_module(inner) else home, alias.name, node.lineno, lazy)


def is_module(name: str) -> bool:
    path = SOURCE.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()
