"""`dialed dashboard` and `dialed report`: studies in a browser, and one study as a file."""

from __future__ import annotations

import contextlib
import webbrowser

import click

from dialed.cli.options import debug_option, store_option
from dialed.cli.output import note, report_file
from dialed.cli.stores import open_study, opened
from dialed.errors import InvalidInputError

__all__ = ["dashboard", "report"]


@click.command(short_help="Show studies in a browser, live.")
@click.argument("place", metavar="[STORE]", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8365, show_default=True, help="0 takes a free one.")
@click.option("--host-name", "hosts", multiple=True, metavar="NAME", help="A name by which others call this machine.")
@click.option("--key", metavar="KEY", help="What a browser must bring; '' for none.  [default: one of yours]")
@click.option(
    "--allow-control", is_flag=True, help="Let pages write notes, and stop, pause, enqueue and raise budgets."
)
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser of this machine.")
@store_option
@debug_option
def dashboard(
    place: str | None,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    key: str | None,
    allow_control: bool,
    open_it: bool,
    store: str | None,
) -> None:
    """Show the studies of a store in a browser, while they run and afterwards, until Ctrl-C.

    It listens on this machine only, asks for the key in the printed address, and changes nothing unless --allow-control
    is given. No request leaves this machine.
    """
    from dialed.observe.dashboard import serve

    if place is not None and store is not None:
        raise click.UsageError(f"Give the store once: '{place}' or --store {store}.")

    def ready(address: str) -> None:
        click.echo(f"Open {address}")
        note("Ctrl-C ends it.")
        if open_it:
            webbrowser.open(address)

    with opened(place or store) as catalog:
        serve(catalog, host=host, port=port, token=key, hosts=hosts, allow_control=allow_control, ready=ready)


@click.command(short_help="Write a study to one HTML file.")
@click.argument("name")
@click.option("-o", "--output", metavar="FILE", help="Where to.  [default: NAME.html]")
@store_option
@debug_option
def report(name: str, output: str | None, store: str | None) -> None:
    """Write a study to one HTML file: the answer first, then its pictures. It opens anywhere, without a network."""
    file = output or report_file(name)
    with open_study(name, store) as study, contextlib.ExitStack() as stack:
        stack.callback(study.close)
        try:
            written = study.report(file)
        except OSError as error:
            raise InvalidInputError(f"FILE must be one that can be written. Got '{file}': {error.strerror}.") from error
    note(f"Wrote {written} ({written.stat().st_size / 1e6:.1f} MB).")
