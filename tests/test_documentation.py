"""Everything shown runs: the README, the documentation, the docstrings and the examples."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from dialed.cli import main
from dialed.cli.entry import COMMANDS
from dialed.cli.request import read_config

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "src").rglob("README.md")])
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

NOT_RUN = re.compile(r"<!-- not run: (\S.*\S) -->")
"""Stands on the line before a block that cannot run in a test, with the reason."""


class Docstring(NamedTuple):
    """A docstring with an example: of which module and name, and where."""

    path: Path
    name: str
    line: int
    text: str

    @property
    def module(self) -> str:
        """The dotted name of its module."""
        parts = self.path.relative_to(ROOT / "src").with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def runnable(page: Path) -> str:
    """The page's Python blocks as one script with the same line numbers; all other lines are empty."""
    shown = page.read_text().splitlines()
    lines: list[str] = []
    inside = skipped = False
    for before, line in zip(["", *shown], shown, strict=False):
        if inside and line.strip() == "```":
            inside = False
        lines.append(line if inside and not skipped else "")
        if not inside and line.strip() == "```python":
            inside, skipped = True, bool(NOT_RUN.fullmatch(before.strip()))
    return "\n".join(lines)


WARM = """
import os, runpy, sys, warnings
import dialed, keras, numpy, sklearn.datasets, sklearn.model_selection  # nothing is computed yet

def run(script, folder, said):
    os.chdir(folder)
    sys.path[0], sys.argv = folder, [script]
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for shown in (1, 2):
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), shown)
    runpy.run_path(script, run_name="__main__")

for line in sys.stdin:
    with warnings.catch_warnings(action="ignore"):  # of threads that a fork does without: none has begun
        child = os.fork()
    if child == 0:
        run(*line.rstrip("\\n").split("\\t"))
        break
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture(scope="module")
def run_script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path, Path], None]]:
    """Runs a script in a folder as a user would, with warnings as errors.

    Each is a fork of one process that has imported Keras; where processes cannot be forked, it begins from nothing.
    """
    command = [sys.executable, "-W", "error"]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    said = tmp_path_factory.mktemp("said") / "said.txt"

    def alone(script: Path, folder: Path) -> None:
        options: Any = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
        done = subprocess.run([*command, str(script)], cwd=folder, env=environment, check=False, **options)
        assert done.returncode == 0, done.stdout + done.stderr

    def forked(script: Path, folder: Path) -> None:
        said.unlink(missing_ok=True)
        warm.stdin.write(f"{script}\t{folder}\t{said}\n")
        warm.stdin.flush()
        assert warm.stdout.readline() == "0\n", said.read_text()

    if not hasattr(os, "fork"):
        yield alone
        return
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*command, "-c", WARM], env=environment, text=True, **pipes) as process:
        warm: Any = process
        yield forked
        warm.stdin.close()


def docstrings() -> Iterator[Docstring]:
    """Every docstring in the sources that shows an example."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            text = ast.get_docstring(node)
            if text and (">>>" in text or "Example:" in text):
                yield Docstring(path, getattr(node, "name", path.stem), getattr(node, "lineno", 1), text)


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if runnable(p).strip()], ids=lambda p: str(p.relative_to(ROOT)))
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, run_script: Callable[[Path, Path], None]) -> None:
    """A page's Python blocks run from top to bottom in an empty folder."""
    script = tmp_path / "page.py"
    script.write_text(runnable(page))
    run_script(script, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_runs(example: Path, tmp_path: Path, run_script: Callable[[Path, Path], None]) -> None:
    """Each script in examples/ runs to its end in an empty folder."""
    run_script(example, tmp_path)


@pytest.mark.parametrize("shown", list(docstrings()), ids=lambda d: f"{d.module}:{d.name}")
def test_the_example_of_a_docstring_runs(shown: Docstring, working_folder: Path) -> None:
    """A docstring's example gives the output that it shows; it sees its module's names, as doctest has it."""
    names = dict(vars(importlib.import_module(shown.module)))
    test = doctest.DocTestParser().get_doctest(shown.text, names, shown.name, str(shown.path), shown.line)
    assert test.examples, "an `Example:` must be written with >>>, so that it can be run"
    said: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append).failed
    assert not failed, "".join(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there."""
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


@pytest.mark.parametrize("page", [p for p in PAGES if "src" in p.parts], ids=lambda p: p.parent.name)
def test_the_readme_of_a_package_is_short(page: Path) -> None:
    """A package explains itself in at most 60 lines."""
    assert len(page.read_text().splitlines()) <= 60


def test_contributing_is_short() -> None:
    """What a newcomer must read before the first change fits in 80 lines."""
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) < 80


def test_a_block_is_skipped_only_with_a_reason(tmp_path: Path) -> None:
    """The mark that keeps a block from running counts only when it says why."""
    page = tmp_path / "page.md"
    block = "```python\nshown()\n```\n"
    page.write_text(f"<!-- not run: needs a GPU -->\n{block}")
    assert not runnable(page).strip()
    page.write_text(f"<!-- not run -->\n{block}")
    assert runnable(page).splitlines()[2] == "shown()"


def options_told(command: str) -> set[str]:
    """The options in the section of `command` in docs/command-line.md."""
    section = (ROOT / "docs" / "command-line.md").read_text().split(f"\n## dialed {command}\n")[1].split("\n## ")[0]
    return {
        option for row in section.splitlines() if row.startswith("|") for option in re.findall(r"`(--[a-z-]+)", row)
    }


def test_every_command_is_documented() -> None:
    """The page of the command line has a section for each command, and for nothing else."""
    told = re.findall(r"^## dialed (\S+)$", (ROOT / "docs" / "command-line.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted(COMMANDS)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_option_is_documented(command: str) -> None:
    """A command's section names the options that it takes, each of them and no others."""
    taken = main.get_command(click.Context(main), command)
    assert taken is not None
    options = {name for p in taken.params if isinstance(p, click.Option) for name in [*p.opts, *p.secondary_opts]}
    long = {name for name in options if name.startswith("--")}
    assert options_told(command) == long - {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_toml_of_a_page_is_a_configuration(page: Path, tmp_path: Path) -> None:
    """A TOML file that the documentation shows is one that `dialed run --config` takes."""
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)):
        file = tmp_path / f"{number}.toml"
        file.write_text(block)
        assert read_config(file)
