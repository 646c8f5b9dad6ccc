"""The command `dialed`: its commands, loaded when they are asked for, and its exit codes.

0    done
1    the study failed, or nothing was found (and whatever was not foreseen, with a traceback)
2    bad input: an argument, a file or a model that cannot mean anything
130  interrupted (Ctrl-C); what was found so far is kept
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from dialed import __version__
from dialed.cli.options import DEBUG, debug_option
from dialed.errors import DialedError, InvalidInputError

__all__ = ["BAD_INPUT", "COMMANDS", "FAILED", "INTERRUPTED", "Commands", "Entry", "Interrupted", "main"]

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130  # 128 and the number of SIGINT, as shells report it


class Entry(NamedTuple):
    """Where a command lives, the section of the help it belongs to, and its one line there."""

    module: str
    section: str
    summary: str


COMMANDS: Mapping[str, Entry] = {
    "demo": Entry("dialed.cli.demo.command", "Begin", "Watch Dialed tune a small network on real data."),
    "doctor": Entry("dialed.cli.doctor", "Begin", "Say what is installed, what is seen, and what is missing."),
    "preview": Entry("dialed.cli.search", "Search", "Show the plan of a search before paying for it."),
    "run": Entry("dialed.cli.search", "Search", "Search for good hyperparameters of a Keras model."),
    "resume": Entry("dialed.cli.search", "Search", "Go on with a study that was begun here."),
    "worker": Entry("dialed.cli.worker", "Search", "Train for a search that another process runs."),
    "lr-range": Entry("dialed.cli.tuning_tools", "Measure", "Find the learning rate of a model by a range test."),
    "batch-size": Entry("dialed.cli.tuning_tools", "Measure", "Find the batch size that fits, is fast, and is of use."),
    "optimizers": Entry("dialed.cli.tuning_tools", "Measure", "Compare optimizers, each at its own learning rate."),
    "studies": Entry("dialed.cli.look", "Look", "List the studies of a store."),
    "show": Entry("dialed.cli.look", "Look", "Show a study, or one trial of it."),
    "best": Entry("dialed.cli.look", "Look", "Print the values of the winner."),
    "compare": Entry("dialed.cli.compare", "Look", "Say what tells two studies apart."),
    "dashboard": Entry("dialed.cli.dashboard", "Look", "Show studies in a browser, live."),
    "report": Entry("dialed.cli.dashboard", "Look", "Write a study to one HTML file."),
    "export": Entry("dialed.cli.export", "Look", "Write a study to files that other programs read."),
    "import": Entry("dialed.cli.importing", "Look", "Read a search of another program into a study."),
}


class Interrupted(click.ClickException):
    """Ctrl-C; the message says what is kept and how to go on."""

    exit_code = INTERRUPTED

    def format_message(self) -> str:
        return self.message

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


class Failed(click.ClickException):
    """An error that Dialed raised on purpose, as one message."""

    exit_code = FAILED


class Refused(Failed):
    """Bad input, as one message."""

    exit_code = BAD_INPUT


class Commands(click.Group):
    """Commands whose modules are imported when they are called, so that each starts as fast as it can."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(import_module(entry.module), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(COMMANDS)}."
            ctx.fail(f"No such command '{args[0]}'. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            with formatter.section(section):
                formatter.write_dl([(name, e.summary) for name, e in COMMANDS.items() if e.section == section])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error becomes a message and an exit code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted("Interrupted.") from error
        except DialedError as error:
            if ctx.meta.get(DEBUG):
                traceback.print_exc()
            kind = Refused if isinstance(error, InvalidInputError) else Failed
            raise kind(str(error)) from error


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="dialed %(version)s")
@debug_option
def main() -> None:
    """Find good hyperparameters for Keras 3 models, and know how sure that is.

    `dialed COMMAND --help` says more. `--json` makes a command print one JSON document.
    """
