"""The command itself: its help, its start and its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import Result

from dialed import __version__
from dialed.cli import entry
from dialed.cli.entry import COMMANDS, Commands, main
from dialed.errors import DialedError, InvalidInputError, SpaceError, StoreError, StudyError

HEAVY = ["keras", "jax", "jaxlib", "tensorflow", "torch", "sklearn", "pandas"]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> object:
    """Makes `dialed studies` raise what it is given."""

    def prepare(error: BaseException) -> None:
        @click.command()
        def studies() -> None:
            raise error

        monkeypatch.setattr(Commands, "get_command", lambda *_: studies)

    return prepare


def test_the_help_lists_every_command_in_its_section(dialed) -> None:
    """What a newcomer sees first: all commands, grouped, in less than a screen of 80 columns."""
    said: Result = dialed("--help")
    assert said.exit_code == 0
    for name, known in COMMANDS.items():
        section = said.stdout.split(f"{known.section}:\n")[1].split("\n\n")[0]
        assert f"  {name} " in section and known.summary in section
    assert len(said.stdout.splitlines()) <= 40 and max(map(len, said.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_help_is_the_commands_own(name: str) -> None:
    """The help is written without importing the commands, and says what they say."""
    command = getattr(import_module(COMMANDS[name].module), name)
    assert command.name == name and command.short_help == COMMANDS[name].summary


def test_the_version_is_told(dialed) -> None:
    assert dialed("--version").stdout == f"dialed {__version__}\n"


def test_a_misspelt_command_is_offered_its_nearest(dialed) -> None:
    said = dialed("shw")
    assert said.exit_code == 2 and "No such command 'shw'. Did you mean 'show'?" in said.stderr


def test_a_command_like_no_other_is_told_which_there_are(dialed) -> None:
    said = dialed("xyzzy")
    assert said.exit_code == 2 and "There are: demo, doctor" in said.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInputError("no"), 2),
        (SpaceError("no"), 2),
        (StudyError("no"), 1),
        (StoreError("no"), 1),
        (DialedError("no"), 1),
    ],
)
def test_an_error_is_one_message_and_an_exit_code(dialed, failing, error: DialedError, code: int) -> None:
    """2 says that the input cannot mean anything, 1 that the work could not be done."""
    failing(error)
    said = dialed("studies")
    assert (said.exit_code, said.stdout, said.stderr) == (code, "", "Error: no\n")


def test_debug_shows_where_an_error_came_from(dialed, failing) -> None:
    failing(StudyError("no"))
    said = dialed("--debug", "studies")
    assert said.exit_code == 1 and "Traceback" in said.stderr and said.stderr.endswith("Error: no\n")


def test_an_interruption_is_130_without_a_traceback(dialed, failing) -> None:
    failing(KeyboardInterrupt())
    said = dialed("studies")
    assert (said.exit_code, said.stderr) == (entry.INTERRUPTED, "Interrupted.\n")


def test_what_was_not_foreseen_keeps_its_traceback(dialed, failing) -> None:
    """A bug is not dressed up as bad input."""
    failing(RuntimeError("bug"))
    said = dialed("studies")
    assert said.exit_code == 1 and isinstance(said.exception, RuntimeError)


def test_the_main_command_is_the_entry_point() -> None:
    assert isinstance(main, Commands)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["studies"]])
def test_looking_loads_no_backend(arguments: list[str], working_folder) -> None:
    """Commands that train nothing start without Keras and without a backend, as `python -m dialed` too."""
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['dialed', *{arguments!r}]\n"
        "try:\n    runpy.run_module('dialed', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"assert not (found := set({HEAVY!r}) & set(sys.modules)), found\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and done.stdout
