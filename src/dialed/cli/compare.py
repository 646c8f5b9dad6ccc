"""`dialed compare`: are the results of two studies different?"""

from __future__ import annotations

from dataclasses import asdict

import click

from dialed.cli import searching
from dialed.cli.options import look_options
from dialed.cli.output import print_json
from dialed.cli.stores import open_study

__all__ = ["compare"]


@click.command(short_help="Say what tells two studies apart.")
@click.argument("first")
@click.argument("second")
@click.option(
    "--retrain",
    type=click.IntRange(2),
    metavar="N",
    help="Train both winners anew under N fresh seeds, with the code and the data of FIRST, which `dialed run` began.",
)
@look_options
def compare(first: str, second: str, retrain: int | None, store: str | None, as_json: bool) -> None:
    """Compare two studies of one store: their spaces, their data, their courses and their winners."""
    with open_study(first, store) as one, open_study(second, store) as other:
        found = one.compare(other) if retrain is None else searching.compare_retrained(one, other, repeats=retrain)
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(str(found))
