"""What is public is what `__all__` says."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import dialed

SOURCE = Path(__file__).resolve().parent.parent / "src"


def test_the_root_offers_exactly_its_all() -> None:
    """Type checkers, `dir` and `__all__` agree on what `dialed` offers."""
    tree = ast.parse((SOURCE / "dialed" / "__init__.py").read_text())
    typed = {n for node in tree.body if isinstance(node, ast.If) for n in _bound(node.body)}
    assert typed == set(dialed.__all__)
    assert set(dir(dialed)) == {*dialed.__all__, "__version__"}


@pytest.mark.parametrize("name", dialed.__all__)
def test_the_root_hands_out_each_name(name: str) -> None:
    """Each lazy name of the root is found where the root says it lives."""
    assert getattr(dialed, name).__name__.rsplit(".", 1)[-1] == name


def test_the_root_refuses_unknown_names() -> None:
    """A misspelt name is an `AttributeError`, not a late surprise."""
    with pytest.raises(AttributeError, match="module 'dialed' has no attribute 'Tunner'"):
        dialed.Tunner  # noqa: B018


def test_the_version_is_the_installed_one() -> None:
    """The version that the package says is the one in pyproject.toml."""
    import tomllib

    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())["project"]
    assert dialed.__version__ == project["version"]


def packages() -> Iterator[str]:
    for path in sorted((SOURCE / "dialed").glob("*/__init__.py")):
        yield f"dialed.{path.parent.name}"


@pytest.mark.parametrize("name", list(packages()))
def test_a_package_offers_exactly_its_all(name: str) -> None:
    """A package's public names are those it defines or takes from its own modules, and `__all__` lists them sorted."""
    package = importlib.import_module(name)
    tree = ast.parse(Path(package.__file__ or "").read_text())
    assert list(package.__all__) == in_order(_bound(tree.body))
    missing = [n for n in package.__all__ if not hasattr(package, n)]
    assert not missing


@pytest.mark.parametrize("path", sorted((SOURCE / "dialed").rglob("*.py")), ids=lambda p: p.stem)
def test_each_all_is_sorted(path: Path) -> None:
    """Wherever a file says what is public, it does so in order and without repeats."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
            assert names == in_order(names)


def in_order(names: Iterable[str]) -> list[str]:
    """The order of `__all__`, ruff's too: constants, then classes, then functions, each by the alphabet."""
    return sorted(set(names), key=lambda n: (not n.isupper(), not n[0].isupper(), n))


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    """The public names that these statements define, or import from Dialed itself."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [t.id for t in node.targets if isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dialed":
            names = [alias.asname or alias.name for alias in node.names]
        elif isinstance(node, ast.If | ast.Try):
            names = list(_bound(node.body))
        else:
            names = []
        yield from (n for n in names if not n.startswith("_"))
