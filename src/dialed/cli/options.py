"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["DEBUG", "budget_options", "debug_option", "json_option", "look_options", "seed_option", "store_option"]

DEBUG = "dialed.debug"
"""The key in `click.Context.meta` that says whether an error is shown with its traceback."""

F = TypeVar("F", bound=Callable[..., Any])


def _remember_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[DEBUG] = True


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_remember_debug,
    help="Show the traceback of an error.",
)

store_option = click.option(
    "--store",
    metavar="PLACE",
    help="Where studies are kept: a file or a database URL.  [default: ./dialed.db]",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, and nothing else.")

seed_option = click.option("--seed", type=click.IntRange(min=0), help="Makes the search repeatable.")


def budget_options(function: F) -> F:
    """`--max-trials`, `--max-epochs` and `--max-time`: totals of a study; the first reached ends it."""
    for option in (
        click.option("--max-time", metavar="TIME", help="Total time, such as 90s, 10m or 2h."),
        click.option("--max-epochs", type=int, metavar="N", help="Total trained epochs, over all trials."),
        click.option("--max-trials", type=int, metavar="N", help="Total trials."),
    ):
        function = option(function)
    return function


def look_options(function: F) -> F:
    """`--store`, `--json` and `--debug`."""
    for option in (debug_option, json_option, store_option):
        function = option(function)
    return function
