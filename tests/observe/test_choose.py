"""The display fits the place where the process writes."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, TextIO

import pytest

import dialed.observe
from dialed.errors import InvalidInputError
from dialed.observe.choose import Silent, display_for, in_notebook
from dialed.observe.lines import Lines
from dialed.observe.notebook import NotebookDisplay
from dialed.observe.terminal import LiveTable
from dialed.search.history import Terms


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    leader, follower = pty.openpty()
    with open(follower, "w", encoding="utf-8") as file:
        yield file
    os.close(leader)


@pytest.fixture
def options(terms: Terms, clock: Any) -> dict[str, Any]:
    return {"terms": terms, "clock": clock, "name": "mnist"}


def test_a_terminal_gets_the_live_table(
    terminal: TextIO, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert isinstance(display_for(file=terminal, **options), LiveTable)


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(
    terminal: TextIO, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(display_for(file=terminal, **options), Lines)


def test_a_pipe_gets_lines_even_where_colours_are_forced(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(display_for(file=io.StringIO(), **options), Lines)


def test_verbose_0_shows_nothing(options: dict[str, Any], story: Any, capsys: pytest.CaptureFixture[str]) -> None:
    display = display_for(verbose=0, **options)
    assert isinstance(display, Silent)
    display.recall(story.three_trials())
    display.start()
    for event in story.three_trials():
        display.on_event(event)
    display.stop()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [2, -1, "auto", None])
def test_verbose_is_0_or_1(verbose: Any, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"`verbose` must be 0 \(show nothing\) or 1 .* Got "):
        display_for(verbose=verbose, **options)


def ipython(shell: object) -> ModuleType:
    module = ModuleType("IPython")
    module.get_ipython = lambda: shell  # type: ignore[attr-defined]
    return module


def test_a_kernel_gets_the_notebook_display(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", ipython(SimpleNamespace(kernel=object())))
    assert in_notebook()
    assert isinstance(display_for(**options), NotebookDisplay)


def test_ipython_in_a_terminal_and_no_ipython_are_no_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", ipython(SimpleNamespace()))
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", ipython(None))
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()
    assert "IPython" not in sys.modules


def test_lines_need_no_drawing_library() -> None:
    """`rich` is loaded for a terminal alone."""
    code = "import sys, dialed.observe; dialed.observe.Lines; sys.exit('rich' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_what_draws_is_loaded_when_it_is_asked_for() -> None:
    assert dialed.observe.LiveTable is LiveTable
    with pytest.raises(AttributeError, match="has no attribute 'Fireworks'"):
        dialed.observe.Fireworks  # noqa: B018
