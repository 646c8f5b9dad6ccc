"""`dialed compare`: are the results of two studies different?"""

from __future__ import annotations

from dataclasses import asdict

import click

from dialed.cli.options import look_options
from dialed.cli.output import print_json
from dialed.cli.stores import open_study

__all__ = ["compare"]


@click.command(short_help="Say what tells two studies apart.")
@click.argument("first")
@click.argument("second")
@look_options
def compare(first: str, second: str, store: str | None, as_json: bool) -> None:
    """Compare two studies of one store: their spaces, their data, their courses and their winners."""
    with open_study(first, store) as one, open_study(second, store) as other:
        found = one.compare(other)
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(str(found))
